"""The local pipeline: the order of its stages, and what is reported of each.

Our own workers report like any orchestrator, by callback. Each stage stores its artifact before it reports, so
that a crash or a retry repeats at most one stage.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs import hooks
from jobs.models import Job, PipelineRun
from jobs.services.callbacks import StatusReport, apply_callback, canonical_sha256
from jobs.states import ActorType, JobStatus

# (status while working, status when done), in order. Who performs a stage is registered in `hooks.STAGES`.
STAGES = (
    (JobStatus.AUDIO_EXTRACTING, JobStatus.AUDIO_READY),
    (JobStatus.TRANSCRIBING, JobStatus.TRANSCRIPT_READY),
    (JobStatus.GENERATING, JobStatus.DRAFT_READY),
)
ORDER = (JobStatus.UPLOADED, *(status for stage in STAGES for status in stage))


def perform_run(run: PipelineRun, lease: Lease) -> None:
    """Perform every stage that the job has still before it."""
    for working, done in STAGES:
        job = Job.objects.get(pk=run.job_id)
        if job.status not in ORDER:  # cancelled
            raise LeaseLost
        if ORDER.index(job.status) >= ORDER.index(done):
            continue
        lease.report(0.0)  # of this stage
        has_begun = job.status == working == JobStatus.AUDIO_EXTRACTING and run.attempt == 1
        if not has_begun:  # `run` itself has begun the very first stage
            _report(job, run, lease, working)
        updates = _perform_stage(working, job, lease)
        _report(job, run, lease, done, updates=updates)


def _perform_stage(working: JobStatus, job: Job, lease: Lease) -> dict[str, Any]:
    try:
        return hooks.STAGES[working](job, lease)
    except WorkFailed as failure:
        raise WorkFailed(failure.code, failure.message, stage=working) from failure


def fail_run(run: PipelineRun, failure: WorkFailed, *, lease: Lease) -> None:
    """Report FAILED for the stage that the job is in."""
    job = Job.objects.get(pk=run.job_id)
    fields = {
        "failure_code": failure.code,
        "failure_message": failure.message,
        "failed_stage": failure.stage or job.status,
        "correlation_id": run.correlation_id,
    }
    _report(job, run, lease, JobStatus.FAILED, failure=fields)


def _report(
    job: Job,
    run: PipelineRun,
    lease: Lease,
    status: JobStatus,
    *,
    updates: dict[str, Any] | None = None,
    failure: dict[str, str] | None = None,
) -> None:
    now = timezone.now()
    event_id = f"{run.dispatch_id}:{run.attempt}:{status}"
    payload = {"event_id": event_id, "artifact_updates": updates or {}, "failure": failure}
    report = StatusReport(
        event_id=event_id,
        status=status,
        # Clocks of two machines may differ; a run's own reports are in order by construction.
        occurred_at=max(now, job.latest_applied_occurred_at or now),
        correlation_id=run.correlation_id,
        actor_type=ActorType.SYSTEM,
        artifact_updates=updates or {},
        failure=failure,
        payload_sha256=canonical_sha256(payload),
    )
    lease.wait_for_locks(
        lambda: apply_callback(job_id=job.pk, dispatch_id=str(run.dispatch_id), lease=lease, report=report)
    )
