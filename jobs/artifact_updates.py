"""What a callback's `artifact_updates` may hold (the contract's section 4): the keys, their limits, their checks.

The one source of the service that applies them and of the API description.
"""

from __future__ import annotations

from typing import Any

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

# What is read, because rows of ours are made from it; sent by URI, in place of one, or beside one: then the content
# counts, and the manifest shows the URI.
CONTENT_KINDS = ("transcript", "draft")
# The kinds whose newest URI the manifest shows.
MANIFEST_KINDS = ("audio", *CONTENT_KINDS)
URI_KEYS = ("video_uri", *(f"{kind}_uri" for kind in MANIFEST_KINDS), "export_uri")
# Others are kept as they are.
KNOWN_KEYS = frozenset({*URI_KEYS, *CONTENT_KINDS, "metrics"})
MAX_KEYS = 100
MAX_KEY_CHARACTERS = 64
MAX_URI_CHARACTERS = 2048
MAX_MARKDOWN_BYTES = 2**20
# The fields of a draft beside its markdown, and the most characters of each.
DRAFT_FIELDS = dict.fromkeys(("title", "model_profile_id", "prompt_template_id", "prompt_params_ref"), 128)


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


def check_draft(content: Any) -> dict[str, Any]:
    """Return a draft as it is; raises UpdateInvalid."""
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise UpdateInvalid("markdown", "markdown is missing")
    if unknown := sorted(set(content) - {"markdown", *DRAFT_FIELDS}):
        raise UpdateInvalid("", f"unknown fields {', '.join(unknown)[:100]}")
    for name, limit in DRAFT_FIELDS.items():
        value = content.get(name)
        if value is not None and not isinstance(value, str):
            raise UpdateInvalid(name, f"{name} is not a string")
        if len(value or "") > limit:
            raise UpdateInvalid(name, f"{name} has more than {limit} characters")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > MAX_MARKDOWN_BYTES:
        raise UpdateInvalid("markdown", "markdown is empty or over 1 MiB")
    return content


CHECKS = {"transcript": check_transcript, "draft": check_draft}


def _object(title: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the JSON Schema of an object with these fields and no others."""
    schema = {"title": title, "type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)}


def _text(limit: int, at_least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": at_least, "maxLength": limit, "pattern": r"^[^\u0000]*$"}


_TIME = {"type": "integer", "minimum": 0, "maximum": MAX_TIME_MS}
_SEGMENT = _object(
    "SubmittedSegment",
    {"start_ms": _TIME, "end_ms": _TIME, "text": _text(MAX_TEXT_CHARACTERS)},
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
_DRAFT = _object("SubmittedDraft", {"markdown": _text(MAX_MARKDOWN_BYTES, 1), **_DRAFT_TEXTS}, "markdown")
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
