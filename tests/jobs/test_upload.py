"""Tickets for the upload of a recording."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.states import JobStatus
from tests.factories import Api, make_job
from tests.uploads import BODY


def test_asked_again_a_fresh_ticket_is_given_and_the_job_stays(owner: Api) -> None:
    job = make_job(owner=owner.user)
    tickets = [owner.post(f"/jobs/{job.pk}/upload", BODY).json() for _ in range(2)]
    assert tickets[0]["video_uri"] != tickets[1]["video_uri"]
    assert tickets[0]["method"] == "PUT"
    assert job.events.filter(new_status="UPLOADING").count() == 1


@pytest.mark.parametrize(
    "status", [JobStatus.UPLOADED, JobStatus.EDITING, JobStatus.DONE, JobStatus.CANCELLED]
)
def test_a_ticket_in_the_wrong_state_is_refused(owner: Api, status: JobStatus) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/upload", BODY)
    assert response.status_code == 409
    assert response.json()["details"]["current_status"] == status


@pytest.mark.parametrize(
    "changed", [{"filename": ""}, {"size_bytes": 0}, {"size_bytes": 2**60}, {"mime_type": "odd"}, {"odd": 1}]
)
def test_a_ticket_for_something_odd_is_400(owner: Api, changed: dict[str, Any]) -> None:
    response = owner.post(f"/jobs/{make_job(owner=owner.user).pk}/upload", {**BODY, **changed})
    assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_ERROR")
