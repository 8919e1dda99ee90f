"""How blocks of sound become words: in batches of windows, with a second hearing for what a batch leaves out."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline, WhisperModel

from jobs.media.audio import SAMPLE_RATE
from jobs.media.speech import recognition, whisper
from jobs.media.speech.recognition import (
    Block,
    _begins_and_fills,
    _Heard,
    _is_doubtful,
    _spoken_words,
    hear,
)
from jobs.media.speech.sentences import Word
from jobs.media.speech.voice import Voice, find_speech
from jobs.media.speech.whisper import Whisper
from jobs.media.transcripts import Transcript
from tests.jobs.media.sounds import SAMPLE, Sound, line_of, sample_sound, script, write_flac
from tests.jobs.media.word_errors import spoken_words, word_error_rate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    return sample_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def long_sound(tmp_path_factory: pytest.TempPathFactory, sound: Sound) -> Path:
    """Over three minutes: eight windows."""
    return write_flac(tmp_path_factory.mktemp("sound") / "long.flac", sound, times=4)


def transcribe(audio: Path, on_progress: Callable[[float], None] = lambda share: None) -> Transcript:
    return Whisper(None).transcribe(video=SAMPLE, audio=audio, language=None, on_progress=on_progress)


def words_in(sound: Sound) -> list[Word]:
    model = whisper._load_model(whisper._find_model(None)[0], 0)
    heard = hear(model, Block(0, sound, find_speech(sound)), "en")
    return [word for window in heard for word in window.words]


def hot_words_given(
    monkeypatch: pytest.MonkeyPatch, sound: Sound, hot_words: Sequence[str]
) -> tuple[list[str | None], str]:
    """What faster-whisper is given as hot words each time, and what is heard in the end."""
    in_batches, given = BatchedInferencePipeline.transcribe, list[str | None]()

    def spied(*first: Any, **options: Any) -> Any:
        given.append(options["hotwords"])
        return in_batches(*first, **options)

    monkeypatch.setattr(BatchedInferencePipeline, "transcribe", spied)
    model = whisper._load_model(whisper._find_model(None)[0], 0)
    heard = hear(model, Block(0, sound, find_speech(sound)), "en", hot_words)
    text = text_of([word for window in heard for word in window.words])
    return given, text


@pytest.mark.parametrize(
    ("hot_words", "given"),
    [
        ((), [None]),
        (("Total", "Outbox"), ["There is Total. There is Outbox."]),
        (("Bill to", "Outbox"), ["There is Bill to. There is Outbox.", None]),
    ],
)
def test_speech_in_which_no_hot_word_is_heard_is_heard_without_them(
    sound: Sound, monkeypatch: pytest.MonkeyPatch, hot_words: Sequence[str], given: list[str | None]
) -> None:
    told, text = hot_words_given(monkeypatch, line_of(sound, 6), hot_words)
    assert told == given
    assert spoken_words(text) == spoken_words(script()[6]["text"])


def test_what_is_repeated_after_hot_words_is_heard_without_them(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "_REPEATED_FROM", 0.0)
    assert hot_words_given(monkeypatch, line_of(sound, 6), ["Total"])[0] == ["There is Total.", None]


def test_hot_words_of_any_script_leave_room_for_what_is_said(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, text = hot_words_given(monkeypatch, line_of(sound, 6), ["\u1c7f\u1c80" * 8] * 30)
    assert told[0] is not None and 0 < told[0].count(".") < 30
    assert text


def text_of(words: list[Word]) -> str:
    return "".join(word.text for word in words)


@pytest.fixture(scope="module")
def heard(long_sound: Path) -> tuple[Transcript, list[float]]:
    shares: list[float] = []
    return transcribe(long_sound, shares.append), shares


def test_long_speech_is_understood_sentence_by_sentence(heard: tuple[Transcript, list[float]]) -> None:
    """Without its prompt the model leaves out full stops, and sentences run together."""
    segments = heard[0].segments
    text = " ".join(line["text"] for line in script())
    assert word_error_rate(" ".join([text] * 4), " ".join(segment.text for segment in segments)) < 0.06
    sentences = len(re.findall(r"[.?!](?: |$)", text)) * 4
    assert abs(len(segments) - sentences) <= 4
    assert sum(not segment.text.endswith((".", "?", "!")) for segment in segments) <= 1


def test_the_words_of_a_guide_do_not_come_out_as_those_of_the_prompt(sound: Sound) -> None:
    """The lines in other orders. After a prompt like them ("Click Save, then wait.") two windows of nine were lost."""
    rng, lines, parts = random.Random(7), list[str](), list[Sound]()
    for _ in range(5):
        order = list(range(11))
        rng.shuffle(order)
        for number in order:
            lines.append(script()[number]["text"])
            pause = np.zeros(round(rng.choice([0.3, 0.6, 1.0, 1.5]) * SAMPLE_RATE), np.float32)
            parts += [line_of(sound, number), pause]
    assert word_error_rate(" ".join(lines), text_of(words_in(np.concatenate(parts)))) < 0.08


def test_progress_of_recognition_rises_to_one_batch_by_batch(heard: tuple[Transcript, list[float]]) -> None:
    _, shares = heard
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.001)


def test_the_same_sound_is_heard_the_same_again(
    heard: tuple[Transcript, list[float]], long_sound: Path
) -> None:
    assert transcribe(long_sound) == heard[0]


class Cancelled(Exception):
    pass


def test_recognition_stops_at_the_batch_in_which_it_is_cancelled(
    long_sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, windows, shares = BatchedInferencePipeline.forward, list[int](), list[float]()

    def counted(self: Any, features: Any, *given: Any) -> Any:
        windows.append(len(features))
        return decode(self, features, *given)

    def cancel(share: float) -> None:
        shares.append(share)
        raise Cancelled

    monkeypatch.setattr(BatchedInferencePipeline, "forward", counted)
    with pytest.raises(Cancelled):
        transcribe(long_sound, cancel)
    assert windows == [4]
    assert len(shares) == 1 and shares[0] < 0.2


def test_words_are_timed_within_half_a_second(sound: Sound) -> None:
    """Lines with 1.3 s between them: the first word of each is where the line begins.

    These are timed worst, as the model counts a pause as a part of the word after it; segments begin with the voice.
    """
    begins, parts, at = [], [], 0
    lines = [number for number, line in enumerate(script()) if not line["text"].startswith("In this")]
    for number in lines:
        gap = np.zeros(13 * SAMPLE_RATE // 10, np.float32)
        line = line_of(sound, number)
        begins.append((at + len(gap)) * 1000 // SAMPLE_RATE + 200)
        parts += [gap, line]
        at += len(gap) + len(line)
    words = words_in(np.concatenate(parts))
    firsts = [spoken_words(script()[number]["text"])[0] for number in lines]
    off = []
    for first, begin in zip(firsts, begins, strict=True):
        same = [word.start_ms for word in words if spoken_words(word.text) == [first]]
        off.append(min((abs(start - begin) for start in same), default=99_999))
    assert sorted(off)[len(off) * 9 // 10 - 1] < 450, off


def test_what_a_batch_leaves_out_at_the_end_is_heard_again(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is made to stop after a few words, as the model does by itself now and then."""
    spoken = np.concatenate([line_of(sound, number) for number in (3, 6, 7)])
    in_batches = BatchedInferencePipeline.transcribe
    monkeypatch.setattr(
        BatchedInferencePipeline,
        "transcribe",
        lambda *given, **options: in_batches(*given, **{**options, "max_new_tokens": 8}),
    )
    wanted = " ".join(script()[number]["text"] for number in (3, 6, 7))
    assert word_error_rate(wanted, text_of(words_in(spoken))) < 0.15


