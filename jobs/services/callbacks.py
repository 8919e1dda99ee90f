"""What an orchestrator reports: ledger, order, table, apply, in one transaction with the job locked.

The local pipeline reports through here too; to the state machine it is one more orchestrator.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from django.db import transaction

from config.api import errors
from config.api.storage import BadUri, TooLarge, kept_folder, read_bytes, storage
from jobs import hooks
from jobs.models import Artifact, CallbackEvent, Job, TranscriptSegment
from jobs.services.jobs import close_dispatch
from jobs.services.transitions import By, lock_job, move_job, require
from jobs.speech import transcript_from_json, transcript_to_json
from jobs.states import Actor, JobStatus
from jobs.work import Lease, WorkFailed

CONTENT_LIMIT = 16 * 2**20
# The kinds whose newest URI the manifest shows; the first two have content that we keep ourselves.
CONTENT_KINDS = ("transcript", "draft")
URI_KINDS = ("audio", *CONTENT_KINDS)


@dataclass(frozen=True)
class Report:
    """One callback's body, valid in form."""

    event_id: str
    status: JobStatus
    occurred_at: datetime
    correlation_id: str
    actor: Actor
    artifact_updates: dict[str, Any]
    failure: dict[str, str] | None
    payload_sha256: str


@dataclass(frozen=True)
class Replay:
    """The event was applied before; nothing was written now."""

    current_status: str
    latest_applied_occurred_at: datetime | None


def canonical_sha256(payload: dict[str, Any]) -> str:
    """SHA-256 of the RFC 8785 form; raises a 400 for a number beyond 2^53."""
    try:
        return hashlib.sha256(rfc8785.dumps(payload)).hexdigest()
    except rfc8785.CanonicalizationError as error:
        raise errors.invalid(
            "body", "A number is too large to be exact (beyond 2^53).", code="number_range"
        ) from error


