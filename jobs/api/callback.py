"""The orchestrator's door: one route, its own secret, no user."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.endpoint import Endpoint
from config.api.ownership import parse_id
from config.api.schema import Answers
from config.api.serializers import read_body
from jobs.api.examples import REPORT_STATUS
from jobs.api.serializers import CallbackBody, CallbackQuery, ReplaySerializer
from jobs.api.updates import FAILURE_FIELDS, URI_KEYS
from jobs.services.callbacks import Report, apply_callback, canonical_sha256
from jobs.states import Actor, JobStatus

FUTURE_LIMIT = timedelta(minutes=5)


class CallbackSecret(BaseAuthentication):
    """Constant-time comparison with each valid secret; no secret configured is always a refusal."""

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


def read_report(body: dict[str, Any], payload: dict[str, Any]) -> Report:
    """A validated body as a Report; raises the 400s that look at more than one field."""
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
    return Report(
        event_id=body["event_id"],
        status=JobStatus(body["status"]),
        occurred_at=body["occurred_at"],
        correlation_id=body["correlation_id"],
        actor=Actor(body["actor_type"]),
        artifact_updates=body["artifact_updates"],
        failure=failure if failed else None,
        payload_sha256=canonical_sha256(payload),
    )


class Callback(Endpoint):
    queries = {"POST": CallbackQuery}
    authentication_classes = [CallbackSecret]
    permission_classes: list[Any] = []

    @extend_schema(
        operation_id="reportStatus",
        summary="Report how a dispatch goes",
        auth=[{"callbackSecret": []}],  # type: ignore[list-item]
        request=CallbackBody,
        responses=Answers(
            {200: ReplaySerializer, 204: None},
            (
                "CALLBACK_UNAUTHENTICATED",
                "FSM_TRANSITION_INVALID",
                "FSM_TERMINAL_IMMUTABLE",
                "EVENT_ID_PAYLOAD_MISMATCH",
                "CALLBACK_OUT_OF_ORDER",
                "ARTIFACT_IMMUTABLE",
                "DISPATCH_SUPERSEDED",
                "STORAGE_FULL",
            ),
        ),
        examples=REPORT_STATUS,
    )
    def post(self, request: Request, job_id: str) -> HttpResponse:
        report = read_report(read_body(CallbackBody, request), dict(request.data))
        replay = apply_callback(
            job_id=parse_id(job_id), report=report, dispatch_id=self.query.get("dispatch_id")
        )
        if replay is None:
            return HttpResponse(status=204)
        content = {"job_id": job_id, "event_id": report.event_id, "replayed": True, **vars(replay)}
        return Response(ReplaySerializer(content).data)
