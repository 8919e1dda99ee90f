"""Recognition by the model on this machine."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from jobs.media.audio import SAMPLE_RATE, extract_audio
from jobs.media.speech import SpeechError, whisper
from jobs.media.speech.recognition import Window
from jobs.media.speech.whisper import Whisper
from jobs.media.transcripts import Transcript
from tests.jobs.media.recordings import write_sound
from tests.jobs.media.sounds import SAMPLE, script
from tests.jobs.media.word_errors import word_error_rate

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("found", "rate"),
    [
        ("Click Add item, then wait 30 days.", 0),
        ("click add item then wait thirty", 1 / 7),
        ("click at item then then wait thirty days", 2 / 7),
        ("", 1),
    ],
)
def test_the_measure_of_word_errors_counts(found: str, rate: float) -> None:
    assert word_error_rate("Click add item, then wait thirty days.", found) == pytest.approx(rate)


@pytest.fixture(scope="module")
def sample_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sound") / "sample.flac"
    extract_audio(SAMPLE, target)
    return target


@pytest.fixture(scope="module")
def heard(sample_sound: Path) -> tuple[Transcript, list[float]]:
    shares: list[float] = []
    found = Whisper(None).transcribe(
        video=SAMPLE, audio=sample_sound, language=None, on_progress=shares.append
    )
    return found, shares


def test_the_sample_is_understood(heard: tuple[Transcript, list[float]]) -> None:
    transcript, _ = heard
    assert (transcript.language, transcript.recogniser) == ("en", "whisper:tiny.en")
    text = " ".join(segment.text for segment in transcript.segments)
    assert (
        word_error_rate(" ".join(line["text"] for line in script()), text) < 0.05
    )  # measured: 1 of 102 words


def test_sentences_start_when_they_are_spoken(heard: tuple[Transcript, list[float]]) -> None:
    starts = np.array([segment.start_ms for segment in heard[0].segments])
    late = [float(np.abs(starts - line["start_ms"]).min()) for line in script()]
    assert sorted(late)[: len(late) * 9 // 10][-1] < 150


def test_a_segment_is_one_sentence_and_none_overlap(heard: tuple[Transcript, list[float]]) -> None:
    segments = heard[0].segments
    assert all(before.end_ms <= after.start_ms for before, after in zip(segments, segments[1:], strict=False))
    assert not [
        segment.text for segment in segments if not re.fullmatch(r"(?:(?![.?!] ).)*[.?!]", segment.text)
    ]


def write_wav(path: Path, sound: np.ndarray[Any, np.dtype[np.float64]]) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        write_sound(container, stream, (sound * 32_000).astype(np.int16), rate=SAMPLE_RATE)
        container.mux(stream.encode(None))
    return path


def silence() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.zeros(20 * SAMPLE_RATE)


def hiss() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(3).uniform(-0.2, 0.2, 20 * SAMPLE_RATE)


def chord() -> np.ndarray[Any, np.dtype[np.float64]]:
    at = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    return sum((np.sin(2 * np.pi * pitch * at) for pitch in (220, 277, 330)), np.zeros(20 * SAMPLE_RATE)) / 4


@pytest.mark.parametrize("sound", [silence, hiss, chord])
def test_where_nobody_speaks_nothing_is_heard(
    tmp_path: Path, sound: Callable[[], np.ndarray[Any, np.dtype[np.float64]]]
) -> None:
    audio = write_wav(tmp_path / "s.wav", sound())
    shares: list[float] = []
    found = Whisper(None).transcribe(video=SAMPLE, audio=audio, language="en-GB", on_progress=shares.append)
    assert found == Transcript("en-GB", (), "whisper:tiny.en")
    assert shares[-1] == 1.0


def test_long_sound_is_heard_in_blocks_with_its_times(
    tmp_path: Path, sample_sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three blocks out of two sentences, a long silence, and the same two sentences."""
    first, again = 4_900, 40_000
    with av.open(sample_sound) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) / 32_768
    excerpt = sound[: first * SAMPLE_RATE // 1000]
    long = np.concatenate([excerpt, np.zeros((again - first) * SAMPLE_RATE // 1000), excerpt])
    monkeypatch.setattr(whisper, "_BLOCK_SAMPLES", 15 * SAMPLE_RATE)
    found = Whisper(None).transcribe(
        video=SAMPLE, audio=write_wav(tmp_path / "s.wav", long), language="en", on_progress=lambda share: None
    )
    starts = [segment.start_ms for segment in found.segments]
    assert len(starts) == 2
    assert starts[1] - starts[0] == pytest.approx(again, abs=100)


@pytest.mark.parametrize("language", ["de", "pt-BR", "xx"])
def test_a_language_that_the_model_does_not_know_is_refused(sample_sound: Path, language: str) -> None:
    with pytest.raises(SpeechError) as refused:
        Whisper(None).transcribe(
            video=SAMPLE, audio=sample_sound, language=language, on_progress=lambda share: None
        )
    assert refused.value.code == "LANGUAGE_NOT_SUPPORTED"
    assert "STEPWRIGHT_WHISPER_MODEL" in refused.value.message


@pytest.fixture(scope="module")
def no_english(tmp_path_factory: pytest.TempPathFactory, sample_sound: Path) -> Path:
    """The sample played backwards: speech of no language."""
    with av.open(sample_sound) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) / 32_768
    return write_wav(tmp_path_factory.mktemp("sound") / "s.wav", sound[::-1])


def test_an_english_model_says_that_speech_is_not_english(no_english: Path) -> None:
    with pytest.raises(SpeechError) as refused:
        Whisper(None).transcribe(
            video=SAMPLE, audio=no_english, language=None, on_progress=lambda share: None
        )
    assert refused.value.code == "LANGUAGE_NOT_SUPPORTED"
    assert 'with the language "en"' in refused.value.message


def test_what_is_said_to_be_english_is_taken_as_it_is_heard(no_english: Path) -> None:
    found = Whisper(None).transcribe(
        video=SAMPLE, audio=no_english, language="en", on_progress=lambda share: None
    )
    assert found.segments


@pytest.mark.parametrize(
    ("doubtful_ms", "clear_ms", "refused"),
    [(7_999, 0, False), (8_000, 0, True), (20_000, 20_000, True), (20_000, 20_001, False), (0, 0, False)],
)
def test_half_of_the_speech_must_be_doubtful_and_more_than_a_sentence(
    doubtful_ms: int, clear_ms: int, refused: bool
) -> None:
    windows = [Window("en", [], doubtful_ms, True), Window("en", [], clear_ms, False)]
    with pytest.raises(SpeechError) if refused else contextlib.nullcontext():
        whisper._require_english(windows)


@pytest.fixture
def broken_models(tmp_path: Path) -> Iterator[list[Path]]:
    empty, wordless, broken = (tmp_path / name for name in ("empty", "wordless", "broken"))
    for folder in (empty, wordless, broken):
        folder.mkdir()
    whole, _ = whisper._find_model(None)
    for file in whole.iterdir():
        if file.name != "tokenizer.json":
            (wordless / file.name).symlink_to(file)
        (broken / file.name).write_bytes(b"{}")
    yield [tmp_path / "missing", empty, wordless, broken]


def test_a_model_that_cannot_be_loaded_is_named_and_not_fetched(
    sample_sound: Path, broken_models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def look_up(host: object, *options: object, **more: object) -> None:
        asked.append(host)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    for folder in broken_models:
        with pytest.raises(SpeechError) as refused:
            Whisper(folder).transcribe(
                video=SAMPLE, audio=sample_sound, language=None, on_progress=lambda share: None
            )
        assert refused.value.code == "SPEECH_MODEL_UNUSABLE", folder
        assert str(folder) not in refused.value.message
    assert not asked


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.flac").write_bytes(b"no sound" * 100)
    with pytest.raises(SpeechError) as refused:
        Whisper(None).transcribe(
            video=SAMPLE, audio=tmp_path / "s.flac", language=None, on_progress=lambda share: None
        )
    assert refused.value.code == "SOUND_UNREADABLE"


def test_threads_share_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "_models", {})
    path, _ = whisper._find_model(None)
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(lambda _: whisper._load_model(path, 0), range(8)))
    assert len({id(model) for model in models}) == 1
