"""Handing a job to an HTTP orchestrator: the row first, the call outside any transaction, then the outcome."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from config.storage import storage
from config.work.lease import Lease
from config.work.sweep import sweep_work_rows
from jobs.models import AuditEvent, Dispatch, Job, PipelineRun
from jobs.orchestrators.http import signing_key
from jobs.services.dispatches import resend_dispatch
from jobs.services.timeouts import give_up_unanswered_dispatches, time_out_silent_jobs
from jobs.states import JobStatus
from tests.factories import (
    Api,
    expire_leases,
    make_dispatch,
    make_due,
    make_job,
    make_user,
    perform,
    work_off,
)
from tests.jobs.test_callback import SECRET, send
from tests.orchestrator import Asked, Orchestrator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def callback_secret(settings: Any) -> None:
    settings.CALLBACK_SECRETS = [SECRET]


@pytest.fixture
def api() -> Api:
    return Api(make_user("owner"))


@pytest.fixture
def job(api: Api) -> Job:
    return make_job(JobStatus.UPLOADED, owner=api.user)


def at_once(number: int, call: Any) -> list[Any]:
    barrier, answers = threading.Barrier(number), []

    def one() -> None:
        barrier.wait()
        answers.append(call())
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def status(job: Job) -> str:
    return str(Job.objects.get(pk=job.pk).status)


def events(job: Job, kind: str) -> int:
    return AuditEvent.objects.filter(job=job, event_type=kind).count()


def told_to_cancel(job: Job) -> int:
    """How many times a worker was asked to tell the orchestrator."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM dramatiq.queue WHERE message->>'actor_name' = 'tell_cancelled'"
            " AND message->'args'->>1 = %s",
            [str(job.pk)],
        )
        return int(cursor.fetchone()[0])


def let_time_pass() -> None:
    """As when much time has gone by: leases have run out, waiting rows have waited, silence is given up."""
    expire_leases()
    sweep_work_rows()
    make_due()
    Dispatch.objects.filter(status="UNANSWERED").update(updated_at=Now() - timedelta(minutes=16))
    give_up_unanswered_dispatches()


def test_the_orchestrator_is_sent_what_the_contract_says(
    api: Api, job: Job, orchestrator: Orchestrator, settings: Any
) -> None:
    settings.ORCHESTRATOR_SECRET = "the secret that signs"
    answer = api.post(f"/jobs/{job.pk}/run", x_request_id="request-1")
    assert answer.status_code == 202, answer.content
    (asked,) = orchestrator.dispatches
    dispatch_id = answer.json()["dispatch_id"]
    video_url = asked.body["video_url"]
    assert {name: value for name, value in asked.body.items() if name != "video_url"} == {
        "dispatch_id": dispatch_id,
        "correlation_id": "request-1",
        "job_id": str(job.pk),
        "project_id": str(job.project_id),
        "video_uri": job.manifest["video_uri"],
        "callback_url": f"{settings.PUBLIC_URL}/api/v1/internal/jobs/{job.pk}/status?dispatch_id={dispatch_id}",
        "options": job.options,
    }
    assert asked.headers["idempotency-key"] == dispatch_id
    assert asked.headers["content-type"] == "application/json"
    assert "authorization" not in asked.headers and "cookie" not in asked.headers
    signed = f"{dispatch_id}.{asked.headers['webhook-timestamp']}.".encode() + asked.raw
    digest = hmac.digest(b"the secret that signs", signed, hashlib.sha256)
    assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    video = Client().get(video_url.removeprefix(settings.PUBLIC_URL))
    stored = storage().open(job.artifacts.get(kind="video").uri).read()
    assert b"".join(video.streaming_content) == stored  # type: ignore[attr-defined]


