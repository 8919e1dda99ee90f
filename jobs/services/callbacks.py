"""What an orchestrator reports: ledger, order, table, apply, in one transaction with the job locked.

The local pipeline reports through here too; to the state machine it is one more orchestrator.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
import structlog
from django.db import transaction

from config.api import errors
from config.api.canonical import canonical_json
from config.compiled import prepared_cursor
from config.work.lease import Lease
from config.work.models import WorkFailed
from jobs.artifact_updates import READ_KINDS
from jobs.models import CallbackEvent, Dispatch, Job
from jobs.services.artifacts import (
    MILESTONE_STATUSES,
    Ingestion,
    SubmittedContent,
    add_artifacts,
    ingest,
    new_artifacts,
    prepare_ingestions,
    read_contents,
    read_earlier,
)
from jobs.services.audit import Attribution
from jobs.services.dispatches import accept, close_dispatch
from jobs.services.rows import RowInsert
from jobs.services.transitions import lock_job, move_job, require_transition
from jobs.states import ActorType, JobStatus

log = logging.getLogger(__name__)
_EVENTS = CallbackEvent._meta.db_table


@dataclass(frozen=True)
class StatusReport:
    """A callback's body, valid in form."""

    event_id: str
    status: JobStatus
    occurred_at: datetime
    correlation_id: str
    actor_type: ActorType
    artifact_updates: dict[str, Any]
    failure: dict[str, str] | None
    payload_sha256: str


@dataclass(frozen=True)
class ReplayedEvent:
    """The event was applied before; nothing was written now."""

    current_status: str
    latest_applied_occurred_at: datetime | None


@dataclass(frozen=True)
class _Contents:
    """What was read and prepared before the job was locked."""

    submitted: dict[str, SubmittedContent]
    ingestions: list[Ingestion]


def canonical_sha256(payload: dict[str, Any]) -> str:
    """Return the SHA-256 of the RFC 8785 form; raises a 400 for a number beyond 2^53."""
    try:
        return hashlib.sha256(canonical_json(payload)).hexdigest()
    except rfc8785.CanonicalizationError as error:
        raise errors.invalid(
            "body", "A number is too large to be exact (beyond 2^53).", code="number_range"
        ) from error


def apply_callback(
    *, job_id: UUID, report: StatusReport, dispatch_id: str | None = None, lease: Lease | None = None
) -> ReplayedEvent | None:
    """Apply one event, or say that it was applied before. Raises the 400s, 404 and 409s of the contract.

    With a `lease` (the local pipeline) the fencing check is part of the transaction: LeaseLost.
    """
    contents = _Contents({}, [])
    if _has_content(report) or report.status in MILESTONE_STATUSES:
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            raise errors.not_found()
        _require_current_dispatch(job, dispatch_id)
        if (replayed := _replayed(job, report)) is not None:
            return replayed
        contents = _read(job, report)
    refusal: errors.ApiError | None = None
    with transaction.atomic():
        job = lock_job(job_id)
        _require_current_dispatch(job, dispatch_id)
        if (replayed := _replayed(job, report)) is not None:
            return replayed
        if _proves_acceptance(job, is_named=dispatch_id is not None):
            try:
                with transaction.atomic():
                    _advance(job, report, contents, lease)
            except errors.ApiError as error:  # the proof stands, whatever becomes of the report
                refusal = error
        else:
            _advance(job, report, contents, lease)
    if refusal:
        raise refusal
    _log_applied(job_id, report)
    return None


def _log_applied(job_id: UUID, report: StatusReport) -> None:
    said = {"job_id": str(job_id), "event_id": report.event_id, "status": str(report.status)}
    with structlog.contextvars.bound_contextvars(payload_sha256=report.payload_sha256, **said):
        log.info("callback applied")


def _proves_acceptance(job: Job, *, is_named: bool) -> bool:
    """Move the job on first when its dispatch still waits for an answer: a report proves that it was accepted.

    So was one that was refused, if the report names it: whoever refused is at work all the same.
    """
    if job.status not in (JobStatus.UPLOADED, JobStatus.FAILED) or job.dispatch_id is None:
        return False
    dispatch = Dispatch.objects.select_for_update(of=("self",)).get(pk=job.dispatch_id)
    if dispatch.accepted_at is not None or not (dispatch.is_open or is_named):
        return False
    accept(job, dispatch)
    return True


