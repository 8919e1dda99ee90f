"""What a callback's `artifact_updates` may hold (the contract's section 4): the keys, their limits, their checks.

The one source of the service that applies them and of the API description.
"""

from __future__ import annotations

from typing import Any

from jobs.media.transcripts import SEGMENT_FIELDS, transcript_from_json, transcript_to_json

# What is read, because rows of ours are made from it; sent by URI, or in place of one.
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


def check_transcript(content: Any) -> dict[str, Any]:
    """Return a transcript in the form that is stored; raises ValueError."""
    return transcript_to_json(transcript_from_json(content))


def check_draft(content: Any) -> dict[str, Any]:
    """Return a draft as it is; raises ValueError."""
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise ValueError("markdown is missing")
    if unknown := sorted(set(content) - {"markdown", *DRAFT_FIELDS}):
        raise ValueError(f"unknown fields {', '.join(unknown)[:100]}")
    for name, limit in DRAFT_FIELDS.items():
        value = content.get(name)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is not a string")
        if len(value or "") > limit:
            raise ValueError(f"{name} has more than {limit} characters")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > MAX_MARKDOWN_BYTES:
        raise ValueError("markdown is empty or over 1 MiB")
    return content


CHECKS = {"transcript": check_transcript, "draft": check_draft}


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **more}


_TEXT = {"type": "string"}
_URI = {"type": "string", "minLength": 1, "maxLength": MAX_URI_CHARACTERS}
_SEGMENT = _object({name: {"type": kind} for name, kind in SEGMENT_FIELDS.items()}, *SEGMENT_FIELDS)
_SEGMENTS = {"type": "array", "items": _SEGMENT}
_TRANSCRIPT = _object({"language": _TEXT, "segments": _SEGMENTS}, "segments")
_DRAFT_FIELDS = {"markdown": _TEXT, **dict.fromkeys(DRAFT_FIELDS, _TEXT)}
_DRAFT = _object(_DRAFT_FIELDS, "markdown", additionalProperties=False)
JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(URI_KEYS, _URI),
        "metrics": {},
        "transcript": _TRANSCRIPT,
        "draft": _DRAFT,
    },
    "propertyNames": {"minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
    "maxProperties": MAX_KEYS,
    "additionalProperties": True,
    "description": "Other keys are kept as they are. A URI of our own storage is one of this job.",
}
