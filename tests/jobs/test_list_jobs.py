"""Lists of jobs: whose, in which order, narrowed by status and time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.conf import settings

from jobs.states import JobStatus
from tests.factories import Api, make_job


def test_lists_show_the_owners_own_newest_first_in_pages(owner: Api, stranger: Api) -> None:
    mine = [str(make_job(owner=owner.user).pk) for _ in range(5)]
    make_job(owner=stranger.user)
    seen, url = [], "/jobs?limit=2"
    while url:
        response = owner.get(url)
        seen += [job["id"] for job in response.json()]
        link = re.search(rf'<{settings.PUBLIC_URL}(.+)>; rel="next"', response.headers.get("Link", ""))
        url = link.group(1) if link else ""
    assert seen == mine[::-1]


def test_lists_can_be_narrowed_by_status_and_time(owner: Api) -> None:
    jobs = {
        status: make_job(status, owner=owner.user)
        for status in (JobStatus.CREATED, JobStatus.UPLOADED, JobStatus.CANCELLED)
    }
    found = owner.get("/jobs?status=CREATED&status=CANCELLED").json()
    assert {job["status"] for job in found} == {"CREATED", "CANCELLED"}
    middle = owner.get(f"/jobs/{jobs[JobStatus.UPLOADED].pk}").json()["created_at"]
    assert [job["status"] for job in owner.get(f"/jobs?created_after={middle}").json()] == ["CANCELLED"]
    assert [job["status"] for job in owner.get(f"/jobs?created_before={middle}").json()] == ["CREATED"]


def test_a_time_is_compared_to_the_millisecond_on_both_sides(owner: Api) -> None:
    job = make_job(owner=owner.user)
    made = datetime.fromisoformat(owner.get(f"/jobs/{job.pk}").json()["created_at"])
    for microseconds, after, before in ((-1000, 1, 0), (-1, 1, 0), (0, 0, 0), (1, 0, 1), (1000, 0, 1)):
        moment = (made + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
        assert len(owner.get(f"/jobs?created_after={moment}").json()) == after, microseconds
        assert len(owner.get(f"/jobs?created_before={moment}").json()) == before, microseconds
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        answers = [owner.get(f"/jobs?created_{side}={moment}").status_code for side in ("after", "before")]
        assert answers == [200, 200]
