"""Find what should be hidden in a job's video, suggest it, and hide what was accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.db import transaction

from anchors.models import Redaction, RedactionSuggestion, SensitiveSearch
from anchors.sensitive import Found, Kind, Region, find_sensitive, in_groups, together
from anchors.services.job_hooks import search_video
from anchors.services.redactions import (
    MAX_REDACTIONS,
    bring_in_line,
    create_redaction,
    require_going,
    require_room_for,
)
from config import sandbox
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.work.lease import Lease
from config.work.models import WorkFailed
from jobs.media.probe import MAX_DURATION_MS, UnreadableVideo
from jobs.models import Job
from jobs.services.audit import Attribution, by_editor, by_system, record_event
from jobs.services.transitions import lock_job
from jobs.services.videos import length_ms, open_video
from jobs.states import JobStatus

AUTO_CONFIDENCE = 0.6
"""From which what was found is hidden without being asked, where the job's options say so."""

_PASSING = ("INTERNAL_ERROR", "JOB_CANCELLED", "STORAGE_FULL", "WORKER_LOST")
"""With these a video was not searched in vain for good."""

_WHOLE = {"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}


def require_searched(job: Job) -> None:
    """Raise the 409 `SCREEN_EVENTS_NOT_READY` until a job's video has been searched; that is being done then, once
    there is a document. A job that has ended, and a video that cannot be read, have the suggestions that there are."""
    row = SensitiveSearch.objects.filter(job=job).first()
    is_final = row is not None and row.status == SensitiveSearch.FAILED and row.failure_code not in _PASSING
    is_known = is_final or (row is not None and row.status == SensitiveSearch.SUCCEEDED)
    if is_known or job.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return
    if job.instruction_id is not None or row is not None:
        with transaction.atomic():
            search_video(lock_job(job.pk))
    raise errors.not_watched(job.status)


def accept_suggestions(*, job: Job, user: User, suggestion_ids: Sequence[str]) -> list[Redaction]:
    """Hide what is suggested; return the redactions in the order of the suggestions. What was accepted before is the
    same redaction. Raises 404 for an id that is none of the job's, 400 for more redactions than a job may have, and
    409 for a job that has ended."""
    with transaction.atomic():
        job = lock_job(job.pk)
        known = {
            each.pk: each
            for each in job.redaction_suggestions.select_related("redaction").filter(
                pk__in=[parse_id(each) for each in suggestion_ids]
            )
        }
        wanted = [known.get(parse_id(each)) for each in suggestion_ids]
        chosen = [each for each in wanted if each is not None]
        if len(chosen) < len(wanted):
            raise errors.not_found()
        require_going(job)
        fresh = [each for each in known.values() if each.redaction is None]
        require_room_for(job, len(fresh), field="suggestion_ids")
        for suggestion in chosen:
            if suggestion.redaction is None:
                _accept(job, [suggestion], by_editor(user))
        if fresh:
            bring_in_line(job)
        ids = [each.redaction_id for each in chosen if each.redaction_id]
        hiding = job.redactions.select_related("job__redaction_run").in_bulk(ids)
    return [hiding[redaction_id] for redaction_id in ids]


def _accept(job: Job, suggestions: list[RedactionSuggestion], by: Attribution) -> None:
    """Hide what some suggestions name by one redaction."""
    part = together([_found(each) for each in suggestions])
    redaction = create_redaction(job, by, start_ms=part.start_ms, end_ms=part.end_ms, **_inside(part.region))
    for suggestion in suggestions:
        suggestion.redaction = redaction
    RedactionSuggestion.objects.bulk_update(suggestions, ["redaction"])


def _found(suggestion: RedactionSuggestion) -> Found:
    region = Region(suggestion.x, suggestion.y, suggestion.width, suggestion.height)
    kind = cast(Kind, suggestion.kind)
    return Found(kind, suggestion.start_ms, suggestion.end_ms, region, suggestion.confidence)


def _inside(region: Region) -> dict[str, float]:
    """Return a region as an owner may send it: not beyond the picture, and not empty."""
    x, y = min(max(region.x, 0.0), 0.999), min(max(region.y, 0.0), 0.999)
    width, height = min(region.width, 1 - x), min(region.height, 1 - y)
    return {"x": x, "y": y, "width": max(width, 0.001), "height": max(height, 0.001)}


def perform_search(row: SensitiveSearch, lease: Lease) -> None:
    """Search the video, keep what was found, and hide what is sure enough of it if the job's options say so."""
    found = _search(row, lease)
    with lease.hold(before=lambda: lock_job(row.job_id)):
        job = Job.objects.get(pk=row.job_id)
        suggestions = [
            RedactionSuggestion(
                job=job,
                kind=each.kind,
                start_ms=each.start_ms,
                end_ms=each.end_ms,
                confidence=each.confidence,
                **_inside(each.region),
            )
            for each in found
        ]
        RedactionSuggestion.objects.bulk_create(suggestions)
        if job.options.get("auto_redact"):
            _accept_by_itself(job, row, suggestions)
        row.is_decided = True
        row.close(row.SUCCEEDED, "is_decided")
        bring_in_line(job)


def _accept_by_itself(job: Job, row: SensitiveSearch, suggestions: list[RedactionSuggestion]) -> None:
    """Hide what is sure enough, instead of all; where it is more than may be, what is close in time together."""
    if row.cover_id:
        Redaction.objects.filter(pk=row.cover_id).delete()
    sure = [each for each in suggestions if each.confidence >= AUTO_CONFIDENCE]
    room = max(1, MAX_REDACTIONS - job.redactions.count())
    for group in in_groups(sure, room):
        _accept(job, group, by_system(row.correlation_id))


def _search(row: SensitiveSearch, lease: Lease) -> list[Found]:
    try:
        with open_video(row.job, lease.report) as video:
            return sandbox.call(
                find_sensitive,
                video,
                limits=sandbox.limits.SEARCH.lasting(length_ms(row.job)),
                returns=(Found, Region),
                raises=(UnreadableVideo,),
                on_progress=lease.report,
                check=lease.check,
            )
    except UnreadableVideo as error:
        raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error


def fail_search(row: SensitiveSearch, failure: WorkFailed, *, lease: Lease) -> None:
    """Write the failure down. Where pictures wait for what would have been found, all of each is hidden, which their
    owner may take back."""
    with transaction.atomic():
        job = lock_job(row.job_id)
        lease.verify()
        if job.options.get("auto_redact") and not row.is_decided:
            row.cover = create_redaction(
                job, by_system(row.correlation_id), start_ms=0, end_ms=MAX_DURATION_MS, **_WHOLE
            )
            row.is_decided = True
        row.close(row.FAILED, "is_decided", "cover", failure=failure)
        data = {"failure_code": failure.code, "redaction_id": str(row.cover_id) if row.cover_id else None}
        record_event(job, "SENSITIVE_SEARCH_FAILED", by=by_system(row.correlation_id), data=data)
        bring_in_line(job)
