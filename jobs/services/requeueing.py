"""Requeueing of the work that is done for a job, of every app's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from config.api import errors
from config.work.requeue import requeue_row
from jobs.models import Job
from jobs.services.audit import Attribution, record_event
from jobs.services.transitions import lock_job

Allows = Callable[[Job, Any], None]
"""Raise ApiError unless a failed row may be opened again now; the job is locked."""


def never_again(job: Job, row: Any) -> None:
    """Raise the 409 of a kind of work that, once failed, is begun by another action: its job's retry, or its own."""
    raise errors.conflict(
        "FSM_TRANSITION_INVALID",
        "This work has failed, and is not opened again by itself.",
        hint="Retry its job, or render its export again.",
        current_status=row.status,
        attempted_status=row.WAITING,
        allowed_next_statuses=[],
    )


def requeue_work(*, row: Any, by: Attribution, allows: Allows) -> None:
    """Have a row performed that waits, or has failed and may be opened again; `row` is as the caller has seen it.

    Raise what `allows` raises, and the 409 of a row that has moved on since.
    """
    with transaction.atomic():
        job = lock_job(row.job_id)
        if row.status == row.FAILED:
            allows(job, row)
        requeue_row(row)
        data = {"work": row._meta.verbose_name, "work_id": str(row.pk), "was": row.status}
        record_event(job, "WORK_REQUEUED", by=by, data=data)
