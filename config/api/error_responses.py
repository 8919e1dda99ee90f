"""The error responses in the API description, from the catalogue of error codes.

All have the one schema `Error`. The codes of an operation stand in the text and the examples of each response, so
that they can grow without a change of clients. A status with one code is a shared component.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.error_codes import CODES

REQUEST_ID = "01993c5e-9c32-7e5d-8f74-603b8c9d0e1f"
WAIT = {
    "RATE_LIMITED",
    "ACTIVE_JOB_LIMIT_REACHED",
    "ORCHESTRATOR_DISPATCH_FAILED",
    "SERVICE_UNAVAILABLE",
    "SCREEN_EVENTS_NOT_READY",
}

COUNTED = ["RateLimit", "RateLimit-Policy"]  # of answers to requests that a limit counts


_TEXT = {"type": "string"}
_FIELD_ERROR = {
    "title": "FieldError",
    "type": "object",
    "properties": {"field": _TEXT, "code": _TEXT, "message": _TEXT, "hint": _TEXT},
    "required": ["field", "code", "message"],
}
_FIELD_ERRORS = {"type": "array", "items": _FIELD_ERROR}


@extend_schema_field(
    {
        "title": "ErrorDetails",
        "type": "object",
        "properties": {"errors": _FIELD_ERRORS, "mismatches": _FIELD_ERRORS},
        "additionalProperties": True,
        "description": "What it holds stands with each code.",
    }
)
class DetailsField(serializers.DictField):
    """Facts for programs."""


class ErrorSerializer(serializers.Serializer[Any]):
    """The one shape of every refusal."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = DetailsField(required=False)
    hint = serializers.CharField(required=False)
    request_id = serializers.CharField()


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The request's own id when it sent a well-formed one, else a new one.",
        "schema": {"type": "string"},
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "How to sign in (RFC 9110, section 11.6.1).",
        "schema": {"type": "string", "const": "Bearer"},
        "required": True,
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "RateLimit": {
        "description": "What is left of the limit in its window: `r` requests, which ends in `t` seconds "
        "(draft-ietf-httpapi-ratelimit-headers-10).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limit: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "What to poll, or where the file is.",
        "schema": {"type": "string", "format": "uri-reference"},
        "required": True,
    },
    "ETag": {
        "description": "The version of what is answered. A job has none while its `queue_position` is a number.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'The next page, when there is more: `<...>; rel="next"` (RFC 8288).',
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "The answer is that of an earlier request with this Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
        "required": True,
    },
    "Preference-Applied": {
        "description": "The preference of the request that was followed (RFC 7240, section 3): the answer is a task.",
        "schema": {"type": "string", "const": "respond-async"},
    },
    "Content-Range": {
        "description": "Which bytes of how many these are (RFC 9110, section 14.4).",
        "schema": {"type": "string"},
        "required": True,
    },
    "Content-Disposition": {
        "description": "Whether to show or to save it, and a name for the file (RFC 6266).",
        "schema": {"type": "string"},
        "required": True,
    },
    "Cache-Control": {
        "description": "Who may keep the bytes, and how long (RFC 9111).",
        "schema": {"type": "string"},
        "required": True,
    },
}


def headers(registry: ComponentRegistry, *names: str) -> dict[str, Any]:
    """Return the response headers with these names, as references to shared components."""
    return {name: _shared(registry, ResolvedComponent.HEADER, name, HEADERS[name]) for name in names}


def error_responses(registry: ComponentRegistry, codes: set[str]) -> dict[str, Any]:
    """Return the responses for these codes by status; raise KeyError for a code that is not in the catalogue."""
    ordered = sorted(codes, key=lambda code: (CODES[code].status, list(CODES).index(code)))
    found: dict[str, Any] = {}
    for status, group in groupby(ordered, key=lambda code: CODES[code].status):
        names = list(group)
        response = _response(registry, names)
        if len(names) == 1:
            response = _shared(registry, ResolvedComponent.RESPONSE, names[0], response)
        found[str(status)] = response
    return found


def _response(registry: ComponentRegistry, names: list[str]) -> dict[str, Any]:
    extra = ["WWW-Authenticate"] if "UNAUTHENTICATED" in names else ["Retry-After"] if WAIT & {*names} else []
    extra += COUNTED if {"UNAUTHENTICATED", "RATE_LIMITED"} & {*names} else []
    extra += ["Content-Range"] if "RANGE_NOT_SATISFIABLE" in names else []
    examples = {
        name: _shared(registry, ResolvedComponent.EXAMPLE, name, {"value": _example(name)}) for name in names
    }
    return {
        "description": "\n".join(f"- `{name}`: {_meaning(name)}" for name in names),
        "headers": headers(registry, "X-Request-ID", *extra),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": examples,
            }
        },
    }


def _meaning(name: str) -> str:
    code = CODES[name]
    holds = ", ".join(f"`{key}`" for key in code.details)
    return f"{code.meaning} `details`: {holds}." if holds else code.meaning


def _example(name: str) -> dict[str, Any]:
    code = CODES[name]
    details = {"details": code.details} if code.details else {}
    return {"code": name, "message": code.meaning, **details, "request_id": REQUEST_ID}


def _shared(registry: ComponentRegistry, kind: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    component = ResolvedComponent(name=name, type=kind, schema=content, object=name)
    registry.register_on_missing(component)
    ref: dict[str, Any] = component.ref
    return ref
