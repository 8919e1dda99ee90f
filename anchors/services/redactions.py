"""Redactions are set and taken back; and the work of drawing what stands in for the pictures that they conceal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F

from anchors.models import Anchor, Redaction, RedactionRun
from anchors.services.concealment import Missing, add_rendering, settle_pictures
from anchors.services.drawing import draw_on_asset
from config import sandbox
from config.accounts.models import User
from config.api import errors, request_id
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.services.versions import require_document
from jobs.models import Job
from jobs.services.artifacts import newest_artifact
from jobs.services.audit import Attribution, by_editor, by_system, record_event
from jobs.services.transitions import lock_job
from jobs.states import JobStatus

ROUND_SECONDS = 30
MAX_REDACTIONS = 100  # of a job; each is drawn on each picture of its span


def add_redaction(
    *, job: Job, user: User, start_ms: int, end_ms: int, region: dict[str, float], mode: str
) -> Redaction:
    """Hide a region in every picture of a span, those that are there and those to come.

    Pictures that show it are given to nobody from now on; a worker draws what stands in for them. Raises a 400 for a
    span outside of the video, and for more than `MAX_REDACTIONS`.
    """
    _require_inside_video(job, start_ms)
    with transaction.atomic():
        job = lock_job(job.pk)
        require_going(job)
        require_room_for(job, 1, field="region")
        redaction = create_redaction(
            job, by_editor(user), start_ms=start_ms, end_ms=end_ms, mode=mode, **region
        )
        bring_in_line(job)
    return redaction


def require_room_for(job: Job, count: int, *, field: str) -> None:
    """Raise a 400 when a locked job cannot have so many redactions more."""
    if count and job.redactions.count() + count > MAX_REDACTIONS:
        raise errors.invalid(
            field,
            f"A job has {MAX_REDACTIONS} redactions at most.",
            code="too_many",
            hint="Delete those that another one covers.",
        )


def create_redaction(
    job: Job, by: Attribution, *, start_ms: int, end_ms: int, **fields: float | str
) -> Redaction:
    """Add a redaction of a locked job, whose pictures are to be brought in line then."""
    redaction = Redaction.objects.create(job=job, start_ms=start_ms, end_ms=end_ms, **fields)
    data = {"redaction_id": str(redaction.pk), "start_ms": start_ms, "end_ms": end_ms}
    record_event(job, "REDACTION_ADDED", by=by, data=data)
    return redaction


def delete_redaction(*, redaction: Redaction, user: User) -> None:
    """Take a redaction back: pictures that no other one covers are shown again as they were. Raises 404."""
    with transaction.atomic():
        job = lock_job(redaction.job_id)
        require_going(job)
        if not job.redactions.filter(pk=redaction.pk).delete()[0]:
            raise errors.not_found()
        data = {"redaction_id": str(redaction.pk)}
        record_event(job, "REDACTION_DELETED", by=by_editor(user), data=data)
        bring_in_line(job)


def require_going(job: Job) -> None:
    """Raise 409 for a job that FAILED or was CANCELLED. Before its draft a job takes redactions, so that what they hide
    is in no picture at any time."""
    if job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        require_document(job)


def bring_in_line(job: Job) -> None:
    """Conceal what redactions of a locked job hide, and let a worker draw what stands in for it."""
    if not settle_pictures(job.pk):
        return
    run, is_new = RedactionRun.objects.get_or_create(
        job=job,
        defaults={
            "owner_id": job.owner_id,
            "status": RedactionRun.WAITING,
            "correlation_id": request_id.current(),
        },
    )
    RedactionRun.objects.filter(pk=run.pk).update(asked=F("asked") + 1)
    if is_new:
        run.enqueue_on_commit()
    elif run.status in (RedactionRun.SUCCEEDED, RedactionRun.FAILED):
        run.reopen()
    # One that waits, or runs, looks again before it ends, or begins anew if it fails.


def _require_inside_video(job: Job, start_ms: int) -> None:
    video = newest_artifact(job, "video")
    duration = (video.data or {}).get("duration_ms") if video else None
    if duration is not None and start_ms > duration:
        raise errors.invalid("start_ms", f"The video lasts from 0 to {duration} ms.", code="out_of_range")


def perform_redactions(run: RedactionRun, lease: Lease) -> None:
    """Draw what is missing until nothing is: bases first, then what was drawn on them; active pictures before others.

    Pictures are settled again after `ROUND_SECONDS` at most, so that those that are there are shown, and what changed
    meanwhile is known. One that cannot be drawn does not keep others from being shown; the run fails after all.
    """
    failed: dict[UUID, WorkFailed] = {}
    while missing := _still_missing(run, lease, failed):
        until = time.monotonic() + ROUND_SECONDS
        for number, each in enumerate(missing):
            lease.report(number / len(missing))
            try:
                _draw(run, each, lease)
            except WorkFailed as failure:
                failed[each.original.pk] = failure
            if time.monotonic() > until:
                break
    if failed:
        raise next(iter(failed.values()))


def _still_missing(run: RedactionRun, lease: Lease, failed: Mapping[UUID, WorkFailed]) -> list[Missing]:
    """Settle the pictures, and return what is to be drawn; when nothing is, and nothing has failed, close the run."""
    with lease.hold(before=lambda: lock_job(run.job_id)):
        RedactionRun.objects.filter(pk=run.pk).update(seen=F("asked"))
        missing = [each for each in settle_pictures(run.job_id) if each.original.pk not in failed]
        if not missing and not failed:
            run.close(run.SUCCEEDED)
            record_event(run.job, "PICTURES_REDACTED", by=by_system(run.correlation_id), data={})
    active = set(Anchor.objects.filter(instruction__job=run.job_id).values_list("active_asset_id", flat=True))
    return sorted(missing, key=lambda each: each.original.pk not in active)


def _draw(run: RedactionRun, missing: Missing, lease: Lease) -> None:
    """Draw one rendering and add it. Raises WorkFailed for what cannot be drawn."""
    try:
        stored, size = draw_on_asset(missing.base, missing.operations(), check=lease.check)
    except FileNotFoundError as error:
        raise WorkFailed("ASSET_MISSING", "A picture of this guide is missing from the storage.") from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise
        raise WorkFailed(error.code, error.message) from error
    with lease.hold(before=lambda: lock_job(run.job_id)):
        add_rendering(missing, stored, size=size)


def fail_redactions(run: RedactionRun, failure: WorkFailed, *, lease: Lease) -> None:
    """Write the failure down; a run that does not know the last change of redactions begins anew."""
    with transaction.atomic():
        job = lock_job(run.job_id)
        lease.verify()
        run.close(run.FAILED, failure=failure)
        data = {"failure_code": failure.code}
        record_event(job, "REDACTION_FAILED", by=by_system(run.correlation_id), data=data)
        if RedactionRun.objects.filter(pk=run.pk, asked__gt=F("seen")).exists():
            run.reopen()