def apply_callback(
    *, job_id: UUID, report: Report, dispatch_id: str | None = None, lease: Lease | None = None
) -> Replay | None:
    """Apply one event, or answer that it was applied before. Raises the 400s and 409s of the contract.

    With a `lease` (the local pipeline) the fencing check is part of the transaction: LeaseLost.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise errors.not_found()
    contents: dict[str, dict[str, Any]] = {}
    if _has_content(report):
        if (replay := _replay(job, report)) is not None:
            return replay
        contents = {kind: _read_content(job, kind, report.artifact_updates) for kind in CONTENT_KINDS}
    with transaction.atomic():
        job = lock_job(job_id)
        _require_current_dispatch(job, dispatch_id)
        if (replay := _replay(job, report)) is not None:
            return replay
        _require_order(job, report)
        require(job, "report", report.status, actor=report.actor)
        if lease:
            lease.verify()
        _apply(job, report, {kind: content for kind, content in contents.items() if content})
    return None


def _has_content(report: Report) -> bool:
    return any(
        kind in report.artifact_updates or f"{kind}_uri" in report.artifact_updates for kind in CONTENT_KINDS
    )


def _replay(job: Job, report: Report) -> Replay | None:
    known = (
        CallbackEvent.objects.filter(job=job, event_id=report.event_id).values_list("payload_sha256").first()
    )
    if known is None:
        return None
    if known[0] != report.payload_sha256:
        raise errors.conflict(
            "EVENT_ID_PAYLOAD_MISMATCH",
            "This event_id was used with another payload.",
            event_id=report.event_id,
        )
    return Replay(job.status, job.latest_applied_occurred_at)


def _require_current_dispatch(job: Job, dispatch_id: str | None) -> None:
    if dispatch_id is not None and dispatch_id != str(job.dispatch_id):
        raise errors.conflict(
            "DISPATCH_SUPERSEDED",
            "This is a report of an execution that is not the job's current one.",
            dispatch_id=dispatch_id,
            current_dispatch_id=str(job.dispatch_id) if job.dispatch_id else None,
        )


def _require_order(job: Job, report: Report) -> None:
    latest = job.latest_applied_occurred_at
    if latest is not None and report.occurred_at < latest:
        raise errors.conflict(
            "CALLBACK_OUT_OF_ORDER",
            "A later event was applied already.",
            latest_applied_occurred_at=latest.isoformat().replace("+00:00", "Z"),
            current_status=job.status,
            attempted_status=report.status,
        )


def _read_content(job: Job, kind: str, updates: dict[str, Any]) -> dict[str, Any]:
    """The transcript or draft that came inline or by a URI of ours, checked; {} when there is none."""
    if kind in updates:
        content, field = updates[kind], f"artifact_updates.{kind}"
    elif f"{kind}_uri" in updates:
        field = f"artifact_updates.{kind}_uri"
        content = _read_own(job, updates[f"{kind}_uri"], field)
    else:
        return {}
    try:
        return CHECKS[kind](content)
    except ValueError as error:
        raise errors.invalid(field, f"The {kind} is not well formed: {error}") from error


def _read_own(job: Job, uri: str, field: str) -> Any:
    try:
        if not storage().key(uri).startswith(kept_folder(job.pk)):
            raise BadUri(uri)
        return json.loads(read_bytes(uri, limit=CONTENT_LIMIT))
    except (BadUri, FileNotFoundError) as error:
        raise errors.invalid(field, "This is not a file of this job.") from error
    except (TooLarge, ValueError) as error:
        raise errors.invalid(field, "The file is too large, or not JSON.") from error


def check_draft(content: Any) -> dict[str, Any]:
    """A draft: `{markdown, title?, model_profile_id?, prompt_template_id?, prompt_params_ref?}`; else ValueError."""
    known = {"markdown", "title", "model_profile_id", "prompt_template_id", "prompt_params_ref"}
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise ValueError("markdown is missing")
    if unknown := sorted(set(content) - known):
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    if any(value is not None and not isinstance(value, str) for value in content.values()):
        raise ValueError("every field is a string")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > 2**20:
        raise ValueError("markdown is empty or over 1 MiB")
    return content


CHECKS = {
    "transcript": lambda content: transcript_to_json(transcript_from_json(content)),
    "draft": check_draft,
}


def _apply(job: Job, report: Report, contents: dict[str, dict[str, Any]]) -> None:
    updates = report.artifact_updates
    if "video_uri" in updates and updates["video_uri"] != job.manifest.get("video_uri"):
        raise errors.conflict("ARTIFACT_IMMUTABLE", "A job's video never changes.", key="video_uri")
    if report.status == JobStatus.DRAFT_READY and "draft" not in contents and "draft_uri" not in job.manifest:
        raise errors.invalid("artifact_updates.draft_uri", "DRAFT_READY needs a draft that can be read.")
    for kind, content in contents.items():
        uri = updates.get(f"{kind}_uri") or _keep_inline(job, content)
        if uri == job.manifest.get(f"{kind}_uri"):
            continue
        artifact = _add_artifact(job, kind, uri=uri)
        if kind == "transcript":
            _store_segments(job, content)
        if kind in hooks.INGEST:
            hooks.INGEST[kind](job, artifact, content)
    for key, value in updates.items():
        kind = key.removesuffix("_uri")
        if kind in CONTENT_KINDS or key == "video_uri":
            continue
        if kind == "audio":
            if value != job.manifest.get(key):
                _add_artifact(job, kind, uri=value)
        else:
            _add_artifact(job, key[:32], data=value)
    job.latest_applied_occurred_at = report.occurred_at
    job.failure = report.failure
    by = By(report.actor, correlation_id=report.correlation_id)
    data = {"event_id": report.event_id, "artifacts": sorted(updates)}
    move_job(job, "report", target=report.status, by=by, occurred_at=report.occurred_at, data=data)
    CallbackEvent.objects.create(
        job=job,
        event_id=report.event_id,
        payload_sha256=report.payload_sha256,
        status=report.status,
        occurred_at=report.occurred_at,
    )
    if report.status == JobStatus.DRAFT_READY:
        close_dispatch(job)
    elif report.failure:
        code, message = report.failure["failure_code"], report.failure["failure_message"]
        close_dispatch(job, failure=WorkFailed(code, message, stage=report.failure["failed_stage"]))


def _keep_inline(job: Job, content: dict[str, Any]) -> str:
    return storage().save_bytes(kept_folder(job.pk), rfc8785.dumps(content), suffix=".json").uri


def _add_artifact(job: Job, kind: str, *, uri: str = "", data: Any = None) -> Artifact:
    newest = job.artifacts.filter(kind=kind).order_by("-version").values_list("version", flat=True).first()
    artifact = Artifact.objects.create(job=job, kind=kind, version=(newest or 0) + 1, uri=uri, data=data)
    if uri and kind in URI_KINDS:
        job.manifest = {**job.manifest, f"{kind}_uri": uri}
    return artifact


def _store_segments(job: Job, content: dict[str, Any]) -> None:
    job.segments.all().delete()
    TranscriptSegment.objects.bulk_create(
        (
            TranscriptSegment(job=job, position=position, **segment)
            for position, segment in enumerate(content["segments"])
        ),
        batch_size=1000,
    )
