"""Transcripts in JSON, sentences from words, and recognition by the model on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from jobs.audio import SAMPLE_RATE, extract_audio
from jobs.speech import (
    MAX_SEGMENTS,
    MAX_TEXT_CHARACTERS,
    MAX_TIME_MS,
    Segment,
    SpeechError,
    Transcript,
    TranscriptInvalid,
    transcript_from_json,
    transcript_to_json,
    whisper,
)
from jobs.speech.sentences import Span, Word, split_sentences, to_segments
from jobs.speech.voice import cut_windows, find_passages, longest_pause, place_voices
from jobs.speech.whisper import Whisper
from tests.jobs.recordings import write_sound

SAMPLE = Path(__file__).parents[1] / "media" / "sample.mp4"
S = SAMPLE_RATE


def one(**changes: Any) -> dict[str, Any]:
    return {"segments": [{"start_ms": 0, "end_ms": 10, "text": "a", **changes}]}


def test_a_transcript_survives_json() -> None:
    transcript = Transcript("en", (Segment(0, 900, "Ünï ☃"), Segment(900, 900, "")), "whisper:tiny.en")
    assert transcript_from_json(json.loads(json.dumps(transcript_to_json(transcript)))) == transcript


def test_an_orchestrator_may_leave_out_language_and_recogniser() -> None:
    found = transcript_from_json(one())
    assert (found.language, found.recogniser) == ("und", "external")


def test_segments_are_put_in_order_and_equals_stay_as_given() -> None:
    items = [
        {"start_ms": at, "end_ms": 90, "text": text}
        for at, text in ((50, "c"), (10, "a"), (50, "d"), (10, "b"))
    ]
    assert [segment.text for segment in transcript_from_json({"segments": items}).segments] == [
        "a",
        "b",
        "c",
        "d",
    ]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], ""),
        (None, ""),
        ({}, "segments"),
        ({"segments": {}}, "segments"),
        ({"segments": [], "extra": 1}, "'extra'"),
        ({"segments": [], "language": None}, "language"),
        ({"segments": [], "language": "english language"}, "language"),
        ({"segments": [], "language": "e" * 9}, "language"),
        ({"segments": [], "language": "en" + "-abcdefgh" * 4}, "language"),
        ({"segments": [], "recogniser": ""}, "recogniser"),
        ({"segments": [], "recogniser": "a\nb"}, "recogniser"),
        ({"segments": [1]}, "segments.0"),
        ({"segments": [{"start_ms": 0, "end_ms": 1}]}, "segments.0.text"),
        ({"segments": [one()["segments"][0], {"start_ms": 0}]}, "segments.1.end_ms"),
        (one(speaker="x"), "segments.0.'speaker'"),
        (one(start_ms=-1), "segments.0.start_ms"),
        (one(start_ms=11), "segments.0.end_ms"),
        (one(start_ms=True), "segments.0.start_ms"),
        (one(start_ms=0.0), "segments.0.start_ms"),
        (one(start_ms="0"), "segments.0.start_ms"),
        (one(end_ms=MAX_TIME_MS + 1), "segments.0.end_ms"),
        (one(text=None), "segments.0.text"),
        (one(text="a" * (MAX_TEXT_CHARACTERS + 1)), "segments.0.text"),
        (one(text="a\x00b"), "segments.0.text"),
        (one(text="a\ud800b"), "segments.0.text"),
        ({"segments": one()["segments"] * (MAX_SEGMENTS + 1)}, "segments"),
    ],
)
def test_what_is_no_transcript_is_refused_with_its_place(value: object, field: str) -> None:
    with pytest.raises(TranscriptInvalid) as refused:
        transcript_from_json(value)
    assert refused.value.field == field
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    "value",
    [
        one(end_ms=MAX_TIME_MS),
        one(text="a" * MAX_TEXT_CHARACTERS),
        one(text="\U0001f600"),
        {"segments": one()["segments"] * MAX_SEGMENTS},
        {"segments": [], "language": "zh-Hant-TW"},
    ],
)
def test_the_limits_themselves_are_allowed(value: object) -> None:
    transcript_from_json(value)


def say(text: str, *, start: int = 0, step: int = 300) -> list[Word]:
    """Words one after the other, each as long as `step`; "+900" is a pause of so many milliseconds."""
    words = []
    for item in text.split():
        if item.startswith("+"):
            start += int(item)
        else:
            words.append(Word(start, start + step, f" {item}"))
            start += step
    return words


def voice_of(words: list[Word]) -> list[Span]:
    """The passages that a perfect voice detector hears."""
    spans: list[Span] = []
    for word in words:
        if spans and word.start_ms == spans[-1][1]:
            spans[-1] = (spans[-1][0], word.end_ms)
        else:
            spans.append((word.start_ms, word.end_ms))
    return spans


def sentences_of(words: list[Word]) -> list[str]:
    return ["".join(word.text for word in part).strip() for part in split_sentences(words, voice_of(words))]


@pytest.mark.parametrize(
    ("spoken", "sentences"),
    [
        ("Click Save. Then wait.", ["Click Save.", "Then wait."]),
        ("Really? Yes! Good…", ["Really?", "Yes!", "Good…"]),
        ('He said "stop." Then more', ['He said "stop."', "Then more"]),
        ("Use version 3.5 of it. npm install runs.", ["Use version 3.5 of it.", "npm install runs."]),
        ("Take a tool, e.g. Excel, or so.", ["Take a tool, e.g. Excel, or so."]),
        ("At 5 p.m. it closes. At 9 a.m. It opens.", ["At 5 p.m. it closes.", "At 9 a.m.", "It opens."]),
        ("Mr. Smith and Dr. Who.", ["Mr. Smith and Dr. Who."]),
        ("choose a +900 name", ["choose a name"]),
        ("click send +2600 turn on the reminder", ["click send", "turn on the reminder"]),
        ("点击。 然后", ["点击。", "然后"]),
    ],
)
def test_words_become_sentences(spoken: str, sentences: list[str]) -> None:
    assert sentences_of(say(spoken)) == sentences


def test_a_run_of_words_without_marks_is_cut_where_the_speaker_pauses() -> None:
    clauses = ["click new invoice in the top right corner", "type the name of the customer and wait a bit"]
    clauses += ["open the menu and choose thirty days", "click send"]
    assert sentences_of(say(" +600 ".join(clauses))) == clauses


def test_a_run_without_pauses_is_cut_at_a_comma_or_after_many_words() -> None:
    found = sentences_of(say(" ".join(["word"] * 60 + ["comma,"] + ["word"] * 100)))
    assert [len(sentence.split()) for sentence in found] == [61, 80, 20]


def test_no_word_is_lost() -> None:
    words = say(" ".join(f"w{number}{'.' if number % 7 == 0 else ''}" for number in range(500)))
    assert [word for sentence in split_sentences(words, voice_of(words)) for word in sentence] == words


@pytest.mark.parametrize(
    ("words", "spoken", "segment"),
    [
        # The first word is early by the pause before it.
        ([Word(2000, 3300, " Check"), Word(3300, 3600, " it.")], [(2800, 3650)], (2800, 3650)),
        # The first word is late.
        ([Word(3200, 3300, " Check"), Word(3300, 3600, " it.")], [(2800, 3580)], (2800, 3580)),
        # A voice far before belongs to something else.
        ([Word(5000, 5300, " Check"), Word(5300, 5600, " it.")], [(2800, 9000)], (5000, 5600)),
        ([Word(5000, 5300, " Check")], [], (5000, 5300)),
    ],
)
def test_a_sentence_takes_its_times_from_the_voice(
    words: list[Word], spoken: list[Span], segment: tuple[int, int]
) -> None:
    (found,) = to_segments([tuple(words)], spoken)
    assert (found.start_ms, found.end_ms) == segment


def test_segments_do_not_overlap() -> None:
    sentences = [(Word(0, 1000, " One."),), (Word(600, 1600, " Two."),), (Word(1500, 1550, " Three."),)]
    found = list(to_segments(sentences, []))
    assert [(segment.start_ms, segment.end_ms) for segment in found] == [
        (0, 1000),
        (1000, 1600),
        (1600, 1600),
    ]


@pytest.mark.parametrize(
    ("spoken", "cut"),
    [
        ([], 50),
        ([(0, 100)], 100),
        ([(0, 60), (64, 80), (90, 100)], 85),
        ([(0, 20), (40, 60), (62, 100)], 61),  # the longer pause is in the first half
        ([(0, 60)], 80),
    ],
)
def test_a_block_is_cut_in_the_longest_pause_of_its_second_half(spoken: list[Span], cut: int) -> None:
    assert longest_pause(spoken, 100) == cut


def test_long_silence_is_left_out_and_places_are_kept() -> None:
    spoken = [(1 * S, 2 * S), (3 * S, 4 * S), (10 * S, 11 * S)]
    passages = find_passages(spoken, 11 * S)
    assert passages == [(round(0.6 * S), round(4.4 * S)), (round(9.6 * S), 11 * S)]
    voices = place_voices(spoken, passages)
    assert [(voice.start + voice.left_out, voice.end + voice.left_out) for voice in voices] == spoken
    assert voices[2].start == round(4.2 * S)
    assert find_passages([], 11 * S) == []


def test_windows_are_cut_in_pauses_and_cover_all() -> None:
    spoken = [(at * S, at * S + S * 9 // 10) for at in range(0, 100)]
    voices = place_voices(spoken, [(0, 100 * S)])
    windows = cut_windows(voices, 100 * S)
    assert windows[0] == 0 and windows[-1] == 100 * S
    assert windows[1:-1:2] == windows[2:-1:2]
    pairs = list(zip(windows[::2], windows[1::2], strict=True))
    assert all(27 * S <= end - begin <= 29 * S for begin, end in pairs[:-1])
    assert all(not any(start < end < stop for start, stop in spoken) for _, end in pairs)


NUMBERS = {"1": "one", "2": "two", "3": "three", "10": "ten", "20": "twenty", "30": "thirty", "60": "sixty"}


def spoken_words(text: str) -> list[str]:
    return [NUMBERS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower().replace("-", " "))]


def word_error_rate(reference: str, found: str) -> float:
    """Words to replace, insert and delete, by words of the reference (Levenshtein's distance over words)."""
    wanted, heard = spoken_words(reference), spoken_words(found)
    costs = list(range(len(heard) + 1))
    for row, word in enumerate(wanted, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(heard, start=1):
            best = min(costs[column] + 1, costs[column - 1] + 1, diagonal + (word != other))
            diagonal, costs[column] = costs[column], best
    return costs[-1] / len(wanted)


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


def script() -> list[dict[str, Any]]:
    return json.loads(SAMPLE.with_suffix(".json").read_text())["script"]


def test_the_sample_is_understood(heard: tuple[Transcript, list[float]]) -> None:
    transcript, _ = heard
    assert (transcript.language, transcript.recogniser) == ("en", "whisper:tiny.en")
    text = " ".join(segment.text for segment in transcript.segments)
    assert word_error_rate(" ".join(line["text"] for line in script()), text) < 0.15


def test_sentences_start_when_they_are_spoken(heard: tuple[Transcript, list[float]]) -> None:
    starts = np.array([segment.start_ms for segment in heard[0].segments])
    late = [float(np.abs(starts - line["start_ms"]).min()) for line in script()]
    assert sorted(late)[: len(late) * 9 // 10][-1] < 300


def test_a_segment_is_one_sentence_and_none_overlap(heard: tuple[Transcript, list[float]]) -> None:
    segments = heard[0].segments
    assert all(before.end_ms <= after.start_ms for before, after in zip(segments, segments[1:], strict=False))
    assert not [segment.text for segment in segments if re.search(r"[.?!] ", segment.text)]


def test_progress_of_recognition_rises_to_one(heard: tuple[Transcript, list[float]]) -> None:
    _, shares = heard
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.001)


def write_wav(path: Path, sound: np.ndarray[Any, np.dtype[np.float64]]) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=S, layout="mono")
        write_sound(container, stream, (sound * 32_000).astype(np.int16), rate=S)
        container.mux(stream.encode(None))
    return path


def silence() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.zeros(20 * S)


def hiss() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(3).uniform(-0.2, 0.2, 20 * S)


def chord() -> np.ndarray[Any, np.dtype[np.float64]]:
    at = np.arange(20 * S) / S
    return sum((np.sin(2 * np.pi * pitch * at) for pitch in (220, 277, 330)), np.zeros(20 * S)) / 4


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
    excerpt = sound[: first * S // 1000]
    long = np.concatenate([excerpt, np.zeros((again - first) * S // 1000), excerpt])
    monkeypatch.setattr(whisper, "_BLOCK_SAMPLES", 15 * S)
    found = Whisper(None).transcribe(
        video=SAMPLE, audio=write_wav(tmp_path / "s.wav", long), language="en", on_progress=lambda share: None
    )
    starts = [segment.start_ms for segment in found.segments]
    assert len(starts) == 2
    assert starts[1] - starts[0] == pytest.approx(again, abs=100)


class Cancelled(Exception):
    pass


def test_recognition_stops_when_it_is_cancelled(sample_sound: Path) -> None:
    calls = 0

    def cancel(share: float) -> None:
        nonlocal calls
        calls += 1
        raise Cancelled

    with pytest.raises(Cancelled):
        Whisper(None).transcribe(video=SAMPLE, audio=sample_sound, language="en", on_progress=cancel)
    assert calls == 1


@pytest.mark.parametrize("language", ["de", "pt-BR", "xx"])
def test_a_language_that_the_model_does_not_know_is_refused(sample_sound: Path, language: str) -> None:
    with pytest.raises(SpeechError) as refused:
        Whisper(None).transcribe(
            video=SAMPLE, audio=sample_sound, language=language, on_progress=lambda share: None
        )
    assert refused.value.code == "LANGUAGE_NOT_SUPPORTED"
    assert "STEPWRIGHT_WHISPER_MODEL" in refused.value.message


@pytest.fixture
def broken_models(tmp_path: Path) -> Iterator[list[Path]]:
    empty, half, broken = (tmp_path / name for name in ("empty", "half", "broken"))
    for folder in (empty, half, broken):
        folder.mkdir()
    (half / "model.bin").write_bytes(b"x")
    for name in ("model.bin", "tokenizer.json", "config.json"):
        (broken / name).write_bytes(b"{}")
    yield [tmp_path / "missing", empty, half, broken]


def test_a_model_that_cannot_be_loaded_is_named(sample_sound: Path, broken_models: list[Path]) -> None:
    for folder in broken_models:
        with pytest.raises(SpeechError) as refused:
            Whisper(folder).transcribe(
                video=SAMPLE, audio=sample_sound, language=None, on_progress=lambda share: None
            )
        assert refused.value.code == "SPEECH_MODEL_UNUSABLE", folder
        assert str(folder) not in refused.value.message


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
