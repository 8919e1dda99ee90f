"""The local orchestrator: our own workers perform the stages and report like anybody else, by callback.

Each stage stores its artifact before it reports, so that a crash or a retry repeats at most one stage.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from jobs import hooks
from jobs.models import Dispatch, Job
from jobs.services import callbacks
from jobs.services.callbacks import Report
from jobs.states import Actor, JobStatus
from jobs.work import Lease, LeaseLost, WorkFailed

S = JobStatus
# (status while working, status when done), in order.
STEPS = (
    (S.AUDIO_EXTRACTING, S.AUDIO_READY),
    (S.TRANSCRIBING, S.TRANSCRIPT_READY),
    (S.GENERATING, S.DRAFT_READY),
)
ORDER = (S.UPLOADED, *(status for step in STEPS for status in step))


class Local:
    """Always accepts: the dispatch's own row is what our workers claim."""

    performs_here = True

    def send(self, key: str, payload: dict[str, Any]) -> None:
        return None

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        return None  # the worker sees at its next heartbeat that the row is closed


def perform_stages(dispatch: Dispatch, lease: Lease) -> None:
    """Every stage that the job has still before it."""
    for working, done in STEPS:
        job = Job.objects.get(pk=dispatch.job_id)
        if job.status not in ORDER:  # cancelled
            raise LeaseLost
        if ORDER.index(job.status) >= ORDER.index(done):
            continue
        lease.check()
        if not (working == S.AUDIO_EXTRACTING and job.status == working and dispatch.attempt == 1):
            _report(job, dispatch, lease, working)  # `run` itself has begun the very first stage
        updates = _perform_stage(working, job, lease)
        _report(job, dispatch, lease, done, updates=updates)


def _perform_stage(working: JobStatus, job: Job, lease: Lease) -> dict[str, Any]:
    try:
        return hooks.STAGES[working](job, lease)
    except WorkFailed as failure:
        raise WorkFailed(failure.code, failure.message, stage=working) from failure


def report_failure(dispatch: Dispatch, failure: WorkFailed, *, lease: Lease | None) -> None:
    """Report FAILED for the stage that the job is in."""
    job = Job.objects.get(pk=dispatch.job_id)
    fields = {
        "failure_code": failure.code,
        "failure_message": failure.message,
        "failed_stage": failure.stage or job.status,
        "correlation_id": dispatch.correlation_id,
    }
    _report(job, dispatch, lease, S.FAILED, failure=fields)


def _report(
    job: Job,
    dispatch: Dispatch,
    lease: Lease | None,
    status: JobStatus,
    *,
    updates: dict[str, Any] | None = None,
    failure: dict[str, str] | None = None,
) -> None:
    now = timezone.now()
    # Clocks of two machines may differ; an execution's own reports are in order by construction.
    occurred_at = max(now, job.latest_applied_occurred_at or now)
    event_id = f"{dispatch.pk}:{dispatch.attempt}:{status}"
    payload = {"event_id": event_id, "artifact_updates": updates or {}, "failure": failure}
    callbacks.apply_callback(
        job_id=job.pk,
        dispatch_id=str(dispatch.pk),
        lease=lease,
        report=Report(
            event_id=event_id,
            status=status,
            occurred_at=occurred_at,
            correlation_id=dispatch.correlation_id,
            actor=Actor.SYSTEM,
            artifact_updates=updates or {},
            failure=failure,
            payload_sha256=callbacks.canonical_sha256(payload),
        ),
    )
