"""Projects and jobs: create, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from uuid6 import uuid7

from config.accounts.models import User
from config.api import request_id
from config.api.pagination import moment_of
from config.work.models import WorkFailed
from jobs.models import Job, Project
from jobs.services.audit import Attribution, record_event
from jobs.services.dispatches import close_dispatch
from jobs.services.messages import enqueue_cancellation
from jobs.services.transitions import lock_job, move_job
from jobs.states import ActorType


def create_project(*, owner: User, name: str, **key: str) -> Project:
    return Project.objects.create(owner=owner, name=name, **key)


def create_job(*, project: Project, options: dict[str, Any], **key: str) -> Job:
    job_id = uuid7()
    now = moment_of(job_id)  # so that lists, which go by the id, can be narrowed by time
    with transaction.atomic():
        job = Job(id=job_id, project=project, owner_id=project.owner_id, options=options, **key)
        job.created_at = job.updated_at = now
        job.save(force_insert=True)
        by = Attribution(ActorType.EDITOR, str(project.owner_id))
        record_event(job, "JOB_CREATED", by=by, new_status=job.status)
    return job


def cancel_job(*, job_id: UUID, by: Attribution) -> Job:
    """End a job that is not over. What its workers do is stopped at their next heartbeat (2 s)."""
    with transaction.atomic():
        job = lock_job(job_id)
        move_job(job, "cancel", by=by)
        was_open = close_dispatch(job, failure=WorkFailed("JOB_CANCELLED", "The job was cancelled."))
        if was_open and job.dispatch:
            enqueue_cancellation(job.dispatch)
    return job


def fail_job(*, job_id: UUID, by: Attribution) -> Job:
    """End a job that is outside of the pipeline as FAILED, so that its owner can retry it. Raise the contract's 409.

    In the pipeline it is the orchestrator that fails a job, or the time after which its silence is a failure.
    """
    failure = WorkFailed("FAILED_BY_SUPPORT", "Support has ended this job. Retry it, or ask support.")
    with transaction.atomic():
        job = lock_job(job_id)
        job.failure = {
            "failure_code": failure.code,
            "failure_message": failure.message,
            "failed_stage": job.status,
            "correlation_id": by.correlation_id or request_id.current(),
        }
        move_job(job, "fail", by=by)
        if close_dispatch(job, failure=failure) and job.dispatch:
            enqueue_cancellation(job.dispatch)
    return job
