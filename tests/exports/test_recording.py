"""What a guide says of its recording: length and day, frozen with the export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exports.services import recording
from jobs.models import Artifact, Job
from jobs.states import JobStatus
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import Api, make_job, make_video

pytestmark = pytest.mark.django_db


def job_with(*facts: dict[str, Any]) -> Job:
    job = make_job(JobStatus.CREATED)
    for version, data in enumerate(facts, start=1):
        Artifact.objects.create(job=job, kind="video", version=version, uri=f"https://a/{version}", data=data)
    return job


def facts_of_recording(job: Job) -> dict[str, Any]:
    return recording.facts_of_recording(recording.videos_of([job.pk])[job.pk])


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_the_day_is_that_of_the_file() -> None:
    job = job_with({"duration_ms": 1500, "recorded_at": "2025-05-04T23:59:59+00:00"})
    assert facts_of_recording(job) == {"length_ms": 1500, "recorded_on": "2025-05-04", "uploaded_on": None}


def test_without_a_day_in_the_file_it_is_that_of_the_upload() -> None:
    facts = facts_of_recording(job_with({"duration_ms": 1500}))
    assert facts == {"length_ms": 1500, "recorded_on": None, "uploaded_on": today()}


def test_a_day_that_was_still_to_come_is_not_believed() -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    facts = facts_of_recording(job_with({"recorded_at": tomorrow}))
    assert facts == {"length_ms": None, "recorded_on": None, "uploaded_on": today()}


def test_a_video_that_was_fetched_is_known_by_its_copy() -> None:
    facts = facts_of_recording(job_with({}, {"duration_ms": 7, "recorded_at": "2025-05-04T00:00:00+00:00"}))
    assert facts == {"length_ms": 7, "recorded_on": "2025-05-04", "uploaded_on": None}


def test_a_job_without_a_video_says_nothing() -> None:
    assert facts_of_recording(make_job(JobStatus.CREATED)) == {}


@pytest.mark.slow
def test_an_export_freezes_what_is_known(owner: Api) -> None:
    desk = Desk(owner)
    make_video(desk.job)
    assert request_export(desk).status_code == 202
    snapshot = desk.job.exports.get().snapshot
    assert (snapshot["length_ms"], snapshot["uploaded_on"]) == (48_933, today())
