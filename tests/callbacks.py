"""What an orchestrator sends: a status report to the callback, over HTTP, with the secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client
from uuid6 import uuid7

from jobs.models import Job

SECRET = "a secret for the tests of the callback"  # every test's; see `conftest.callback_secret`
FAILURE = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": "TRANSCRIBING"}


def send(job: Job, status: str, *, secret: str | None = SECRET, dispatch_id: str = "", **changed: Any) -> Any:
    """Report a status now, under an event id of its own, unless `changed` says otherwise; None leaves a field out."""
    body = {
        "event_id": str(uuid7()),
        "status": status,
        "occurred_at": datetime.now(UTC).isoformat(),
        "correlation_id": "c-1",
        **changed,
    }
    body = {name: value for name, value in body.items() if value is not None}
    return post(job.pk, body, secret=secret, dispatch_id=dispatch_id)


def post(job_id: object, body: Any, *, secret: str | None = SECRET, dispatch_id: str | None = None) -> Any:
    """Post a callback's body as it stands."""
    path = f"/api/v1/internal/jobs/{job_id}/status" + (f"?dispatch_id={dispatch_id}" if dispatch_id else "")
    headers = {} if secret is None else {"x-callback-secret": secret}
    return Client(raise_request_exception=False).post(
        path, body, content_type="application/json", headers=headers
    )
