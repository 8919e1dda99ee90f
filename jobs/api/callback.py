"""The authentication of a callback, and the checks of its body."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from config.api import errors
from jobs.api.updates import FAILURE_FIELDS
from jobs.artifact_updates import URI_KEYS
from jobs.services.callbacks import StatusReport, canonical_sha256
from jobs.states import ActorType, JobStatus

FUTURE_LIMIT = timedelta(minutes=5)


class CallbackSecret(BaseAuthentication):
    """Compares the header with each valid secret in constant time; without any configured secret, refuses all."""

    def authenticate(self, request: Request) -> None:
        given = request.headers.get("X-Callback-Secret", "").encode()
        valid = [hmac.compare_digest(given, secret.encode()) for secret in settings.CALLBACK_SECRETS]
        if not any(valid):
            raise errors.ApiError(
                401,
                "CALLBACK_UNAUTHENTICATED",
                "The callback secret is missing or wrong.",
                hint="Send X-Callback-Secret.",
            )


def read_report(body: dict[str, Any], payload: dict[str, Any]) -> StatusReport:
    """Return a validated body as a StatusReport; raise the 400s that concern more than one field."""
    if body["occurred_at"] > timezone.now() + FUTURE_LIMIT:
        raise errors.invalid("occurred_at", "The time is more than 5 minutes in the future.")
    given = [name for name in FAILURE_FIELDS if body.get(name)]
    failed = body["status"] == JobStatus.FAILED
    if failed and len(given) < 3:
        missing = [name for name in FAILURE_FIELDS if name not in given]
        raise errors.validation_error(
            [{"field": name, "code": "required", "message": "FAILED needs this field."} for name in missing]
        )
    if given and not failed:
        raise errors.invalid(given[0], "Only FAILED takes the failure fields.")
    for key, value in body["artifact_updates"].items():
        if not 1 <= len(key) <= 64:
            raise errors.invalid("artifact_updates", "A key has 1 to 64 characters.")
        if key in URI_KEYS and (not isinstance(value, str) or not 1 <= len(value) <= 2048):
            raise errors.invalid(f"artifact_updates.{key}", "A URI is a string of 1 to 2048 characters.")
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
        failure=failure if failed else None,
        payload_sha256=canonical_sha256(payload),
    )
