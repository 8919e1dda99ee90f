"""A job as it is read: its ETag, its failure, its place in the queue."""

from __future__ import annotations

from typing import Any

from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, make_job


def test_a_job_is_read_in_two_queries_and_a_list_of_them_too(
    owner: Api, django_assert_num_queries: Any
) -> None:
    jobs = [make_job(JobStatus.EDITING, owner=owner.user) for _ in range(3)]
    with django_assert_num_queries(2):
        owner.get(f"/jobs/{jobs[0].pk}")
    with django_assert_num_queries(2):
        assert len(owner.get("/jobs").json()) == 3


def test_the_etag_follows_every_change(owner: Api) -> None:
    job = make_job(owner=owner.user)
    etag = owner.get(f"/jobs/{job.pk}").headers["ETag"]
    unchanged = owner.get(f"/jobs/{job.pk}", if_none_match=etag)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    owner.post(f"/jobs/{job.pk}/cancel")
    changed = owner.get(f"/jobs/{job.pk}", if_none_match=etag)
    assert (changed.status_code, changed.json()["status"]) == (200, "CANCELLED")


def test_a_failed_job_says_why(owner: Api) -> None:
    job = make_job(JobStatus.FAILED, owner=owner.user)
    failure = {"failure_code": "NO_AUDIO", "failure_message": "m", "failed_stage": "s", "correlation_id": "c"}
    Job.objects.filter(pk=job.pk).update(failure=failure)
    assert owner.get(f"/jobs/{job.pk}").json()["failure"] == failure


def test_the_place_in_the_queue_is_shown_while_the_job_waits(owner: Api) -> None:
    jobs = [make_job(JobStatus.UPLOADED, owner=owner.user) for _ in range(2)]
    for job in jobs:
        owner.post(f"/jobs/{job.pk}/run")
    answers = [owner.get(f"/jobs/{job.pk}") for job in jobs]
    assert [answer.json()["queue_position"] for answer in answers] == [1, 2]
    assert "ETag" not in answers[0].headers
