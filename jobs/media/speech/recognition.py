"""Recognise the words of a block of sound with a Whisper model: several windows at once, and alone what fails.

A window is decoded once, with a small beam and without the model's own times. That takes 0.55 to 0.65 of the processor
time of faster-whisper's `WhisperModel.transcribe`, which decodes one window after the other with a beam of 5, but has
three weaknesses, for each of which there is a remedy here: the model may write without punctuation, leave out a part of
the window, or repeat a phrase again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jobs.media.audio import SAMPLE_RATE
from jobs.media.speech.hot_words import as_sentences, is_any_said
from jobs.media.speech.sentences import Word
from jobs.media.speech.voice import (
    WINDOW_SAMPLES,
    Span,
    Voice,
    cut_windows,
    find_passages,
    find_voice,
    place_voices,
)

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from numpy.typing import NDArray

# More take no less time, and more memory: the packaged model takes 700 MiB with 4 windows and 890 MiB with 8.
_BATCH_WINDOWS = 4
# The model writes as its prompt is written. Without one, it leaves out the full stops of every sixth sentence, and so
# joins it to the next one. Nothing of it may be said in a guide: after "Click Save, then wait." whole windows came out
# as that. In another language than the speaker's it would make the model change the language.
_PROMPTS = {"en": "Good morning, everyone. How are you? I am fine."}
# How each hot word begins. After names alone, the model puts a full stop before names within a sentence.
_OPENINGS = {"en": "There is "}
# What OpenAI's own implementation allows for 30 seconds (`sample_len`).
_MAX_TOKENS = 224
# The model takes 448, with `_MAX_TOKENS` and those of `_PROMPTS`. A letter of some scripts takes three.
_MAX_HOT_TOKENS = 190
# The thresholds at which OpenAI's and faster-whisper's implementations reject a text: how well it compresses by zlib,
# and the mean logarithm of its tokens' probabilities.
_REPEATED_FROM = 2.4
_UNLIKELY_BELOW = -1.0
# The mean probability of a window's words. English has 0.76 and more in ten accents of speech synthesis, 0.46 and more
# with noise of half its strength. Now and then a window begins with the prompt, and is believed when it is heard again:
# 0.57 and more of English, 0.47 to 0.6 of German and Dutch, which it does not repeat itself in.
_BELIEVED_FROM = 0.4
_BELIEVED_AGAIN_FROM = 0.5
# People say two to four words a second.
_FEWEST_WORDS_A_SECOND = 1.5
# So much voice before the first word or after the last one was left out, not just timed badly.
_MAX_UNHEARD_SAMPLES = SAMPLE_RATE


@dataclass(frozen=True)
class Block:
    """Sound from `start` on, and where in it a voice is heard, in samples."""

    start: int
    sound: NDArray[np.float32]
    spoken: list[Span]


@dataclass(frozen=True)
class Window:
    """What is heard in a stretch of up to half a minute, in which a voice is heard for `voice_ms`.

    `is_doubtful`: the model repeats itself or hardly believes its words, as in a language that it does not know.
    """

    language: str
    words: list[Word]
    voice_ms: int
    is_doubtful: bool


def hear(
    model: WhisperModel, block: Block, language: str | None, hot_words: Sequence[str] = ()
) -> Iterator[Window]:
    """Yield what is heard in each window of a block, in order, after each batch.

    `language` is the model's name of it; None to detect it. `hot_words` are names that may be said. The same gives
    the same words each time.
    """
    import numpy as np

    passages = find_passages(block.spoken, len(block.sound))
    if not passages:
        return
    voices = place_voices(block.spoken, passages)
    sound = np.concatenate([block.sound[begin:end] for begin, end in passages])
    windows = cut_windows(voices, len(sound))
    if language is None:
        language = model.detect_language(sound)[0]
    clips = [(begin, min(end, begin + WINDOW_SAMPLES)) for begin, end in windows]
    prompt = _fitting(model, hot_words, _OPENINGS.get(language, ""))
    # A window is one segment, unless the model writes times into it after all.
    by_window = groupby(_decode(model, sound, language, clips, prompt), key=lambda segment: segment.seek)
    for window, clip, (_, found) in zip(windows, clips, by_window, strict=True):
        parts = list(found)
        if prompt and not _is_helped(parts, hot_words):
            parts = list(_decode(model, sound, language, [clip], ""))
        heard = [word for part in parts for word in _spoken_words(part)]
        is_rejected = parts[0].avg_logprob < _UNLIKELY_BELOW or not _begins_and_fills(window, voices, heard)
        if is_rejected:
            heard = []
        rest, again = _hear_rest(model, sound, language, window, voices, heard)
        words = [_place(word, voices, block.start) for word in heard + rest]
        is_doubtful = _is_doubtful(parts, again if is_rejected else parts)
        yield Window(language, words, _ms(_length(find_voice(voices, window))), is_doubtful)


def _decode(
    model: WhisperModel, sound: NDArray[np.float32], language: str, clips: Sequence[Span], prompt: str
) -> Iterable[Any]:
    """Return the segments of parts of the sound, of which some are decoded at once."""
    # Imported here: it takes a second and 100 MB, and most processes never need it.
    from faster_whisper import BatchedInferencePipeline

    segments, _ = BatchedInferencePipeline(model).transcribe(
        sound,
        language=language,
        clip_timestamps=[{"start": begin / SAMPLE_RATE, "end": end / SAMPLE_RATE} for begin, end in clips],
        batch_size=_BATCH_WINDOWS,
        beam_size=2,
        initial_prompt=_PROMPTS.get(language),
        hotwords=prompt or None,
        max_new_tokens=_MAX_TOKENS,
        word_timestamps=True,
    )
    return segments


def _is_helped(parts: Sequence[Any], hot_words: Sequence[str]) -> bool:
    """Return whether a text that was heard with hot words has one of them, and is not repeated.

    In speech without any of them, the model now and then repeats a phrase that it would not otherwise.
    """
    is_repeated = any(part.compression_ratio > _REPEATED_FROM for part in parts)
    return not is_repeated and is_any_said(hot_words, " ".join(part.text for part in parts))


def _fitting(model: WhisperModel, hot_words: Sequence[str], opening: str) -> str:
    """Return hot words as a prompt, as many as it may hold beside the model's own text and `_PROMPTS`."""
    fitting = list(hot_words)
    while len(model.hf_tokenizer.encode(as_sentences(fitting, opening)).ids) > _MAX_HOT_TOKENS:
        del fitting[-1]
    return as_sentences(fitting, opening)