def test_sixteen_runs_at_once_are_one_request_to_the_orchestrator(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    orchestrator.answers = [0.3]
    answers = at_once(16, lambda: api.post(f"/jobs/{job.pk}/run"))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [202]
    assert len({answer.json()["dispatch_id"] for answer in answers}) == 1
    assert len(orchestrator.dispatches) == 1
    assert {answer.json()["status"] for answer in answers} == {"AUDIO_EXTRACTING"}
    assert events(job, "JOB_RUN") == 1


def test_no_transaction_is_open_while_the_orchestrator_is_called(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    seen: list[int] = []

    def look(_: Asked) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"
            )
            seen.append(cursor.fetchone()[0])
            cursor.execute("SELECT status FROM jobs_dispatch WHERE job_id = %s FOR UPDATE NOWAIT", [job.pk])
            seen.append(cursor.fetchone()[0])
        connection.close()
        return 200

    orchestrator.answers = [look]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202
    assert seen == [0, "SENDING"]  # the row was there first, and nobody held it


@pytest.mark.parametrize("refusal", [500, 400, 301, 307])
def test_a_refusal_is_502_changes_nothing_and_the_next_call_uses_the_same_id(
    api: Api, job: Job, orchestrator: Orchestrator, refusal: int
) -> None:
    orchestrator.answers = [refusal]
    failed = api.post(f"/jobs/{job.pk}/run")
    assert (failed.status_code, failed.json()["code"]) == (502, "ORCHESTRATOR_DISPATCH_FAILED")
    assert (status(job), events(job, "JOB_RUN")) == ("UPLOADED", 0)
    assert len(orchestrator.asked) == 1, "a redirect is not followed"
    let_time_pass()
    assert work_off() == 0, "what was refused is not sent again unless somebody asks"
    done = api.post(f"/jobs/{job.pk}/run")
    assert done.status_code == 202
    assert orchestrator.executions == {done.json()["dispatch_id"]}
    assert status(job) == "AUDIO_EXTRACTING"


def test_an_orchestrator_that_is_not_there_is_502(api: Api, job: Job, settings: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.ORCHESTRATOR, settings.ORCHESTRATOR_URL = (
            "http",
            f"http://127.0.0.1:{closed.getsockname()[1]}",
        )
        assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    assert not Dispatch.objects.get(job=job).is_open


@pytest.mark.parametrize("lost", [None, 3.0])
def test_an_answer_that_is_lost_leaves_the_dispatch_open_and_it_is_sent_again_under_the_same_id(
    api: Api, job: Job, orchestrator: Orchestrator, lost: Any, settings: Any
) -> None:
    settings.ORCHESTRATOR_SECONDS = 0.5
    orchestrator.answers = [lost]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    assert (status(job), Dispatch.objects.get(job=job).is_open) == ("UPLOADED", True)
    let_time_pass()
    assert work_off() == 1, "the recovery sends it"
    assert (status(job), events(job, "JOB_RUN")) == ("AUDIO_EXTRACTING", 1)
    assert len(orchestrator.dispatches) == 2 and len(orchestrator.executions) == 1
    assert api.post(f"/jobs/{job.pk}/run").json()["replayed"] is True


def soon() -> None:
    """As when half a minute has gone by: what is to be sent again soon is due."""
    make_due()
    work_off()


@pytest.mark.parametrize("later", [None, 503])
def test_what_was_once_sent_without_an_answer_stays_open_whatever_is_answered_later(
    api: Api, job: Job, orchestrator: Orchestrator, later: Any
) -> None:
    orchestrator.answers = [None] + [later] * 3
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    for _ in range(5):
        soon()
    assert len(orchestrator.dispatches) == 4, "sent again three times by itself, and then no more"
    assert (status(job), Dispatch.objects.get(job=job).is_open) == ("UPLOADED", True)
    let_time_pass()
    assert not Dispatch.objects.get(job=job).is_open and told_to_cancel(job) == 1
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202
    assert len(orchestrator.executions) == 1


@pytest.mark.parametrize("gateway", [408, 502, 504])
def test_a_gateway_that_had_no_answer_in_time_is_no_refusal(
    api: Api, job: Job, orchestrator: Orchestrator, gateway: int
) -> None:
    orchestrator.answers = [gateway]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    assert Dispatch.objects.get(job=job).is_open


def test_a_dispatch_that_a_callback_proved_is_never_performed_by_our_own_workers(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    orchestrator.answers = [None]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert send(job, "AUDIO_EXTRACTING", dispatch_id=str(dispatch.pk)).status_code == 204
    make_due()
    assert not perform(dispatch)
    let_time_pass()
    work_off()
    dispatch = Dispatch.objects.get(job=job)
    assert (status(job), dispatch.status, dispatch.lease_expires_at) == ("AUDIO_EXTRACTING", "ACCEPTED", None)
    assert len(orchestrator.dispatches) == 1


def test_a_worker_that_sent_it_holds_it_no_more(api: Api, job: Job, orchestrator: Orchestrator) -> None:
    """Neither a late heartbeat nor a shutdown between the commit and the end may bring it back."""
    orchestrator.answers = [None]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    Dispatch.objects.filter(job=job).update(available_at=Now())
    row = Dispatch.claim(Dispatch.objects.get(job=job).pk)
    assert row
    resend_dispatch(row, Lease(row))
    assert status(job) == "AUDIO_EXTRACTING"
    assert not row.held().exists()
    row.requeue()
    assert Dispatch.objects.get(job=job).status == "ACCEPTED"


def test_an_orchestrators_execution_is_no_work_of_our_own(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202
    assert not PipelineRun.objects.exists()
    let_time_pass()
    assert work_off() == 0
    assert Dispatch.objects.get(job=job).status == "ACCEPTED"


def test_a_late_refusal_of_a_sender_that_was_taken_over_from_counts_no_more(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def taken_over(_: Asked) -> int:
        """The first sender is slower than its lease; another takes the row over and is still at it."""
        Dispatch.objects.filter(job=job).update(attempt=2, lease_expires_at=Now() + timedelta(seconds=12))
        connection.close()
        return 503

    orchestrator.answers = [taken_over]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert (dispatch.status, dispatch.attempt) == ("SENDING", 2)


def test_a_refused_dispatch_that_reports_by_its_name_was_taken_all_the_same(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    orchestrator.answers = [500]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    dispatch = Dispatch.objects.get(job=job)
    assert send(job, "AUDIO_READY", dispatch_id=str(dispatch.pk)).status_code == 204
    again = api.post(f"/jobs/{job.pk}/run")
    assert (again.status_code, again.json()["dispatch_id"]) == (200, str(dispatch.pk))
    assert api.post(f"/jobs/{job.pk}/cancel").status_code == 200
    assert told_to_cancel(job) == 1


def test_a_name_that_takes_long_to_look_up_ends_with_the_whole_time(
    api: Api, job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        answered.wait(20)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    settings.ORCHESTRATOR, settings.ORCHESTRATOR_SECONDS = "http", 0.5
    settings.ORCHESTRATOR_URL = "http://orchestrator.example.com"
    answers = list[int]()
    thread = threading.Thread(target=lambda: answers.append(api.post(f"/jobs/{job.pk}/run").status_code))
    thread.start()
    thread.join(10)
    answered.set()
    assert answers == [502]


def test_a_cancelled_and_deleted_job_is_still_told_of(api: Api, job: Job, orchestrator: Orchestrator) -> None:
    def cancel_and_delete(_: Asked) -> int:
        assert api.post(f"/jobs/{job.pk}/cancel").status_code == 200
        assert api.call("DELETE", f"/jobs/{job.pk}").status_code == 202
        connection.close()
        return 200

    orchestrator.answers = [cancel_and_delete]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 404
    assert told_to_cancel(job) == 2


def test_the_next_call_finishes_what_a_dead_sender_began(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    dispatch = make_dispatch(job, state="abandoned")
    answer = api.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["dispatch_id"]) == (202, str(dispatch.pk))
    assert orchestrator.executions == {str(dispatch.pk)}


def test_a_callback_that_overtakes_the_answer_proves_that_it_was_accepted(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def report_first(asked: Asked) -> None:
        dispatch_id = asked.body["dispatch_id"]
        assert send(job, "AUDIO_EXTRACTING", dispatch_id=dispatch_id).status_code == 204
        assert send(job, "AUDIO_READY", dispatch_id=dispatch_id).status_code == 204
        connection.close()

    orchestrator.answers = [report_first]  # and then the connection breaks
    answer = api.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["status"]) == (202, "AUDIO_READY")
    assert events(job, "JOB_RUN") == 1
    changes = list(AuditEvent.objects.filter(job=job).order_by("id").values_list("prev_status", "new_status"))
    assert changes[-3:] == [
        ("UPLOADED", "AUDIO_EXTRACTING"), ("AUDIO_EXTRACTING", "AUDIO_EXTRACTING"),
        ("AUDIO_EXTRACTING", "AUDIO_READY"),
    ]  # fmt: skip


def test_a_callback_that_is_refused_proves_it_all_the_same(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    def report_nonsense(asked: Asked) -> None:
        answer = send(job, "GENERATING", dispatch_id=asked.body["dispatch_id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TRANSITION_INVALID")
        assert answer.json()["details"]["current_status"] == "AUDIO_EXTRACTING"
        connection.close()

    orchestrator.answers = [report_nonsense]
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202
    assert status(job) == "AUDIO_EXTRACTING"
    assert not job.callback_events.exists()


def test_a_cancel_while_the_dispatch_is_on_its_way(api: Api, job: Job, orchestrator: Orchestrator) -> None:
    def cancel(_: Asked) -> int:
        assert api.post(f"/jobs/{job.pk}/cancel").status_code == 200
        connection.close()
        return 200

    orchestrator.answers = [cancel]
    answer = api.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert answer.json()["details"]["attempted_status"] == "AUDIO_EXTRACTING"
    assert (status(job), events(job, "JOB_RUN")) == ("CANCELLED", 0)
    assert told_to_cancel(job) == 2, "by the cancel, and once more"


def test_the_orchestrator_is_told_of_a_cancel(api: Api, job: Job, orchestrator: Orchestrator) -> None:
    from jobs.tasks import tell_cancelled

    dispatch_id = api.post(f"/jobs/{job.pk}/run").json()["dispatch_id"]
    assert api.post(f"/jobs/{job.pk}/cancel").status_code == 200
    assert orchestrator.cancellations == [], "the answer does not wait for the orchestrator"
    tell_cancelled(dispatch_id, str(job.pk), "c-1")
    (told,) = orchestrator.cancellations
    assert told.body["dispatch_id"] == dispatch_id and told.body["job_id"] == str(job.pk)
    assert told.headers["idempotency-key"] == f"{dispatch_id}:cancel"
    late = send(job, "AUDIO_READY", dispatch_id=dispatch_id)
    assert (late.status_code, late.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")


def test_an_orchestrator_that_is_silent_for_too_long_fails_the_job(
    api: Api, job: Job, orchestrator: Orchestrator
) -> None:
    api.post(f"/jobs/{job.pk}/run")
    time_out_silent_jobs()
    assert status(job) == "AUDIO_EXTRACTING"
    Dispatch.objects.update(accepted_at=Now() - timedelta(minutes=16))
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    failed = api.get(f"/jobs/{job.pk}").json()
    assert (failed["status"], failed["failure"]["failure_code"]) == ("FAILED", "JOB_TIMED_OUT")
    assert failed["failure"]["failed_stage"] == "AUDIO_EXTRACTING"
    event = AuditEvent.objects.filter(job=job).latest("id")
    assert failed["failure"]["correlation_id"] == event.correlation_id
    assert not Dispatch.objects.get(job=job).is_open


def test_an_open_dispatch_counts_among_the_owners_active_jobs(
    api: Api, orchestrator: Orchestrator, settings: Any
) -> None:
    settings.ACTIVE_JOBS_PER_OWNER = 1
    lost, other = make_job(JobStatus.UPLOADED, owner=api.user), make_job(JobStatus.UPLOADED, owner=api.user)
    orchestrator.answers = [None]
    assert api.post(f"/jobs/{lost.pk}/run").status_code == 502
    assert api.post(f"/jobs/{other.pk}/run").status_code == 429
    assert api.post(f"/jobs/{lost.pk}/run").status_code == 202


@pytest.mark.parametrize(
    ("secret", "key"), [("plain characters", b"plain characters"), ("whsec_AQIDBA==", b"\x01\x02\x03\x04")]
)
def test_the_key_that_signs(secret: str, key: bytes) -> None:
    assert signing_key(secret) == key


def test_an_answer_that_drips_is_not_waited_for_beyond_the_whole_time(
    api: Api, job: Job, settings: Any
) -> None:
    """Each byte comes in time, the whole answer never: only a limit over all of it ends the call."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings.ORCHESTRATOR, settings.ORCHESTRATOR_SECONDS = "http", 0.6
    settings.ORCHESTRATOR_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gone = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(40):
                connection.sendall(b"X-Drip: 1\r\n")
                if gone.wait(0.1):
                    return
            connection.sendall(b"Content-Length: 0\r\n\r\n")
        except OSError:
            return  # the caller hung up, as it should

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    assert api.post(f"/jobs/{job.pk}/run").status_code == 502
    assert Dispatch.objects.get(job=job).is_open, "nobody knows whether it was taken"
    gone.set()
    thread.join(5)
    listener.close()


def test_a_job_that_only_callbacks_moved_times_out_too(job: Job) -> None:
    assert send(job, "AUDIO_EXTRACTING").status_code == 204
    time_out_silent_jobs()
    assert status(job) == "AUDIO_EXTRACTING"
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status(job) == "FAILED"


@pytest.mark.parametrize("run_status", ["PENDING", "RUNNING"])
def test_a_job_of_our_own_workers_is_not_silent(api: Api, job: Job, run_status: str) -> None:
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202
    PipelineRun.objects.filter(job=job).update(status=run_status)
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status(job) == "AUDIO_EXTRACTING"
