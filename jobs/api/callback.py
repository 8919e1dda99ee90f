"""The authentication of a callback, and its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from config.api import errors
from config.api.callback_secret import is_callback_secret, require_callback_secret
from config.api.ownership import NOBODY, parse_id
from config.api.serializers import StrictSerializer
from jobs.api.updates import FAILURE_FIELDS, UpdatesField
from jobs.artifact_updates import MAX_KEY_CHARACTERS, MAX_KEYS, MAX_URI_CHARACTERS, URI_KEYS
from jobs.models import RefusedCallback
from jobs.services.callbacks import StatusReport, canonical_sha256
from jobs.states import ActorType, JobStatus

FUTURE_LIMIT = timedelta(minutes=5)
MAX_EVENT_ID = 255


class CallbackSecret(BaseAuthentication):
    """Raises 401 without a valid secret; who knows one has no name."""

    def authenticate(self, request: Request) -> None:
        require_callback_secret(request.headers.get("X-Callback-Secret", ""))


def is_from_orchestrator(request: Request) -> bool:
    return is_callback_secret(request.headers.get("X-Callback-Secret", ""))


class CallbackQuery(StrictSerializer):
    dispatch_id = serializers.CharField(
        trim_whitespace=False,
        required=False,
        max_length=64,
        help_text="As it stood in the dispatch's callback_url.",
    )


class CallbackBody(StrictSerializer):
    schema_rules = {
        "if": {"properties": {"status": {"const": JobStatus.FAILED.value}}},
        "then": {"required": list(FAILURE_FIELDS)},
        "else": {"not": {"anyOf": [{"required": [name]} for name in FAILURE_FIELDS]}},
    }

    event_id = serializers.CharField(max_length=MAX_EVENT_ID, trim_whitespace=False)
    status = serializers.ChoiceField(JobStatus.choices)
    occurred_at = serializers.DateTimeField()
    correlation_id = serializers.CharField(max_length=128, trim_whitespace=False)
    actor_type = serializers.ChoiceField(
        [ActorType.ORCHESTRATOR, ActorType.SYSTEM], default=ActorType.ORCHESTRATOR
    )
    artifact_updates = UpdatesField(default=dict)
    failure_code = serializers.RegexField(r"^[A-Z][A-Z0-9_]{0,63}$", required=False)
    failure_message = serializers.CharField(max_length=500, required=False)
    failed_stage = serializers.CharField(max_length=64, required=False)


class CallbackReplaySerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    event_id = serializers.CharField()
    replayed = serializers.BooleanField()
    current_status = serializers.ChoiceField(JobStatus.choices)
    latest_applied_occurred_at = serializers.DateTimeField(allow_null=True)


def read_report(body: dict[str, Any], payload: dict[str, Any]) -> StatusReport:
    """Return a validated body as a StatusReport; raise a 400 that names all that is wrong between its fields."""
    if wrong := [*_wrong_times(body), *_wrong_failure(body), *_wrong_updates(body["artifact_updates"])]:
        raise errors.validation_error(wrong)
    is_failure = body["status"] == JobStatus.FAILED
    failure = {name: body.get(name, "") for name in FAILURE_FIELDS} | {
        "correlation_id": body["correlation_id"]
    }
    return StatusReport(
        event_id=body["event_id"],
        status=JobStatus(body["status"]),
        occurred_at=body["occurred_at"],
        correlation_id=body["correlation_id"],
        actor_type=ActorType(body["actor_type"]),
        artifact_updates=body["artifact_updates"],
        failure=failure if is_failure else None,
        payload_sha256=canonical_sha256(payload),
    )


def _wrong_times(body: dict[str, Any]) -> Iterator[dict[str, str]]:
    if body["occurred_at"] > timezone.now() + FUTURE_LIMIT:
        yield _wrong("occurred_at", "The time is more than 5 minutes in the future.")


def _wrong_failure(body: dict[str, Any]) -> Iterator[dict[str, str]]:
    is_failure = body["status"] == JobStatus.FAILED
    for name in FAILURE_FIELDS:
        if is_failure and not body.get(name):
            yield _wrong(name, "FAILED needs this field.", code="required")
        elif not is_failure and body.get(name):
            yield _wrong(name, "Only FAILED takes the failure fields.")


def _wrong_updates(updates: dict[str, Any]) -> Iterator[dict[str, str]]:
    if len(updates) > MAX_KEYS:
        yield _wrong("artifact_updates", f"It has more than {MAX_KEYS} keys.", code="too_many")
    if not all(1 <= len(key) <= MAX_KEY_CHARACTERS for key in updates):
        yield _wrong("artifact_updates", f"A key has 1 to {MAX_KEY_CHARACTERS} characters.")
    for key in URI_KEYS:
        uri = updates.get(key, "-")
        if not isinstance(uri, str) or not 1 <= len(uri) <= MAX_URI_CHARACTERS:
            message = f"A URI is a string of 1 to {MAX_URI_CHARACTERS} characters."
            yield _wrong(f"artifact_updates.{key}", message)


def _wrong(field: str, message: str, *, code: str = "invalid") -> dict[str, str]:
    return {"field": field, "code": code, "message": message}


def read_refused(request: Request, error: errors.ApiError, dispatch_id: str) -> RefusedCallback:
    """Return what is kept of a callback that was refused, without its job: what has the form of an id or of a status,
    and which of our fields were wrong; nothing else of what was sent."""
    try:
        sent = request.data
    except APIException:  # of another media type
        sent = {}
    sent = sent if isinstance(sent, Mapping) else {}
    event_id, status = sent.get("event_id"), sent.get("status")
    is_id = isinstance(event_id, str) and event_id.isprintable()
    dispatch = parse_id(dispatch_id)
    return RefusedCallback(
        code=error.code,
        message=error.message[:500],
        fields=", ".join(_wrong_fields(error))[:255],
        event_id=str(event_id)[:MAX_EVENT_ID] if is_id else "",
        status=status if status in JobStatus.values else "",
        sent_dispatch_id=None if dispatch == NOBODY else dispatch,
    )


def _wrong_fields(error: errors.ApiError) -> Iterator[str]:
    """Yield each field of the body or the query that is wrong, once, with its kind of error."""
    ours = {*CallbackBody._declared_fields, *CallbackQuery._declared_fields, "body"}
    found = (
        (wrong["field"].split(".")[0].split("[")[0], wrong["code"])
        for wrong in (error.details or {}).get("errors", ())
    )
    yield from dict.fromkeys(f"{name}: {code}" for name, code in found if name in ours)
