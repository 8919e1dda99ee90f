"""Documents as the API shows them."""

from __future__ import annotations

from typing import Any

from jobs.states import JobStatus
from tests.factories import Api, make_job


def make_document(api: Api, status: JobStatus = JobStatus.DRAFT_READY) -> dict[str, Any]:
    job = make_job(status, owner=api.user)
    found: dict[str, Any] = api.get(f"/instructions/{job.instruction_id}").json()
    return found
