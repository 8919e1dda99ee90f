"""What a callback's `artifact_updates` may hold (the contract's section 4): the keys, their limits, their checks.

The one source of the service that applies them and of the API description.
"""

from __future__ import annotations

import re
from typing import Any

from jobs.media.screen import Screen, ScreenInvalid
from jobs.media.transcripts import (
    LANGUAGE_TAG,
    MAX_LANGUAGE_CHARACTERS,
    MAX_SEGMENTS,
    MAX_TEXT_CHARACTERS,
    MAX_TIME_MS,
    RECOGNISER_NAME,
    SEGMENT_FIELDS,
    TranscriptInvalid,
    transcript_from_json,
    transcript_to_json,
)

# What is sent by URI, in place of one, or beside one: then the content counts, and the manifest shows the URI.
CONTENT_KINDS = ("transcript", "draft")
# What is read because rows of ours are made from it; a screen comes by URI alone.
READ_KINDS = ("screen", *CONTENT_KINDS)
# The kinds whose newest URI the manifest shows.
MANIFEST_KINDS = ("audio", *READ_KINDS)
URI_KEYS = ("video_uri", *(f"{kind}_uri" for kind in MANIFEST_KINDS), "export_uri")
# Others are kept as they are.
KNOWN_KEYS = frozenset({*URI_KEYS, *CONTENT_KINDS, "metrics"})
MAX_KEYS = 100
MAX_KEY_CHARACTERS = 64
MAX_URI_CHARACTERS = 2048
MAX_MARKDOWN_BYTES = 2**20
# The fields of a draft beside its markdown and steps, and the most characters of each.
DRAFT_FIELDS = dict.fromkeys(("title", "model_profile_id", "prompt_template_id", "prompt_params_ref"), 128)
MAX_DRAFT_STEPS = 5_000
MAX_HEADING_CHARACTERS = 1_000
# Of all steps of a draft together, those counted again that several steps rest on.
MAX_DRAFT_SEGMENTS = 200_000
_STEP_TIMES = ("start_ms", "end_ms")
_STEP_FIELDS = ("heading", *_STEP_TIMES, "segments", "needs_review", "frames")
MAX_STEP_FRAMES = 100
_FRAME_FIELDS = {"pts", "frame_sha256"}
_SHA256 = re.compile("[0-9a-f]{64}")
MAX_PTS = 2**53


class UpdateInvalid(ValueError):
    """A transcript or draft breaks a rule. `field` is a dotted path in it, empty for the whole."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_transcript(content: Any) -> dict[str, Any]:
    """Return a transcript in the form that is stored; raises UpdateInvalid."""
    try:
        return transcript_to_json(transcript_from_json(content))
    except TranscriptInvalid as error:
        raise UpdateInvalid(error.field, str(error)) from error


def check_screen(content: Any) -> dict[str, Any]:
    """Return what a screen shows in the form that is stored; raises UpdateInvalid."""
    try:
        return Screen.from_plain(content).as_plain()
    except ScreenInvalid as error:
        raise UpdateInvalid(error.field, str(error)) from error


def check_draft(content: Any) -> dict[str, Any]:
    """Return a draft as it is; raises UpdateInvalid."""
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise UpdateInvalid("markdown", "markdown is missing")
    if unknown := sorted(set(content) - {"markdown", "steps", *DRAFT_FIELDS}):
        raise UpdateInvalid("", f"unknown fields {', '.join(unknown)[:100]}")
    for name, limit in DRAFT_FIELDS.items():
        value = content.get(name)
        if value is not None and not isinstance(value, str):
            raise UpdateInvalid(name, f"{name} is not a string")
        if len(value or "") > limit:
            raise UpdateInvalid(name, f"{name} has more than {limit} characters")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > MAX_MARKDOWN_BYTES:
        raise UpdateInvalid("markdown", "markdown is empty or over 1 MiB")
    _check_steps(content.get("steps", []))
    return content


def _check_steps(steps: Any) -> None:
    if not isinstance(steps, list) or len(steps) > MAX_DRAFT_STEPS:
        raise UpdateInvalid("steps", f"steps is not a list of at most {MAX_DRAFT_STEPS} steps")
    rests_on = 0
    for number, step in enumerate(steps):
        rests_on += _check_step(step, f"steps.{number}")
        if rests_on > MAX_DRAFT_SEGMENTS:
            raise UpdateInvalid("steps", f"the steps rest on more than {MAX_DRAFT_SEGMENTS} segments")


def _check_step(step: Any, path: str) -> int:
    """Return the number of segments that a draft's step names; raises UpdateInvalid."""
    if not isinstance(step, dict):
        raise UpdateInvalid(path, "a step is not an object")
    if unknown := sorted(set(step) - set(_STEP_FIELDS)):
        raise UpdateInvalid(path, f"unknown fields {', '.join(unknown)[:100]}")
    heading = step.get("heading")
    if not isinstance(heading, str) or len(heading) > MAX_HEADING_CHARACTERS:
        message = f"heading is not a string of at most {MAX_HEADING_CHARACTERS} characters"
        raise UpdateInvalid(f"{path}.heading", message)
    for name in _STEP_TIMES:
        if not _is_whole(step.get(name), MAX_TIME_MS):
            raise UpdateInvalid(f"{path}.{name}", f"{name} is not a whole number from 0 to {MAX_TIME_MS}")
    if step["end_ms"] < step["start_ms"]:
        raise UpdateInvalid(f"{path}.end_ms", "end_ms is before start_ms")
    segments = step.get("segments", [])
    if not isinstance(segments, list):
        raise UpdateInvalid(f"{path}.segments", "segments is not a list")
    for number, position in enumerate(segments):
        if not _is_whole(position, MAX_SEGMENTS - 1):
            raise UpdateInvalid(f"{path}.segments.{number}", "this is not the position of a segment")
    if not isinstance(step.get("needs_review", False), bool):
        raise UpdateInvalid(f"{path}.needs_review", "needs_review is not true or false")
    _check_frames(step.get("frames", []), f"{path}.frames")
    return len(segments)


