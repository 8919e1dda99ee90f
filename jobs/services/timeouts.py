"""Jobs whose orchestrator has not reported for too long."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs import states
from jobs.models import Dispatch, Job
from jobs.services.dispatches import close_dispatch
from jobs.services.messages import ring_cancelled
from jobs.services.transitions import By, lock_job, move_job
from jobs.states import Actor, JobStatus
from jobs.work import WorkFailed

log = logging.getLogger(__name__)

MOST_JOBS = 100  # in one sweep
TIMED_OUT = WorkFailed(
    "JOB_TIMED_OUT", "The orchestrator has not reported for too long. Retry the job, or ask support."
)


def time_out_silent_jobs() -> None:
    """Part of the sweep: fail jobs in a processing status that no worker of ours holds and nobody reports on."""
    limit = timezone.now() - timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)
    is_ours = Q(dispatch__orchestrator="local", dispatch__status__in=[Dispatch.WAITING, Dispatch.RUNNING])
    is_handed_over = Q(
        status=JobStatus.UPLOADED, dispatch__status=Dispatch.RUNNING, dispatch__accepted_at__lt=limit
    )
    is_silent = Q(updated_at__lt=limit) & (Q(status__in=states.PROCESSING) | is_handed_over) & ~is_ours
    for job_id in Job.objects.filter(is_silent).values_list("pk", flat=True)[:MOST_JOBS]:
        try:
            _time_out(job_id)
        except Exception:  # one that cannot be ended holds up no other
            log.exception("job %s could not be timed out", job_id)


def _time_out(job_id: UUID) -> None:
    limit = timezone.now() - timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)
    with transaction.atomic():
        job = lock_job(job_id)
        if job.updated_at >= limit or not states.is_allowed("report", job.status, JobStatus.FAILED):
            return  # it has reported in between
        dispatch = job.dispatch
        correlation_id = dispatch.correlation_id if dispatch else str(job.pk)
        job.failure = {
            "failure_code": TIMED_OUT.code,
            "failure_message": TIMED_OUT.message,
            "failed_stage": job.status,
            "correlation_id": correlation_id,
        }
        move_job(job, "report", by=By(Actor.SYSTEM, correlation_id=correlation_id), target=JobStatus.FAILED)
        if close_dispatch(job, failure=TIMED_OUT) and dispatch:
            ring_cancelled(dispatch)
