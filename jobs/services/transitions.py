"""The one way a job changes its status: check against the table, move, count the revision, write the audit event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from config.api import errors, request_id
from jobs import hooks, states
from jobs.models import AuditEvent, Job, User
from jobs.states import Actor, JobStatus

EVENTS = {
    "upload": "JOB_UPLOAD_STARTED",
    "confirm_upload": "JOB_UPLOAD_CONFIRMED",
    "run": "JOB_RUN",
    "report": "JOB_STATUS_REPORTED",
    "open_document": "JOB_DOCUMENT_OPENED",
    "regenerate": "JOB_REGENERATE_STARTED",
    "finish_regenerate": "JOB_REGENERATE_FINISHED",
    "export": "EXPORT_REQUESTED",
    "finish_export": "EXPORT_SUCCEEDED",
    "fail_export": "EXPORT_FAILED",
    "fail": "JOB_FAILED",
    "cancel": "JOB_CANCELLED",
    "retry": "JOB_RETRIED",
}


@dataclass(frozen=True)
class By:
    """Who does it: the actor's type, and a user's id where there is one."""

    actor: Actor
    actor_id: str = ""
    correlation_id: str = ""


SYSTEM = By(Actor.SYSTEM)


def by_editor(user: User) -> By:
    return By(Actor.EDITOR, str(user.pk))


def lock_job(job_id: UUID) -> Job:
    """The job's row, locked until the transaction ends: the first lock of every write."""
    return Job.objects.select_for_update(of=("self",)).get(pk=job_id)


def require(job: Job, verb: str, target: str, *, actor: Actor) -> None:
    """Raise the contract's 409 unless the table lets `verb` take this job to `target`."""
    if not states.is_allowed(verb, job.status, target):
        reports = verb == "report"
        allowed = states.allowed_reports(job.status) if reports else states.allowed_next(job.status, actor)
        raise transition_refused(job, attempted=target, allowed=allowed)


def transition_refused(job: Job, *, attempted: str, allowed: list[str] | None = None) -> errors.ApiError:
    terminal = job.status in states.TERMINAL
    return errors.conflict(
        "FSM_TERMINAL_IMMUTABLE" if terminal else "FSM_TRANSITION_INVALID",
        f"The job is {job.status} and stays so."
        if terminal
        else f"A job that is {job.status} cannot do this now.",
        current_status=job.status,
        attempted_status=attempted,
        allowed_next_statuses=allowed
        if allowed is not None
        else states.allowed_next(job.status, Actor.EDITOR),
    )


def move_job(
    job: Job,
    verb: str,
    *,
    by: By,
    target: JobStatus | None = None,
    occurred_at: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Make one transition of a locked job and write it down. Raises the 409 of the contract."""
    to = target or states.rows(verb)[0].target
    require(job, verb, to, actor=by.actor)
    previous = job.status
    getattr(job, verb)(*([to] if target else []))
    save_job(job, "status", "manifest", "failure", "dispatch", "instruction_id", "latest_applied_occurred_at")
    event = "JOB_FAILED" if to == JobStatus.FAILED else EVENTS[verb]
    record_event(
        job, event, by=by, prev_status=previous, new_status=job.status, occurred_at=occurred_at, data=data
    )
    if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        for ended in hooks.JOB_ENDED:
            ended(job)


def save_job(job: Job, *fields: str) -> None:
    """Write fields of a locked job; every write that a client can see counts the revision up."""
    job.revision += 1
    job.updated_at = timezone.now()
    job.save(update_fields=[*fields, "revision", "updated_at"])


def record_event(
    job: Job,
    event_type: str,
    *,
    by: By,
    prev_status: str = "",
    new_status: str = "",
    occurred_at: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    AuditEvent.objects.create(
        job_id=job.pk,
        project_id=job.project_id,
        event_type=event_type,
        actor_type=by.actor,
        actor_id=by.actor_id,
        prev_status=prev_status,
        new_status=new_status,
        occurred_at=occurred_at or timezone.now(),
        correlation_id=by.correlation_id or request_id.current(),
        data=data or {},
    )