@dataclass(frozen=True)
class _Heard:
    """A word as the model times it, in samples of the joined passages."""

    start: int
    end: int
    text: str


def _hear_rest(
    model: WhisperModel,
    sound: NDArray[np.float32],
    language: str,
    window: Span,
    voices: Sequence[Voice],
    heard: Sequence[_Heard],
) -> tuple[list[_Heard], list[Any]]:
    """Return what is said in a window after the words that were heard: the words, and the pieces of text they are of.

    It is decoded with a beam, and with the model's own times, by which faster-whisper goes on where the text stops.
    """
    begin, end = window
    unheard = find_voice(voices, (heard[-1].end if heard else begin, end))
    if _length(unheard) <= _MAX_UNHEARD_SAMPLES:
        return [], []
    begin = unheard[0][0]
    segments, _ = model.transcribe(
        sound[begin:end],
        language=language,
        beam_size=5,
        # Otherwise a phrase that is repeated by mistake is repeated to the end of the video.
        condition_on_previous_text=False,
        temperature=0.0,
        max_new_tokens=_MAX_TOKENS,
        word_timestamps=True,
    )
    parts = list(segments)
    return [word for part in parts for word in _spoken_words(part, begin)], parts


def _begins_and_fills(window: Span, voices: Sequence[Voice], heard: Sequence[_Heard]) -> bool:
    """Return whether words were heard from the first voice of a window on, and as many as people say in its time."""
    if not heard:
        return False
    begin, end = window
    before = _length(find_voice(voices, (begin, heard[0].start)))
    voice = _length(find_voice(voices, (begin, min(end, begin + WINDOW_SAMPLES))))
    fewest = _FEWEST_WORDS_A_SECOND * voice / SAMPLE_RATE
    return before <= _MAX_UNHEARD_SAMPLES and len(heard) >= fewest


def _is_doubtful(parts: Sequence[Any], kept: Sequence[Any]) -> bool:
    """Return whether a window's text, or what was kept after it was heard again, is hardly what was said."""
    if any(part.compression_ratio > _REPEATED_FROM for part in kept):
        return True
    return _belief(parts) < _BELIEVED_FROM and _belief(kept) < _BELIEVED_AGAIN_FROM


def _belief(parts: Sequence[Any]) -> float:
    """Return the mean probability of the words, 1 for none."""
    believed = [float(word.probability) for part in parts for word in part.words or ()]
    return sum(believed) / len(believed) if believed else 1.0


def _length(spans: Sequence[Span]) -> int:
    return sum(end - begin for begin, end in spans)


def _spoken_words(segment: Any, offset: int = 0) -> list[_Heard]:
    """Return the words of a piece of text, in samples from `offset` on.

    In a phrase that the model repeats by mistake, the words that nobody said are aligned with no sound: they take no
    time. On a text that is said 25 times over, this leaves 0.7 to 1 times the words that were said; faster-whisper's
    own remedy, decoding at random until it looks better, 2.6 times.
    """
    is_repeated = segment.compression_ratio > _REPEATED_FROM
    return [
        _Heard(offset + int(word.start * SAMPLE_RATE), offset + int(word.end * SAMPLE_RATE), word.word)
        for word in segment.words or ()
        if word.end > word.start or not is_repeated
    ]


def _place(word: _Heard, voices: Sequence[Voice], block_start: int) -> Word:
    """Return a word with its time in the recording.

    The model often places a word too early after a pause, and the pause may have been cut out: the word is moved to
    where the voice is.
    """
    voice = max(voices, key=lambda voice: min(word.end, voice.end) - max(word.start, voice.start))
    offset = block_start + voice.left_out
    return Word(_ms(max(0, offset + word.start)), _ms(offset + word.end), word.text)


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
