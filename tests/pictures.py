"""Rows about the pictures of a job, beside those of `tests.factories`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from uuid6 import uuid7

from anchors.activity import Activity, Change
from anchors.models import (
    Asset,
    ImageUpload,
    Redaction,
    RedactionRun,
    RedactionSuggestion,
    ScreenActivity,
    SensitiveSearch,
)
from jobs.models import Job

QUIET = Activity(48_900, [Change(12_000, 12_400, 0.5)])


def make_activity(job: Job, *, activity: Activity | None = QUIET, **fields: Any) -> ScreenActivity:
    """The row of a video that was looked at, or, without an activity, could not be read."""
    status = ScreenActivity.SUCCEEDED if activity else ScreenActivity.FAILED
    known = {"status": status, "activity": activity and activity.as_plain(), **fields}
    return ScreenActivity.objects.create(job=job, owner_id=job.owner_id, **known)


def make_redaction(job: Job, **fields: Any) -> Redaction:
    """A bar over the middle of the first second, which no picture was brought in line with."""
    middle = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
    return Redaction.objects.create(job=job, start_ms=0, end_ms=1_000, mode="solid", **middle, **fields)


def make_redaction_run(job: Job, *, status: str = RedactionRun.WAITING) -> RedactionRun:
    return RedactionRun.objects.create(job=job, owner_id=job.owner_id, status=status)


def make_search(job: Job, *, status: str = SensitiveSearch.SUCCEEDED, **fields: Any) -> SensitiveSearch:
    """The search of a video that is done, unless said."""
    is_decided = status == SensitiveSearch.SUCCEEDED
    known = {"status": status, "is_decided": is_decided, **fields}
    return SensitiveSearch.objects.create(job=job, owner_id=job.owner_id, **known)


def make_suggestion(job: Job, **fields: Any) -> RedactionSuggestion:
    """An e-mail address in the first second."""
    known = {"kind": "email", "start_ms": 0, "end_ms": 1_000, "confidence": 0.9}
    place = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.125}
    return RedactionSuggestion.objects.create(job=job, **{**known, **place, **fields})


def make_image_upload(job: Job, *, asset: Asset | None = None) -> ImageUpload:
    """A ticket for a picture that nothing came with; or, confirmed, the one that `asset` came by."""
    upload = ImageUpload.objects.create(
        job=job,
        key=f"pictures/{job.pk}/{uuid7()}",
        filename="a.png",
        mime_type="image/png",
        size_bytes=100,
        checksum_sha256="a" * 64,
        expires_at=timezone.now() + timedelta(hours=1),
        closed_at=timezone.now() if asset else None,
    )
    if asset:
        Asset.objects.filter(pk=asset.pk).update(upload=upload)
    return upload
