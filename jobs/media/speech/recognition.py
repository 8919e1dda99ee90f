"""Recognise the words of a block of sound with a Whisper model: several windows at once, and alone what fails.

A window is decoded once, with a small beam and without the model's own times. That takes 0.55 to 0.65 of the processor
time of faster-whisper's `WhisperModel.transcribe`, which decodes one window after the other with a beam of 5, but has
three weaknesses, for each of which there is a remedy here: the model may write without punctuation, leave out a part of
the window, or repeat a phrase again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jobs.media.audio import SAMPLE_RATE
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
# What OpenAI's own implementation allows for 30 seconds (`sample_len`).
_MAX_TOKENS = 224
# The thresholds at which OpenAI's and faster-whisper's implementations reject a text: how well it compresses by zlib,
# and the mean logarithm of its tokens' probabilities.
_REPEATED_FROM = 2.4
_UNLIKELY_BELOW = -1.0
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


def hear(model: WhisperModel, block: Block, language: str | None) -> Iterator[tuple[str, list[Word]]]:
    """Yield the language and the words of each window of a block, in order, after each batch.

    `language` is the model's name of it; None to detect it. The same block gives the same words each time.
    """
    import numpy as np

    # Imported here: it takes a second and 100 MB, and most processes never need it.
    from faster_whisper import BatchedInferencePipeline

    passages = find_passages(block.spoken, len(block.sound))
    if not passages:
        return
    voices = place_voices(block.spoken, passages)
    sound = np.concatenate([block.sound[begin:end] for begin, end in passages])
    windows = cut_windows(voices, len(sound))
    if language is None:
        language = model.detect_language(sound)[0]
    clips = [(begin, min(end, begin + WINDOW_SAMPLES)) for begin, end in windows]
    segments, _ = BatchedInferencePipeline(model).transcribe(
        sound,
        language=language,
        clip_timestamps=[{"start": begin / SAMPLE_RATE, "end": end / SAMPLE_RATE} for begin, end in clips],
        batch_size=_BATCH_WINDOWS,
        beam_size=2,
        initial_prompt=_PROMPTS.get(language),
        max_new_tokens=_MAX_TOKENS,
        word_timestamps=True,
    )
    # A window is one segment, unless the model writes times into it after all.
    by_window = groupby(segments, key=lambda segment: segment.seek)
    for window, (_, found) in zip(windows, by_window, strict=True):
        parts = list(found)
        heard = [word for part in parts for word in _spoken_words(part)]
        if parts[0].avg_logprob < _UNLIKELY_BELOW or not _begins_and_fills(window, voices, heard):
            heard = []
        heard += _hear_rest(model, sound, language, window, voices, heard)
        if heard:
            yield language, [_place(word, voices, block.start) for word in heard]


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
) -> list[_Heard]:
    """Return what is said in a window after the words that were heard.

    It is decoded with a beam, and with the model's own times, by which faster-whisper goes on where the text stops.
    """
    begin, end = window
    unheard = find_voice(voices, (heard[-1].end if heard else begin, end))
    if _length(unheard) <= _MAX_UNHEARD_SAMPLES:
        return []
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
    return [word for segment in segments for word in _spoken_words(segment, begin)]


def _begins_and_fills(window: Span, voices: Sequence[Voice], heard: Sequence[_Heard]) -> bool:
    """Return whether words were heard from the first voice of a window on, and as many as people say in its time."""
    if not heard:
        return False
    begin, end = window
    before = _length(find_voice(voices, (begin, heard[0].start)))
    voice = _length(find_voice(voices, (begin, min(end, begin + WINDOW_SAMPLES))))
    fewest = _FEWEST_WORDS_A_SECOND * voice / SAMPLE_RATE
    return before <= _MAX_UNHEARD_SAMPLES and len(heard) >= fewest


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
