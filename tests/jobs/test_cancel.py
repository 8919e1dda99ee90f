"""Cancel: from which statuses, who is told, and that what is being done at this moment ends."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from config.work import lease
from config.work.lease import Lease, LeaseLost
from jobs import hooks
from jobs.models import Dispatch, Job
from jobs.states import JobStatus
from jobs.tasks import tell_cancelled
from tests.callbacks import send
from tests.contract import OPEN, TERMINAL
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import Api, make_job, make_run, perform, work_off
from tests.jobs.seen import count_events, status_of, told_to_cancel
from tests.orchestrator import Asked, Orchestrator
from tests.races import at_once, beside


@pytest.mark.parametrize("status", OPEN)
def test_any_job_that_is_not_over_can_be_cancelled(owner: Api, status: str) -> None:
    job = make_job(status, owner=owner.user)
    response = owner.post(f"/jobs/{job.pk}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "CANCELLED")
    assert not Dispatch.objects.filter(job=job, status__in=Dispatch.OPEN).exists()
    event = Job.objects.get(pk=job.pk).events.latest("id")
    assert (event.event_type, event.actor_type, event.prev_status) == ("JOB_CANCELLED", "editor", status)


@pytest.mark.parametrize("status", TERMINAL)
def test_a_job_that_is_over_cannot_be_cancelled(owner: Api, status: str) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/cancel")
    assert (response.status_code, response.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert response.json()["details"]["attempted_status"] == "CANCELLED"


@pytest.mark.django_db(transaction=True)
def test_of_eight_cancels_at_once_one_wins(owner: Api, job: Job) -> None:
    answers = at_once(8, lambda _: owner.post(f"/jobs/{job.pk}/cancel").status_code)
    assert sorted(answers) == [200] + [409] * 7
    assert count_events(job, "JOB_CANCELLED") == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_running_stage_ends_within_5_s_and_reports_nothing_more(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), list[Any]()

    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        """As the real ones do: some work, then a word about it, over and over."""
        began.set()
        try:
            for step in range(600):
                time.sleep(0.05)
                lease.report(step / 600)
        except LeaseLost:
            ended.append(time.monotonic())
            raise
        return {"audio_uri": "gs://never/used"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    with beside(work_off):
        assert began.wait(10)
        answer = owner.post(f"/jobs/{job.pk}/cancel")
        cancelled = time.monotonic()
        assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    assert ended and ended[0] - cancelled < 5
    now = Job.objects.get(pk=job.pk)
    assert (now.status, now.dispatch.failure_code) == ("CANCELLED", "JOB_CANCELLED")
    assert now.events.latest("id").event_type == "JOB_CANCELLED"
    assert not now.artifacts.filter(kind="audio").exists()


@pytest.mark.django_db(transaction=True)
def test_cancelling_stops_the_running_stage_at_its_next_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)
    began, stopped = threading.Event(), threading.Event()

    def stage(job: Job, held: Lease) -> dict[str, Any]:
        began.set()
        try:
            while True:
                held.report(0.5)
                threading.Event().wait(0.01)
        except LeaseLost:
            stopped.set()
            raise

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    row = make_run()
    owner = Api(row.job.owner)
    with beside(lambda: perform(row)):
        assert began.wait(10)
        assert owner.post(f"/jobs/{row.job_id}/cancel").json()["status"] == "CANCELLED"
        assert stopped.wait(10)
    assert Job.objects.get(pk=row.job_id).status == "CANCELLED"


@pytest.mark.django_db(transaction=True)
def test_the_orchestrator_is_told_of_a_cancel(owner: Api, job: Job, orchestrator: Orchestrator) -> None:
    dispatch_id = owner.post(f"/jobs/{job.pk}/run").json()["dispatch_id"]
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
    assert orchestrator.cancellations == [], "the answer does not wait for the orchestrator"
    tell_cancelled(dispatch_id, str(job.pk), "c-1")
    (told,) = orchestrator.cancellations
    assert told.body["dispatch_id"] == dispatch_id and told.body["job_id"] == str(job.pk)
    assert told.headers["idempotency-key"] == f"{dispatch_id}:cancel"
    late = send(job, "AUDIO_READY", dispatch_id=dispatch_id)
    assert (late.status_code, late.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")


@pytest.mark.django_db(transaction=True)
def test_a_cancel_while_the_dispatch_is_on_its_way(owner: Api, job: Job, orchestrator: Orchestrator) -> None:
    def cancel(_: Asked) -> int:
        assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
        connection.close()
        return 200

    orchestrator.answers = [cancel]
    answer = owner.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert answer.json()["details"]["attempted_status"] == "AUDIO_EXTRACTING"
    assert (status_of(job), count_events(job, "JOB_RUN")) == ("CANCELLED", 0)
    assert told_to_cancel(job) == 2, "by the cancel, and once more"


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_and_deleted_job_is_still_told_of(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def cancel_and_delete(_: Asked) -> int:
        assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
        assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
        connection.close()
        return 200

    orchestrator.answers = [cancel_and_delete]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 404
    assert told_to_cancel(job) == 2


def test_cancelling_the_job_fails_the_picture_that_waits(desk: Desk) -> None:
    task = desk.extract().json()
    desk.api.post(f"/jobs/{desk.job.pk}/cancel")
    done = desk.api.get(f"/screenshot-tasks/{task['task_id']}").json()
    assert (done["status"], done["failure_code"]) == ("FAILED", "JOB_CANCELLED")


def test_cancelling_the_job_fails_the_export(desk: Desk) -> None:
    export_id = request_export(desk).json()["id"]
    desk.api.post(f"/jobs/{desk.job.pk}/cancel")
    work_off()
    export = desk.api.get(f"/exports/{export_id}").json()
    assert (export["status"], export["failure_code"]) == ("FAILED", "JOB_CANCELLED")
