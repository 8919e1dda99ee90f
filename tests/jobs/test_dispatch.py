"""Handing a job to an HTTP orchestrator: the row first, the call outside any transaction, then the outcome."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs.models import AuditEvent, Dispatch, Job, PipelineRun
from jobs.services.dispatches import is_being_sent, leave_unanswered, resend_dispatch
from jobs.states import JobStatus
from tests.callbacks import send
from tests.elapsed import let_time_pass, make_due
from tests.factories import Api, make_dispatch, make_job, perform, work_off
from tests.jobs.seen import count_events, status_of, told_to_cancel
from tests.orchestrator import Asked, Orchestrator
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_sixteen_runs_at_once_are_one_request_to_the_orchestrator(
    owner: Api, job: Job, orchestrator: Orchestrator, settings: Any
) -> None:
    """One sends, two wait for the outcome, and the others are told at once which dispatch is open."""
    settings.ORCHESTRATOR_SECONDS = 20.0
    told = threading.Semaphore(0)

    def answer_last(_: Asked) -> int:
        """The orchestrator answers when those who do not wait have their answers."""
        assert all(told.acquire(timeout=15) for _ in range(13)), "more than two wait"
        return 200

    def run(_: int) -> Any:
        answer = owner.post(f"/jobs/{job.pk}/run")
        told.release()
        return answer

    orchestrator.answers = [answer_last]

    answers = at_once(16, run)
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [202]
    assert len({answer.json()["dispatch_id"] for answer in answers}) == 1
    assert len(orchestrator.dispatches) == 1
    statuses = sorted(answer.json()["status"] for answer in answers)
    assert statuses == ["AUDIO_EXTRACTING"] * 3 + ["UPLOADED"] * 13
    assert count_events(job, "JOB_RUN") == 1
    assert owner.post(f"/jobs/{job.pk}/run").json()["status"] == "AUDIO_EXTRACTING"


def test_one_send_too_many_of_a_user_is_refused_and_writes_nothing(
    owner: Api, stranger: Api, orchestrator: Orchestrator, settings: Any
) -> None:
    settings.ORCHESTRATOR_SECONDS, settings.ACTIVE_JOBS_PER_OWNER = 20.0, 10
    jobs = [make_job(JobStatus.UPLOADED, owner=owner.user) for _ in range(5)]
    others = make_job(JobStatus.UPLOADED, owner=stranger.user)
    told, three_are_told = list[int](), threading.Event()

    def answer_last(_: Asked) -> int:
        assert three_are_told.wait(15), "more than three are sent"
        return 200

    def run(number: int) -> Any:
        if number == 5:
            while len(orchestrator.dispatches) < 3:
                time.sleep(0.02)
            answer = stranger.post(f"/jobs/{others.pk}/run")
        else:
            answer = owner.post(f"/jobs/{jobs[number].pk}/run")
        told.append(number)
        if len(told) == 3:
            three_are_told.set()
        return answer

    orchestrator.answers = [answer_last] * 3
    *mine, other = at_once(6, run)
    assert other.status_code == 202
    assert sorted(answer.status_code for answer in mine) == [202] * 3 + [429] * 2
    for job, answer in zip(jobs, mine, strict=True):
        if answer.status_code == 429:
            assert answer.json()["code"] == "RATE_LIMITED" and int(answer.headers["Retry-After"]) > 0
            assert not Dispatch.objects.filter(job=job).exists()
            assert owner.post(f"/jobs/{job.pk}/run").status_code == 202


@pytest.mark.parametrize("refusal", [500, 400, 301, 307])
def test_a_refusal_changes_nothing_and_the_next_call_uses_the_same_id(
    owner: Api, job: Job, orchestrator: Orchestrator, refusal: int
) -> None:
    orchestrator.answers = [refusal]
    failed = owner.post(f"/jobs/{job.pk}/run")
    assert (failed.status_code, failed.json()["code"]) == (502, "ORCHESTRATOR_DISPATCH_FAILED")
    assert (status_of(job), count_events(job, "JOB_RUN")) == ("UPLOADED", 0)
    assert len(orchestrator.asked) == 1, "a redirect is not followed"
    let_time_pass()
    assert work_off() == 0, "what was refused is not sent again unless somebody asks"
    done = owner.post(f"/jobs/{job.pk}/run")
    assert done.status_code == 202
    assert orchestrator.executions == {done.json()["dispatch_id"]}
    assert status_of(job) == "AUDIO_EXTRACTING"


@pytest.mark.parametrize("lost", [None, 3.0])
def test_after_a_lost_answer_the_dispatch_is_sent_again_under_its_id(
    owner: Api, job: Job, orchestrator: Orchestrator, lost: Any, settings: Any
) -> None:
    settings.ORCHESTRATOR_SECONDS = 0.5
    orchestrator.answers = [lost]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    assert (status_of(job), Dispatch.objects.get(job=job).is_open) == ("UPLOADED", True)
    let_time_pass()
    assert work_off() == 1, "the recovery sends it"
    assert (status_of(job), count_events(job, "JOB_RUN")) == ("AUDIO_EXTRACTING", 1)
    assert len(orchestrator.dispatches) == 2 and len(orchestrator.executions) == 1
    assert owner.post(f"/jobs/{job.pk}/run").json()["replayed"] is True


def soon() -> None:
    """As when half a minute has gone by: what is to be sent again soon is due."""
    make_due()
    work_off()


@pytest.mark.parametrize("later", [None, 503])
def test_after_a_lost_answer_a_later_refusal_does_not_close_the_dispatch(
    owner: Api, job: Job, orchestrator: Orchestrator, later: Any
) -> None:
    orchestrator.answers = [None] + [later] * 3
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    for _ in range(5):
        soon()
    assert len(orchestrator.dispatches) == 4, "sent again three times by itself, and then no more"
    assert (status_of(job), Dispatch.objects.get(job=job).is_open) == ("UPLOADED", True)
    let_time_pass()
    assert not Dispatch.objects.get(job=job).is_open and told_to_cancel(job) == 1
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert len(orchestrator.executions) == 1


@pytest.mark.parametrize("gateway", [408, 502, 504])
def test_a_gateway_that_had_no_answer_in_time_is_no_refusal(
    owner: Api, job: Job, orchestrator: Orchestrator, gateway: int
) -> None:
    orchestrator.answers = [gateway]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    assert Dispatch.objects.get(job=job).is_open


def test_a_dispatch_that_a_callback_proved_is_not_sent_again(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    orchestrator.answers = [None]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert send(job, "AUDIO_EXTRACTING", dispatch_id=str(dispatch.pk)).status_code == 204
    make_due()
    assert not perform(dispatch)
    let_time_pass()
    work_off()
    dispatch = Dispatch.objects.get(job=job)
    assert (status_of(job), dispatch.status, dispatch.lease_expires_at) == (
        "AUDIO_EXTRACTING",
        "ACCEPTED",
        None,
    )
    assert len(orchestrator.dispatches) == 1


def test_a_worker_that_sent_it_holds_it_no_more(owner: Api, job: Job, orchestrator: Orchestrator) -> None:
    """Neither a late heartbeat nor a shutdown between the commit and the end may bring it back."""
    orchestrator.answers = [None]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    Dispatch.objects.filter(job=job).update(available_at=Now())
    row = Dispatch.claim(Dispatch.objects.get(job=job).pk)
    assert row
    resend_dispatch(row, Lease(row))
    assert status_of(job) == "AUDIO_EXTRACTING"
    assert not row.held().exists()
    row.requeue()
    assert Dispatch.objects.get(job=job).status == "ACCEPTED"


def test_an_orchestrators_execution_is_no_work_of_our_own(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert not PipelineRun.objects.exists()
    let_time_pass()
    assert work_off() == 0
    assert Dispatch.objects.get(job=job).status == "ACCEPTED"


def test_a_late_refusal_of_a_sender_that_lost_its_lease_counts_no_more(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def taken_over(_: Asked) -> int:
        """The first sender is slower than its lease; another takes the row over and is still at it."""
        Dispatch.objects.filter(job=job).update(attempt=2, lease_expires_at=Now() + timedelta(seconds=12))
        connection.close()
        return 503

    orchestrator.answers = [taken_over]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert (dispatch.status, dispatch.attempt) == ("SENDING", 2)


def test_a_worker_that_lost_a_dispatch_to_another_does_not_end_it(job: Job) -> None:
    lost = make_dispatch(job, state="sending")
    Dispatch.objects.filter(pk=lost.pk).update(attempt=2)
    failure = WorkFailed("ODD", "It could not be sent.")
    with pytest.raises(LeaseLost):
        leave_unanswered(lost, failure, lease=Lease(lost))
    assert Dispatch.objects.get(pk=lost.pk).status == "SENDING"
    held = Dispatch.objects.get(pk=lost.pk)
    leave_unanswered(held, failure, lease=Lease(held))
    assert Dispatch.objects.get(pk=lost.pk).status == "UNANSWERED"


def test_whether_it_is_being_sent_is_told_by_the_databases_clock(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's clock is a minute ahead: the lease of a sender that is alive seems to have run out."""
    ahead = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    assert is_being_sent(make_dispatch(job, state="sending"))
    assert not is_being_sent(Dispatch(job=job, kind="run"))