def _check_frames(frames: Any, path: str) -> None:
    if not isinstance(frames, list) or len(frames) > MAX_STEP_FRAMES:
        raise UpdateInvalid(path, f"frames is not a list of at most {MAX_STEP_FRAMES}")
    for number, frame in enumerate(frames):
        if not isinstance(frame, dict) or set(frame) != _FRAME_FIELDS:
            raise UpdateInvalid(f"{path}.{number}", "a frame is an object with pts and frame_sha256")
        pts = frame["pts"]
        if not isinstance(pts, int) or isinstance(pts, bool) or abs(pts) > MAX_PTS:
            raise UpdateInvalid(f"{path}.{number}.pts", "pts is not a whole number up to 2^53")
        if not isinstance(frame["frame_sha256"], str) or not _SHA256.fullmatch(frame["frame_sha256"]):
            raise UpdateInvalid(f"{path}.{number}.frame_sha256", "this is not a SHA-256 in hex")


def _is_whole(value: Any, limit: int) -> bool:
    # In Python a bool is an int, but true is not a number.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit


CHECKS = {"screen": check_screen, "transcript": check_transcript, "draft": check_draft}


def _object(title: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the JSON Schema of an object with these fields and no others."""
    schema = {"title": title, "type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)}


def _text(limit: int, at_least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": at_least, "maxLength": limit, "pattern": r"^[^\u0000]*$"}


_TIME = {"type": "integer", "minimum": 0, "maximum": MAX_TIME_MS}
_SEGMENT = _object(
    "SubmittedSegment",
    {
        "start_ms": _TIME,
        "end_ms": _TIME,
        "text": _text(MAX_TEXT_CHARACTERS),
        "word_starts_ms": {"type": "array", "items": _TIME, "maxItems": MAX_TEXT_CHARACTERS},
    },
    *SEGMENT_FIELDS,
)
_TRANSCRIPT = _object(
    "SubmittedTranscript",
    {
        "language": _text(MAX_LANGUAGE_CHARACTERS, 2) | {"pattern": f"^{LANGUAGE_TAG.pattern}$"},
        "recogniser": {"type": "string", "pattern": f"^{RECOGNISER_NAME.pattern}$"},
        "segments": {"type": "array", "items": _SEGMENT, "maxItems": MAX_SEGMENTS},
    },
    "segments",
)
_DRAFT_TEXTS = {name: {**_text(limit), "type": ["string", "null"]} for name, limit in DRAFT_FIELDS.items()}
_POSITION = {"type": "integer", "minimum": 0, "maximum": MAX_SEGMENTS - 1}
_FRAME = _object(
    "SubmittedFrame",
    {
        "pts": {"type": "integer", "minimum": -MAX_PTS, "maximum": MAX_PTS},
        "frame_sha256": {"type": "string", "pattern": f"^{_SHA256.pattern}$"},
    },
    *sorted(_FRAME_FIELDS),
)
_STEP = _object(
    "SubmittedStep",
    {
        "heading": _text(MAX_HEADING_CHARACTERS),
        "start_ms": _TIME,
        "end_ms": _TIME,
        "segments": {"type": "array", "items": _POSITION, "maxItems": MAX_DRAFT_SEGMENTS},
        "needs_review": {"type": "boolean"},
        "frames": {"type": "array", "items": _FRAME, "maxItems": MAX_STEP_FRAMES},
    },
    "heading",
    *_STEP_TIMES,
)
_DRAFT = _object(
    "SubmittedDraft",
    {
        "markdown": _text(MAX_MARKDOWN_BYTES, 1),
        "steps": {"type": "array", "items": _STEP, "maxItems": MAX_DRAFT_STEPS},
        **_DRAFT_TEXTS,
    },
    "markdown",
)
JSON_SCHEMA: dict[str, Any] = {
    "title": "ArtifactUpdates",
    "type": "object",
    "properties": {
        **dict.fromkeys(URI_KEYS, _text(MAX_URI_CHARACTERS, 1)),
        "metrics": {},
        "transcript": _TRANSCRIPT,
        "draft": _DRAFT,
    },
    "propertyNames": {"minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
    "maxProperties": MAX_KEYS,
    "additionalProperties": True,
    "description": "Other keys are kept as they are. A URI of our own storage is one of this job.",
}
