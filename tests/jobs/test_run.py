"""Run: one dispatch for any number of calls, and the limit of active jobs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from jobs.models import Dispatch, Job, PipelineRun
from jobs.states import JobStatus
from tests.contract import TERMINAL
from tests.factories import Api, make_job
from tests.orchestrator import Orchestrator
from tests.races import at_once


def test_the_first_run_dispatches_and_the_next_replay(owner: Api, job: Job) -> None:
    first = owner.post(f"/jobs/{job.pk}/run")
    assert first.status_code == 202
    assert first.headers["Location"] == f"/api/v1/jobs/{job.pk}"
    assert int(first.headers["Retry-After"]) > 0
    assert (first.json()["status"], first.json()["replayed"]) == ("AUDIO_EXTRACTING", False)
    second = owner.post(f"/jobs/{job.pk}/run")
    assert second.status_code == 200
    assert second.json() == {**first.json(), "replayed": True}
    assert Dispatch.objects.filter(job=job).count() == 1


@pytest.mark.parametrize("status", ["CREATED", "UPLOADING", *TERMINAL])
def test_a_run_in_the_wrong_state_is_refused(owner: Api, status: str) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/run")
    assert response.status_code == 409
    assert response.json()["code"] == (
        "FSM_TERMINAL_IMMUTABLE" if status in TERMINAL else "FSM_TRANSITION_INVALID"
    )
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
def test_sixteen_runs_at_once_make_one_dispatch(owner: Api, job: Job) -> None:
    answers = at_once(16, lambda _: owner.post(f"/jobs/{job.pk}/run"))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [202]
    assert len({answer.json()["dispatch_id"] for answer in answers}) == 1
    assert Dispatch.objects.filter(job=job).count() == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM dramatiq.queue WHERE message->'args'->>0 = %s",
            [str(PipelineRun.objects.get(job=job).pk)],
        )
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_an_open_dispatch_counts_among_the_owners_active_jobs(
    owner: Api, orchestrator: Orchestrator, settings: Any
) -> None:
    settings.ACTIVE_JOBS_PER_OWNER = 1
    lost, other = (make_job(JobStatus.UPLOADED, owner=owner.user) for _ in range(2))
    orchestrator.answers = [None]
    assert owner.post(f"/jobs/{lost.pk}/run").status_code == 502
    assert owner.post(f"/jobs/{other.pk}/run").status_code == 429
    assert owner.post(f"/jobs/{lost.pk}/run").status_code == 202