def test_speech_without_a_pause_is_heard_beyond_a_window(sound: Sound) -> None:
    """As one stretch of voice of 40 s, which a batch would cut off after 30."""
    spoken = np.concatenate(
        [line_of(sound, number)[SAMPLE_RATE // 6 : -SAMPLE_RATE // 6] for number in range(11)]
    )
    twice = np.concatenate([spoken, spoken])[: 40 * SAMPLE_RATE]
    model = whisper._load_model(whisper._find_model(None)[0], 0)
    block = Block(0, twice, [(0, len(twice))])
    words = [word for window in hear(model, block, "en") for word in window.words]
    assert words[-1].end_ms > 38_000
    assert words == sorted(words, key=lambda word: word.start_ms)


def test_a_phrase_said_over_and_over_is_not_heard_more_often(sound: Sound) -> None:
    """The model goes on repeating it for as long as it may: 90 words of the 75.

    What it makes of the phrase, three words or one, depends on the arithmetic of the processor.
    """
    begin = script()[10]["start_ms"] * SAMPLE_RATE // 1000
    phrase = sound[begin - SAMPLE_RATE // 20 : begin + 11 * SAMPLE_RATE // 10]  # "That is all."
    words = spoken_words(text_of(words_in(np.concatenate([phrase] * 25))))
    assert 15 <= len(words) <= 75
    assert len(set(words)) <= 4


@pytest.mark.parametrize(("ratio", "text"), [(2.5, " said said"), (2.3, " said again said again")])
def test_words_of_a_repeated_text_that_take_no_time_were_not_said(ratio: float, text: str) -> None:
    words = [
        SimpleNamespace(start=start, end=end, word=word)
        for start, end, word in [(0, 1, " said"), (1, 1, " again"), (1, 2, " said"), (2, 2, " again")]
    ]
    kept = _spoken_words(SimpleNamespace(compression_ratio=ratio, words=words))
    assert "".join(word.text for word in kept) == text


def test_a_window_that_comes_as_two_segments_is_heard_whole(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches = BatchedInferencePipeline.transcribe

    def halves(segment: Any) -> list[Any]:
        middle = len(segment.words) // 2
        return [
            dataclasses.replace(segment, words=part)
            for part in (segment.words[:middle], segment.words[middle:])
        ]

    def transcribe(*given: Any, **options: Any) -> Any:
        segments, found = in_batches(*given, **options)
        return [half for segment in segments for half in halves(segment)], found

    line = line_of(sound, 6)
    monkeypatch.setattr(BatchedInferencePipeline, "transcribe", transcribe)
    assert spoken_words(text_of(words_in(line))) == spoken_words(script()[6]["text"])


def test_a_text_that_the_model_does_not_believe_itself_is_heard_again(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, lengths = WhisperModel.transcribe, list[int]()

    def counted(self: Any, sound: Sound, **options: Any) -> Any:
        lengths.append(len(sound))
        return again(self, sound, **options)

    line = line_of(sound, 6)
    monkeypatch.setattr(WhisperModel, "transcribe", counted)
    assert spoken_words(text_of(words_in(line))) == spoken_words(script()[6]["text"])
    assert lengths == []
    monkeypatch.setattr(recognition, "_UNLIKELY_BELOW", 0.0)
    assert spoken_words(text_of(words_in(line))) == spoken_words(script()[6]["text"])
    assert len(lengths) == 1 and lengths[0] > len(line) // 2


def text_believed(*probabilities: float, ratio: float = 1.0) -> list[SimpleNamespace]:
    words = [SimpleNamespace(probability=probability) for probability in probabilities]
    return [SimpleNamespace(words=words, compression_ratio=ratio)]


@pytest.mark.parametrize(
    ("text", "kept", "doubtful"),
    [
        (text_believed(0.5, 0.31), text_believed(0.5, 0.31), False),
        (text_believed(0.5, 0.28), text_believed(0.5, 0.28), True),
        (text_believed(0.2), text_believed(0.51), False),  # sure of it when it is heard again
        (text_believed(0.2), text_believed(0.49), True),
        (text_believed(0.2, ratio=2.5), text_believed(0.9), False),
        (text_believed(0.9), text_believed(0.9, ratio=2.5), True),
        (text_believed(), text_believed(), False),
        (text_believed(0.2), [], False),
    ],
)
def test_a_text_that_is_repeated_or_hardly_believed_is_doubtful(
    text: list[SimpleNamespace], kept: list[SimpleNamespace], doubtful: bool
) -> None:
    assert _is_doubtful(text, kept) is doubtful


@pytest.mark.parametrize(
    ("starts", "believed"),
    [
        (range(0, 10_000, 400), True),
        (range(1500, 10_000, 400), False),  # not from the first voice on
        (range(0, 10_000, 800), False),  # fewer than anybody says
        ((), False),
    ],
)
def test_words_with_gaps_are_not_believed(starts: Sequence[int], believed: bool) -> None:
    words = [_Heard(start * 16, (start + 300) * 16, "word") for start in starts]
    voices = [Voice(0, 10 * SAMPLE_RATE, 0)]
    assert _begins_and_fills((0, 10 * SAMPLE_RATE), voices, words) is believed