def test_a_refused_dispatch_that_reports_by_its_id_was_accepted_after_all(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    orchestrator.answers = [500]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert send(job, "AUDIO_READY", dispatch_id=str(dispatch.pk)).status_code == 204
    again = owner.post(f"/jobs/{job.pk}/run")
    assert (again.status_code, again.json()["dispatch_id"]) == (200, str(dispatch.pk))
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
    assert told_to_cancel(job) == 1


def test_the_next_call_finishes_what_a_dead_sender_began(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    dispatch = make_dispatch(job, state="abandoned")
    answer = owner.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["dispatch_id"]) == (202, str(dispatch.pk))
    assert orchestrator.executions == {str(dispatch.pk)}


@pytest.mark.parametrize("then", [None, 200, 503])
def test_a_callback_that_overtakes_the_answer_proves_that_it_was_accepted(
    owner: Api, job: Job, orchestrator: Orchestrator, then: int | None
) -> None:
    def report_first(asked: Asked) -> int | None:
        dispatch_id = asked.body["dispatch_id"]
        assert send(job, "AUDIO_EXTRACTING", dispatch_id=dispatch_id).status_code == 204
        assert send(job, "AUDIO_READY", dispatch_id=dispatch_id).status_code == 204
        connection.close()
        return then

    orchestrator.answers = [report_first]
    answer = owner.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["status"]) == (202, "AUDIO_READY")
    assert count_events(job, "JOB_RUN") == 1
    changes = list(AuditEvent.objects.filter(job=job).order_by("id").values_list("prev_status", "new_status"))
    assert changes[-3:] == [
        ("UPLOADED", "AUDIO_EXTRACTING"),
        ("AUDIO_EXTRACTING", "AUDIO_EXTRACTING"),
        ("AUDIO_EXTRACTING", "AUDIO_READY"),
    ]


def test_a_callback_that_is_refused_proves_it_all_the_same(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def report_nonsense(asked: Asked) -> None:
        answer = send(job, "GENERATING", dispatch_id=asked.body["dispatch_id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TRANSITION_INVALID")
        assert answer.json()["details"]["current_status"] == "AUDIO_EXTRACTING"
        connection.close()

    orchestrator.answers = [report_nonsense]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert status_of(job) == "AUDIO_EXTRACTING"
    assert not job.callback_events.exists()
