"""What a guide says of the recording that it was made from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jobs.models import Job


def facts_of_recording(job: Job) -> dict[str, Any]:
    """Return `length_ms`, `recorded_on` and `uploaded_on` of a document, as far as they are known.

    The day of the recording is that in its file; without one, and with one that was still to come when the file came
    here, it is the day on which the recording was uploaded.
    """
    videos = list(job.artifacts.filter(kind="video").order_by("version").only("created_at", "data"))
    if not videos:
        return {}
    arrived, facts = videos[0].created_at.astimezone(UTC), videos[-1].data or {}
    recorded = datetime.fromisoformat(facts["recorded_at"]) if "recorded_at" in facts else None
    days = {"recorded_on": None, "uploaded_on": arrived.date().isoformat()}
    if recorded and recorded <= arrived:
        days = {"recorded_on": recorded.date().isoformat(), "uploaded_on": None}
    return {"length_ms": facts.get("duration_ms"), **days}
