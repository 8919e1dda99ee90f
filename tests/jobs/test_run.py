"""Run and cancel: one dispatch for any number of calls, and the limit of active jobs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from jobs.models import Dispatch, Job, PipelineRun
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_user


def test_the_first_run_dispatches_and_the_next_replay(owner: Api) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    first = owner.post(f"/jobs/{job.pk}/run")
    assert first.status_code == 202
    assert first.headers["Location"] == f"/api/v1/jobs/{job.pk}"
    assert int(first.headers["Retry-After"]) > 0
    assert (first.json()["status"], first.json()["replayed"]) == ("AUDIO_EXTRACTING", False)
    second = owner.post(f"/jobs/{job.pk}/run")
    assert second.status_code == 200
    assert second.json() == {**first.json(), "replayed": True}
    assert Dispatch.objects.filter(job=job).count() == 1


@pytest.mark.parametrize(
    "status", [JobStatus.CREATED, JobStatus.UPLOADING, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.DONE]
)
def test_a_run_in_the_wrong_state_is_refused(owner: Api, status: JobStatus) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/run")
    terminal = status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.DONE)
    assert response.status_code == 409
    assert response.json()["code"] == ("FSM_TERMINAL_IMMUTABLE" if terminal else "FSM_TRANSITION_INVALID")
    assert response.json()["details"]["attempted_status"] == "AUDIO_EXTRACTING"


def test_an_owner_has_at_most_so_many_active_jobs(owner: Api, settings: Any) -> None:
    settings.ACTIVE_JOBS_PER_OWNER = 2
    jobs = [make_job(JobStatus.UPLOADED, owner=owner.user) for _ in range(3)]
    answers = [owner.post(f"/jobs/{job.pk}/run") for job in jobs]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["code"] == "ACTIVE_JOB_LIMIT_REACHED"
    assert answers[2].json()["details"] == {"limit": 2, "active": 2}
    assert int(answers[2].headers["Retry-After"]) > 0
    owner.post(f"/jobs/{jobs[0].pk}/cancel")
    assert owner.post(f"/jobs/{jobs[2].pk}/run").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_sixteen_runs_at_once_make_one_dispatch() -> None:
    owner = Api(make_user("owner"))
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    barrier, answers = threading.Barrier(16), []

    def call() -> None:
        barrier.wait()
        answers.append(owner.post(f"/jobs/{job.pk}/run"))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [202]
    assert len({answer.json()["dispatch_id"] for answer in answers}) == 1
    assert Dispatch.objects.filter(job=job).count() == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM dramatiq.queue WHERE message->'args'->>0 = %s",
            [str(PipelineRun.objects.get(job=job).pk)],
        )
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "status",
    [status for status in JobStatus if status not in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)],
)
def test_any_job_that_is_not_over_can_be_cancelled(owner: Api, status: JobStatus) -> None:
    job = make_job(status, owner=owner.user)
    response = owner.post(f"/jobs/{job.pk}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "CANCELLED")
    assert not Dispatch.objects.filter(job=job, status__in=Dispatch.OPEN).exists()
    event = Job.objects.get(pk=job.pk).events.latest("id")
    assert (event.event_type, event.actor_type, event.prev_status) == ("JOB_CANCELLED", "editor", status)


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_that_is_over_cannot_be_cancelled(owner: Api, status: JobStatus) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/cancel")
    assert (response.status_code, response.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert response.json()["details"]["attempted_status"] == "CANCELLED"


def test_the_place_in_the_queue_is_shown_while_the_job_waits(owner: Api) -> None:
    jobs = [make_job(JobStatus.UPLOADED, owner=owner.user) for _ in range(2)]
    for job in jobs:
        owner.post(f"/jobs/{job.pk}/run")
    answers = [owner.get(f"/jobs/{job.pk}") for job in jobs]
    assert [answer.json()["queue_position"] for answer in answers] == [1, 2]
    assert "ETag" not in answers[0].headers
