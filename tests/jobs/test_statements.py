"""How many statements the hot paths cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import (
    DRAFT,
    TRANSCRIPT,
    Api,
    make_job,
    make_many_jobs,
    make_project,
    make_run,
    make_user,
)
from tests.screens import make_screen


@pytest.mark.parametrize(
    "status", [JobStatus.CREATED, JobStatus.AUDIO_EXTRACTING, JobStatus.DRAFT_READY, JobStatus.CANCELLED]
)
def test_a_job_costs_two(owner: Api, status: JobStatus, django_assert_num_queries: Any) -> None:
    job = make_job(status, owner=owner.user)
    with django_assert_num_queries(2):  # the user, and the job with its place in the queue
        answer = owner.get(f"/jobs/{job.pk}")
    assert answer.status_code == 200
    with django_assert_num_queries(2):
        assert owner.get(f"/jobs/{job.pk}", if_none_match=answer.headers["ETag"]).status_code == 304


def test_a_job_that_waits_in_the_queue_costs_two(owner: Api, django_assert_num_queries: Any) -> None:
    job = make_run(owner=owner.user).job
    with django_assert_num_queries(2):
        assert owner.get(f"/jobs/{job.pk}").json()["queue_position"] == 1


@pytest.mark.parametrize(
    "path",
    ["/jobs", "/projects/{project}/jobs", "/projects", "/jobs/{job}/events", "/jobs/{job}/screen-events"],
)
def test_a_page_of_100_costs_three_at_most(owner: Api, path: str) -> None:
    project = make_project(owner.user)
    for _ in range(101):
        make_project(owner.user)
    make_many_jobs(project, 101)
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user))
    with CaptureQueriesContext(connection) as seen:
        answer = owner.get(path.format(project=project.pk, job=job.pk))
    assert answer.status_code == 200
    assert path.startswith("/jobs/{") or len(answer.json()) == 100
    assert len(seen) <= 3, [query["sql"] for query in seen]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (JobStatus.AUDIO_EXTRACTING, {"status": "AUDIO_READY"}),
        (
            JobStatus.AUDIO_EXTRACTING,
            {
                "status": "AUDIO_READY",
                "artifact_updates": {"audio_uri": "gs://a/b", "metrics": {"a": 1}, "odd": 2},
            },
        ),
        (JobStatus.AUDIO_READY, {"status": "TRANSCRIBING"}),
        (
            JobStatus.TRANSCRIBING,
            {"status": "TRANSCRIPT_READY", "artifact_updates": {"transcript": TRANSCRIPT}},
        ),
        (JobStatus.TRANSCRIPT_READY, {"status": "GENERATING"}),
        (
            JobStatus.TRANSCRIBING,
            {"status": "FAILED", "failure_code": "X", "failure_message": "x", "failed_stage": "x"},
        ),
    ],
)
def test_a_callback_costs_eight_at_most(source: JobStatus, fields: dict[str, Any]) -> None:
    job = make_job(source, owner=make_user())
    with CaptureQueriesContext(connection) as seen:
        assert send(job, dispatch_id=str(job.dispatch_id), **fields).status_code == 204
    statements = [query["sql"] for query in seen]
    assert statements.count("BEGIN") == 1 and statements[-1] == "COMMIT", (
        "all that is written is one transaction"
    )
    assert len(statements) <= 8, statements


@pytest.mark.django_db(transaction=True)
def test_a_replayed_event_with_a_draft_writes_nothing() -> None:
    job = make_job(JobStatus.GENERATING, owner=make_user())
    event = {"event_id": "e", "occurred_at": "2026-11-01T00:00:00Z", "artifact_updates": {"draft": DRAFT}}
    Job.objects.filter(pk=job.pk).update(latest_applied_occurred_at=None)
    assert send(job, "DRAFT_READY", **event).status_code == 204
    with CaptureQueriesContext(connection) as seen:
        assert send(job, "DRAFT_READY", **event).status_code == 200
    assert not [query for query in seen if query["sql"].startswith(("INSERT", "UPDATE", "DELETE", "WITH"))]
    assert len(seen) <= 3
