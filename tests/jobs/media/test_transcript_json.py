"""Transcripts in JSON: what is stored, and what orchestrators send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.media.transcripts import (
    MAX_SEGMENTS,
    MAX_TEXT_CHARACTERS,
    MAX_TIME_MS,
    Segment,
    Transcript,
    TranscriptInvalid,
    transcript_from_json,
    transcript_to_json,
)


def one(**changes: Any) -> dict[str, Any]:
    return {"segments": [{"start_ms": 0, "end_ms": 10, "text": "a", **changes}]}


def test_a_transcript_survives_json() -> None:
    transcript = Transcript("en", (Segment(0, 900, "Ünï ☃"), Segment(900, 900, "")), "whisper:tiny.en")
    assert transcript_from_json(json.loads(json.dumps(transcript_to_json(transcript)))) == transcript


def test_times_of_words_survive_json_and_may_be_missing() -> None:
    transcript = Transcript("en", (Segment(0, 900, "Click Save.", (0, 400)), Segment(900, 900, "Wait.")), "x")
    stored = transcript_to_json(transcript)
    assert transcript_from_json(json.loads(json.dumps(stored))) == transcript
    assert [segment.get("word_starts_ms") for segment in stored["segments"]] == [[0, 400], None]


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
        (one(word_starts_ms=None), "segments.0.word_starts_ms"),
        (one(word_starts_ms=[0, 5]), "segments.0.word_starts_ms"),  # for one word
        (one(word_starts_ms=["0"]), "segments.0.word_starts_ms.0"),
        (one(word_starts_ms=[11]), "segments.0.word_starts_ms"),  # after its end
        (one(start_ms=5, word_starts_ms=[4]), "segments.0.word_starts_ms"),
        (one(text="a b", word_starts_ms=[9, 8]), "segments.0.word_starts_ms"),
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
        one(text=" a\u3000b ", word_starts_ms=[0, 10]),
        one(text="", word_starts_ms=[]),
        {"segments": one()["segments"] * MAX_SEGMENTS},
        {"segments": [], "language": "zh-Hant-TW"},
    ],
)
def test_the_limits_themselves_are_allowed(value: object) -> None:
    transcript_from_json(value)
