"""Transcripts: timed passages of what was said, and their stored form.

Times are whole milliseconds from the start of the video.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAX_SEGMENTS = 100_000
MAX_TEXT_CHARACTERS = 10_000
MAX_TIME_MS = 24 * 60 * 60 * 1000
# The fields of a segment that stand in every one, and their types in JSON.
SEGMENT_FIELDS = {"start_ms": "integer", "end_ms": "integer", "text": "string"}
UNDETERMINED = "und"  # BCP 47: the language is not known

# The general form of BCP 47: a primary subtag and further subtags. RFC 5646, 4.4.1 recommends buffers of 35.
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
MAX_LANGUAGE_CHARACTERS = 35
RECOGNISER_NAME = re.compile(r"[\x20-\x7e]{1,200}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Segment:
    """A sentence, or a part of one, and when in the video it is spoken.

    `word_starts_ms` is when each word of `text` begins, of those between white space; empty where it is not known.
    """

    start_ms: int
    end_ms: int
    text: str
    word_starts_ms: tuple[int, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """What is said in a video, in order of `start_ms`.

    `recogniser` names its source: "whisper:tiny.en", "subtitles", "http:MODEL".
    """

    language: str
    segments: tuple[Segment, ...]
    recogniser: str


class TranscriptInvalid(ValueError):
    """A transcript in JSON breaks the rules. `field` is a dotted path, such as "segments.3.end_ms"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def transcript_to_json(transcript: Transcript) -> dict[str, Any]:
    """Return the stored form of a transcript, which `transcript_from_json` reads."""
    return {
        "language": transcript.language,
        "recogniser": transcript.recogniser,
        "segments": [_segment_to_json(segment) for segment in transcript.segments],
    }


def _segment_to_json(segment: Segment) -> dict[str, Any]:
    plain = {"start_ms": segment.start_ms, "end_ms": segment.end_ms, "text": segment.text}
    return {**plain, "word_starts_ms": list(segment.word_starts_ms)} if segment.word_starts_ms else plain


def transcript_from_json(obj: object) -> Transcript:
    """Return the transcript in parsed JSON, which was stored by us or sent by an orchestrator.

    `language` ("und" when absent) and `recogniser` ("external" when absent) are optional; unknown keys are
    refused. Segments are sorted by `start_ms`; those with the same start keep their order.
    Raise TranscriptInvalid (a ValueError) at the first rule broken.
    """
    document = _mapping(obj, "", required=("segments",), optional=("language", "recogniser"))
    language = document.get("language", UNDETERMINED)
    is_tag = isinstance(language, str) and len(language) <= MAX_LANGUAGE_CHARACTERS
    if not is_tag or not LANGUAGE_TAG.fullmatch(language):
        raise TranscriptInvalid("language", 'must be a language tag such as "en" or "pt-BR"')
    recogniser = document.get("recogniser", "external")
    if not isinstance(recogniser, str) or not RECOGNISER_NAME.fullmatch(recogniser):
        raise TranscriptInvalid("recogniser", "must be 1 to 200 printable ASCII characters")
    items = document["segments"]
    if not isinstance(items, list):
        raise TranscriptInvalid("segments", "must be a list")
    if len(items) > MAX_SEGMENTS:
        raise TranscriptInvalid("segments", f"must hold at most {MAX_SEGMENTS} segments")
    segments = [_segment(item, f"segments.{index}") for index, item in enumerate(items)]
    segments.sort(key=lambda segment: segment.start_ms)
    return Transcript(language=language, segments=tuple(segments), recogniser=recogniser)


def _segment(item: object, field: str) -> Segment:
    values = _mapping(item, field, required=tuple(SEGMENT_FIELDS), optional=("word_starts_ms",))
    start_ms = _time(values["start_ms"], f"{field}.start_ms")
    end_ms = _time(values["end_ms"], f"{field}.end_ms")
    if end_ms < start_ms:
        raise TranscriptInvalid(f"{field}.end_ms", "must not be before start_ms")
    text = values["text"]
    if not isinstance(text, str):
        raise TranscriptInvalid(f"{field}.text", "must be a string")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise TranscriptInvalid(f"{field}.text", f"must be at most {MAX_TEXT_CHARACTERS} characters long")
    if _UNSTORABLE.search(text):
        raise TranscriptInvalid(f"{field}.text", "must not hold NUL characters or lone surrogates")
    starts = _word_starts(
        values.get("word_starts_ms", []), (start_ms, end_ms), text, f"{field}.word_starts_ms"
    )
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text, word_starts_ms=starts)


def _word_starts(value: object, span: tuple[int, int], text: str, field: str) -> tuple[int, ...]:
    if not isinstance(value, list) or (value and len(value) != len(text.split())):
        raise TranscriptInvalid(
            field, "must be a list with a time for each word of the text, or an empty one"
        )
    starts = tuple(_time(start, f"{field}.{number}") for number, start in enumerate(value))
    times = (span[0], *starts, span[1]) if starts else span
    if any(following < start for start, following in pairwise(times)):
        raise TranscriptInvalid(field, "must rise, and be within start_ms and end_ms")
    return starts


def _time(value: object, field: str) -> int:
    # In Python a bool is an int, but true is not a time.
    if not isinstance(value, int) or isinstance(value, bool):
        raise TranscriptInvalid(field, "must be a whole number of milliseconds")
    if not 0 <= value <= MAX_TIME_MS:
        raise TranscriptInvalid(field, f"must be between 0 and {MAX_TIME_MS}")
    return value


def _mapping(
    value: object, field: str, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TranscriptInvalid(field, "must be an object")
    prefix = f"{field}." if field else ""
    for key in required:
        if key not in value:
            raise TranscriptInvalid(f"{prefix}{key}", "is required")
    for key in value:
        if key not in required and key not in optional:
            # The name comes from outside: it is shortened and made printable.
            raise TranscriptInvalid(f"{prefix}{str(key)[:40]!a}", "is not a field of a transcript")
    return value
