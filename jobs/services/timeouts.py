"""Parts of the sweep: jobs and dispatches whose orchestrator has been silent for too long."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.work.models import WorkFailed
from jobs import states
from jobs.models import Dispatch, Job, PipelineRun
from jobs.services.audit import by_system
from jobs.services.dispatches import close_dispatch, give_up_dispatch
from jobs.services.messages import enqueue_cancellation
from jobs.services.transitions import lock_job, move_job
from jobs.states import JobStatus

log = logging.getLogger(__name__)

MAX_ROWS = 100  # in one sweep
TIMED_OUT = WorkFailed(
    "JOB_TIMED_OUT", "The orchestrator has not reported for too long. Retry the job, or ask support."
)


def _limit() -> datetime:
    return timezone.now() - timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)


def time_out_silent_jobs() -> None:
    """Fail jobs in a processing status that no worker of ours performs and nobody reports on."""
    is_ours = Q(dispatch__pipeline_run__status__in=PipelineRun.OPEN)
    silent = Job.objects.filter(~is_ours, updated_at__lt=_limit()).values_list("pk", flat=True)
    processed = silent.filter(status__in=states.PROCESSING)
    # A retry from UPLOADED: the job is where it was, and the orchestrator has it.
    accepted = silent.filter(
        status=JobStatus.UPLOADED, dispatch__status=Dispatch.ACCEPTED, dispatch__accepted_at__lt=_limit()
    )
    # Two queries: with an OR over both tables, no index would serve either.
    for job_id in [*processed[:MAX_ROWS], *accepted[:MAX_ROWS]]:
        try:
            _time_out(job_id)
        except Exception:  # one that cannot be ended holds up no other
            log.exception("job %s could not be timed out", job_id)


def give_up_unanswered_dispatches() -> None:
    """Close dispatches that were sent and have not been answered for too long."""
    unanswered = Dispatch.objects.filter(status=Dispatch.UNANSWERED, updated_at__lt=_limit())
    for dispatch in unanswered.order_by("pk")[:MAX_ROWS]:
        try:
            give_up_dispatch(dispatch)
        except Exception:
            log.exception("dispatch %s could not be given up", dispatch.pk)


def _time_out(job_id: UUID) -> None:
    with transaction.atomic():
        job = lock_job(job_id)
        if job.updated_at >= _limit() or not states.is_allowed("report", job.status, JobStatus.FAILED):
            return  # it has reported in between
        dispatch = job.dispatch
        correlation_id = dispatch.correlation_id if dispatch else str(job.pk)
        job.failure = {
            "failure_code": TIMED_OUT.code,
            "failure_message": TIMED_OUT.message,
            "failed_stage": job.status,
            "correlation_id": correlation_id,
        }
        move_job(job, "report", by=by_system(correlation_id), target=JobStatus.FAILED)
        if close_dispatch(job, failure=TIMED_OUT) and dispatch:
            enqueue_cancellation(dispatch)
