"""What a guide says of the recording that it was made from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobs.models import Artifact


def videos_of(job_ids: Collection[UUID]) -> dict[UUID, list[Artifact]]:
    """Return the videos of these jobs by the job's id, the oldest first."""
    columns = ("job_id", "version", "created_at", "data", "sha256")
    videos: dict[UUID, list[Artifact]] = {job_id: [] for job_id in job_ids}
    for video in Artifact.objects.filter(job__in=job_ids, kind="video").order_by("version").only(*columns):
        videos[video.job_id].append(video)
    return videos


def facts_of_recording(videos: Sequence[Artifact]) -> dict[str, Any]:
    """Return `length_ms`, `recorded_on` and `uploaded_on` of a document, as far as the videos of its job, the oldest
    first, say them.

    The day of the recording is that in its file; without one, and with one that was still to come when the file came
    here, it is the day on which the recording was uploaded.
    """
    if not videos:
        return {}
    arrived, facts = videos[0].created_at.astimezone(UTC), videos[-1].data or {}
    recorded = datetime.fromisoformat(facts["recorded_at"]) if "recorded_at" in facts else None
    days = {"recorded_on": None, "uploaded_on": arrived.date().isoformat()}
    if recorded and recorded <= arrived:
        days = {"recorded_on": recorded.date().isoformat(), "uploaded_on": None}
    return {"length_ms": facts.get("duration_ms"), **days}
