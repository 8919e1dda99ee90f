"""The one way a job changes its status: check against the table, move, count the revision, write the audit event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import JSONField
from django.utils import timezone

from config.api import errors
from config.compiled import prepared_cursor
from config.updates import update_rows
from jobs import hooks, states
from jobs.models import AuditEvent, Job
from jobs.services.audit import Attribution, make_event
from jobs.services.rows import RowInsert, parameter
from jobs.states import ActorType, JobStatus

EVENT_TYPES = {
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
    "fail": AuditEvent.JOB_FAILED,
    "cancel": "JOB_CANCELLED",
    "retry": "JOB_RETRIED",
}

_FIELDS = Job._meta.concrete_fields
_ATTRIBUTES = [field.attname for field in _FIELDS]
_IS_JSON = [isinstance(field, JSONField) for field in _FIELDS]
_TABLE = Job._meta.db_table
_COLUMNS = ", ".join(str(field.column) for field in _FIELDS)
_SELECT = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE id = %s FOR UPDATE"  # our table and columns  # nosec B608
# A transition writes every column, so that no field that a caller has set is lost.
_WRITTEN = [field for field in _FIELDS if not field.primary_key]
_SET = ", ".join(f"{field.column} = %s" for field in _WRITTEN)
_UPDATE = f"UPDATE {_TABLE} SET {_SET} WHERE id = %s"  # our table and columns  # nosec B608


def lock_job(job_id: UUID) -> Job:
    """Lock the job's row until the transaction ends: the first lock of every write. Raises 404."""
    # By hand, for a queryset takes four times as long to say the same.
    cursor = prepared_cursor()
    cursor.execute(_SELECT, [job_id])
    row = cursor.fetchone()
    if row is None:
        raise errors.not_found()
    values = (
        json.loads(value) if is_json and value is not None else value
        for value, is_json in zip(row, _IS_JSON, strict=True)
    )
    return Job.from_db(connection.alias, _ATTRIBUTES, list(values))


def lock_free_jobs(job_ids: Iterable[UUID]) -> dict[UUID, Job]:
    """Lock the rows of these jobs as `lock_job` does, and return them by id, but for those that others have locked:
    who works on many jobs waits for none of them while nobody else gets at the rest."""
    jobs = Job.objects.filter(pk__in=set(job_ids)).select_for_update(skip_locked=True, of=("self",))
    return {job.pk: job for job in jobs}


def require_transition(job: Job, verb: str, target: str, *, actor_type: ActorType) -> None:
    """Raise the contract's 409 unless the table lets `verb` take this job to `target`."""
    if not states.is_allowed(verb, job.status, target):
        is_report = verb == "report"
        allowed = (
            states.allowed_reports(job.status) if is_report else states.allowed_next(job.status, actor_type)
        )
        raise transition_refused(job, attempted=target, allowed=allowed)


def transition_refused(job: Job, *, attempted: str, allowed: list[str] | None = None) -> errors.ApiError:
    """Return the 409 of a transition; `allowed` is what the owner may ask for next unless said."""
    is_terminal = job.status in states.TERMINAL
    is_over, is_not_now = "The job is {} and stays so.", "A job that is {} cannot do this now."
    if allowed is None:
        allowed = states.allowed_next(job.status, ActorType.EDITOR)
    return errors.conflict(
        "FSM_TERMINAL_IMMUTABLE" if is_terminal else "FSM_TRANSITION_INVALID",
        (is_over if is_terminal else is_not_now).format(job.status),
        current_status=job.status,
        attempted_status=attempted,
        allowed_next_statuses=allowed,
    )


def move_job(
    job: Job,
    verb: str,
    *,
    by: Attribution,
    target: JobStatus | None = None,
    occurred_at: datetime | None = None,
    data: dict[str, Any] | None = None,
    with_rows: Iterable[RowInsert] = (),
) -> None:
    """Make one transition of a locked job and write it down. Raises the 409 of the contract.

    The job's row with whatever the caller has set on it, its audit event and `with_rows` are one statement.
    """
    to = target or states.rows(verb)[0].target
    require_transition(job, verb, to, actor_type=by.actor_type)
    previous = str(job.status)
    if to == JobStatus.FAILED and job.failure:  # a retry takes it from the job
        data = (data or {}) | {"failure_code": job.failure["failure_code"]}
    getattr(job, verb)(*([to] if target else []))
    event = make_event(
        job,
        AuditEvent.JOB_FAILED if to == JobStatus.FAILED else EVENT_TYPES[verb],
        by=by,
        prev_status=previous,
        new_status=str(job.status),
        occurred_at=occurred_at,
        data=data,
    )
    _write(job, [RowInsert.of(event), *with_rows])
    if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        for aborted in hooks.JOB_ABORTED:
            aborted(job)


def _write(job: Job, inserts: list[RowInsert]) -> None:
    _touch(job)
    parts = ", ".join(f"part{number} AS ({insert.sql})" for number, insert in enumerate(inserts))
    parameters = [value for insert in inserts for value in insert.parameters]
    parameters += [parameter(field, getattr(job, field.attname)) for field in _WRITTEN]
    prepared_cursor().execute(f"WITH {parts} {_UPDATE}", [*parameters, job.pk])


def save_job(job: Job, *fields: str) -> None:
    """Write fields of a locked job; every write that a client can see counts the revision up."""
    _touch(job)
    job.save(update_fields=[*fields, "revision", "updated_at"])


def save_jobs(jobs: Sequence[Job], *fields: str) -> None:
    """Write fields of locked jobs as `save_job` does, by one statement."""
    for job in jobs:
        _touch(job)
    update_rows(jobs, [*fields, "revision", "updated_at"])


def _touch(job: Job) -> None:
    job.revision += 1
    job.updated_at = timezone.now()