def _advance(job: Job, report: StatusReport, contents: _Contents, lease: Lease | None) -> None:
    if lease:
        lease.verify()  # first: a worker whose job was cancelled has lost it, and is not out of order
    _require_order(job, report)
    require_transition(job, "report", report.status, actor_type=report.actor_type)
    _apply(job, report, contents)


def _has_content(report: StatusReport) -> bool:
    return any(
        kind in report.artifact_updates or f"{kind}_uri" in report.artifact_updates for kind in READ_KINDS
    )


def _read(job: Job, report: StatusReport) -> _Contents:
    submitted = read_contents(job.pk, report.artifact_updates)
    readable = {kind: content for kind, content in submitted.items() if content.value is not None}
    ingestions = prepare_ingestions(job, report.status, read_earlier(job, report.status) | readable)
    return _Contents(submitted, ingestions)


def _replayed(job: Job, report: StatusReport) -> ReplayedEvent | None:
    # By hand, for a queryset takes four times as long to say the same.
    cursor = prepared_cursor()
    cursor.execute(
        f"SELECT payload_sha256 FROM {_EVENTS} WHERE job_id = %s AND event_id = %s",  # our table  # nosec B608
        [job.pk, report.event_id],
    )
    known = cursor.fetchone()
    if known is None:
        return None
    if known[0] != report.payload_sha256:
        raise errors.conflict(
            "EVENT_ID_PAYLOAD_MISMATCH",
            "This event_id was used with another payload.",
            event_id=report.event_id,
        )
    return ReplayedEvent(job.status, job.latest_applied_occurred_at)


def _require_current_dispatch(job: Job, dispatch_id: str | None) -> None:
    if dispatch_id is not None and dispatch_id != str(job.dispatch_id):
        raise errors.conflict(
            "DISPATCH_SUPERSEDED",
            "This is a report of an execution that is not the job's current one.",
            dispatch_id=dispatch_id,
            current_dispatch_id=str(job.dispatch_id) if job.dispatch_id else None,
        )


def _require_order(job: Job, report: StatusReport) -> None:
    latest = job.latest_applied_occurred_at
    if latest is not None and report.occurred_at < latest:
        raise errors.conflict(
            "CALLBACK_OUT_OF_ORDER",
            "A later event was applied already.",
            latest_applied_occurred_at=latest.isoformat().replace("+00:00", "Z"),
            current_status=job.status,
            attempted_status=report.status,
        )


def _apply(job: Job, report: StatusReport, contents: _Contents) -> None:
    updates = report.artifact_updates
    if "video_uri" in updates and updates["video_uri"] != job.manifest.get("video_uri"):
        raise errors.conflict("ARTIFACT_IMMUTABLE", "A job's video never changes.", key="video_uri")
    artifacts = add_artifacts(job, new_artifacts(job, updates, contents.submitted))
    ingest(job, contents.ingestions)
    if report.status == JobStatus.DRAFT_READY and "draft" not in job.ingested_uris:
        raise errors.invalid("artifact_updates.draft_uri", "DRAFT_READY needs a draft that can be read.")
    job.latest_applied_occurred_at = report.occurred_at
    job.failure = report.failure
    ledger = CallbackEvent(
        job_id=job.pk,
        event_id=report.event_id,
        payload_sha256=report.payload_sha256,
        status=report.status,
        occurred_at=report.occurred_at,
    )
    move_job(
        job,
        "report",
        target=report.status,
        by=Attribution(report.actor_type, correlation_id=report.correlation_id),
        occurred_at=report.occurred_at,
        data={"event_id": report.event_id, "artifacts": sorted(updates)},
        with_rows=[RowInsert.of(ledger), *artifacts],
    )
    if report.status == JobStatus.DRAFT_READY:
        close_dispatch(job)
    elif report.failure:
        code, message = report.failure["failure_code"], report.failure["failure_message"]
        close_dispatch(job, failure=WorkFailed(code, message, stage=report.failure["failed_stage"]))
