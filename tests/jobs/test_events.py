"""The audit events of a job."""

from __future__ import annotations

from jobs.states import JobStatus
from tests.factories import Api, make_job


def test_events_tell_every_change_oldest_first(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    events = owner.get(f"/jobs/{job.pk}/events").json()
    assert [event.get("new_status") for event in events][:2] == ["CREATED", "AUDIO_EXTRACTING"]
    assert events[-1]["new_status"] == "DRAFT_READY"
    assert {"id", "event_type", "actor_type", "occurred_at", "recorded_at", "correlation_id"} <= set(
        events[0]
    )
