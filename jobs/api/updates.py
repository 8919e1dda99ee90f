"""JSON Schema of what a callback may bring (the contract's section 4), for the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

FAILURE_FIELDS = ("failure_code", "failure_message", "failed_stage")
URI_KEYS = ("video_uri", "audio_uri", "transcript_uri", "draft_uri", "export_uri")
_TEXT: dict[str, Any] = {"type": "string"}
_TRANSCRIPT = {
    "type": "object",
    "properties": {
        "language": _TEXT,
        "segments": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "start_ms": {"type": "integer"}, "end_ms": {"type": "integer"}, "text": _TEXT,
                },
                "required": ["start_ms", "end_ms", "text"],
            },
        },
    },
    "required": ["segments"],
}  # fmt: skip
_DRAFT = {
    "type": "object",
    "properties": {
        "markdown": _TEXT, "title": _TEXT, "model_profile_id": _TEXT, "prompt_template_id": _TEXT,
        "prompt_params_ref": _TEXT,
    },
    "required": ["markdown"],
    "additionalProperties": False,
}  # fmt: skip
_URI = {"type": "string", "minLength": 1, "maxLength": 2048}
_UPDATES = {**dict.fromkeys(URI_KEYS, _URI), "metrics": {}, "transcript": _TRANSCRIPT, "draft": _DRAFT}


@extend_schema_field(
    {
        "type": "object",
        "properties": _UPDATES,
        "propertyNames": {"minLength": 1, "maxLength": 64},
        "additionalProperties": True,
        "description": "Other keys are kept as they are. A URI of our own storage is one of this job.",
    }
)
class UpdatesField(serializers.DictField):
    """Checked by the callback service, which reads what the URIs name."""
