"""Calls at the same time, and every way in which a rewriting ends: the job is never left REGENERATING."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from config.work.enqueue import actor_name
from config.work.models import MAX_LOSSES, RETRY_DELAYS
from config.work.sweep import sweep_work_rows
from exports.models import Export
from instructions.language_models import LanguageModelError
from instructions.models import InstructionVersion, RegenerateTask
from jobs.models import Job
from jobs.services.audit import Attribution
from jobs.services.transitions import lock_job, move_job
from jobs.states import ActorType, JobStatus
from tests.elapsed import expire_leases, make_due, recover
from tests.factories import Api, make_user, perform, work_off
from tests.instructions.asking import answer_with, newest, regenerate, request_rewriting, spoken_job, wanted
from tests.jobs.seen import count_events, status_of
from tests.races import at_once, beside
from tests.workers import running_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = 12


@pytest.fixture
def api(settings: Any) -> Api:
    settings.THROTTLE_RATE = None
    return Api(make_user("owner"))


def test_of_many_identical_requests_at_once_there_is_one_task(api: Api) -> None:
    job = spoken_job(api, JobStatus.EDITING)
    path, body = f"/instructions/{job.instruction_id}/regenerate", wanted(job)
    answers = at_once(24, lambda _: api.post(path, body))
    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [202]
    assert len({answer.json()["id"] for answer in answers}) == RegenerateTask.objects.count() == 1
    assert sorted(answer.json()["replayed"] for answer in answers) == [False] + [True] * 23
    assert count_events(job, "JOB_REGENERATE_STARTED") == 1


def test_of_different_requests_at_once_one_is_taken(api: Api) -> None:
    job = spoken_job(api)
    path, bodies = f"/instructions/{job.instruction_id}/regenerate", [wanted(job) for _ in range(20)]
    answers = at_once(20, lambda number: api.post(path, bodies[number]))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    task = RegenerateTask.objects.get()
    assert {one["code"] for one in refused} == {"REGENERATE_IN_PROGRESS"}
    assert {one["details"]["active_task_id"] for one in refused} == {str(task.pk)}
    work_off()
    assert (newest(job).version, status_of(job)) == (3, "EDITING")


def export_and_rewrite(api: Api, job: Job, *, head_start: float) -> tuple[Any, Any]:
    """Ask for both at once, and return the answers. An export is made ready for some milliseconds before it is asked
    for: `head_start` has the rewriting wait, in seconds."""
    body, asked = wanted(job), {"format": "MD_ZIP", "instruction_version_id": str(newest(job).pk)}

    def call(index: int) -> Any:
        if index == 0:
            return api.post(f"/jobs/{job.pk}/exports", asked)
        time.sleep(head_start)
        return api.post(f"/instructions/{job.instruction_id}/regenerate", body)

    export, rewriting = at_once(2, call)
    return export, rewriting


def assert_nothing_is_open() -> None:
    assert not RegenerateTask.objects.filter(status__in=RegenerateTask.ACTIVE).exists()
    assert not Export.objects.filter(status__in=Export.ACTIVE).exists()


def test_of_an_export_and_a_rewriting_at_once_one_is_taken(api: Api) -> None:
    for number in range(ROUNDS):
        job = spoken_job(api)
        export, rewriting = export_and_rewrite(api, job, head_start=0.01 * (number % 4))
        is_rewriting = rewriting.status_code == 202
        winner, loser = (rewriting, export) if is_rewriting else (export, rewriting)
        assert (winner.status_code, loser.status_code) == (202, 409)
        assert loser.json()["code"] == "FSM_TRANSITION_INVALID"
        assert status_of(job) == ("REGENERATING" if is_rewriting else "EXPORTING")
        work_off()
        assert_nothing_is_open()
        assert status_of(job) == ("EDITING" if is_rewriting else "DONE")


def test_the_export_and_the_rewriting_of_a_done_job_both_go_on(api: Api) -> None:
    for number in range(ROUNDS // 2):
        job = spoken_job(api, JobStatus.DONE)
        export, rewriting = export_and_rewrite(api, job, head_start=0.01 * (number % 4))
        assert (export.status_code, rewriting.status_code, status_of(job)) == (202, 202, "DONE")
        at_once(2, lambda _: work_off())
        assert_nothing_is_open()
        assert (Export.objects.filter(job=job).get().status, newest(job).version) == ("SUCCEEDED", 3)
        assert status_of(job) == "DONE"


def test_a_save_and_the_end_of_a_rewriting_at_once(api: Api) -> None:
    """One of the two makes version 3, and the other one says that it came too late."""
    for number in range(ROUNDS):
        job = spoken_job(api)
        task = request_rewriting(api, job)
        text = newest(job).markdown + f"\nThe owner's words {number}.\n"
        body = {"base_version": 2, "markdown": text}
        path = f"/instructions/{job.instruction_id}"
        calls: list[Callable[[], Any]] = [
            lambda task=task: perform(task),
            lambda path=path, body=body: api.put(path, body),
        ]
        _, saved = at_once(2, lambda index, calls=calls: calls[index]())
        task.refresh_from_db()
        assert status_of(job) == "EDITING"
        assert newest(job).version == 3
        if saved.status_code == 200:
            assert (task.status, task.failure_code) == ("FAILED", "BASE_VERSION_MOVED")
            assert newest(job).markdown == saved.json()["markdown"]
        else:
            assert saved.json()["code"] == "VERSION_CONFLICT"
            assert (task.status, task.instruction_version) == ("SUCCEEDED", 3)


def test_a_cancel_and_the_end_of_a_rewriting_at_once(api: Api) -> None:
    for _ in range(ROUNDS):
        job = spoken_job(api)
        task = request_rewriting(api, job)
        calls: list[Callable[[], Any]] = [
            lambda task=task: perform(task),
            lambda job=job: api.post(f"/jobs/{job.pk}/cancel"),
        ]
        _, cancelled = at_once(2, lambda index, calls=calls: calls[index]())
        task.refresh_from_db()
        assert (cancelled.status_code, status_of(job)) == (200, "CANCELLED")
        is_written = newest(job).version == 3
        assert task.status == ("SUCCEEDED" if is_written else "FAILED")
        assert task.failure_code == ("" if is_written else "JOB_CANCELLED")
        assert count_events(job, "JOB_REGENERATE_FINISHED") == 1


def test_a_failure_that_comes_after_a_cancel_is_not_written_down(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel_and_fail(text: str, context: str | None) -> str:
        with beside(lambda: api.post(f"/jobs/{job.pk}/cancel")):
            pass
        raise LanguageModelError("MODEL_UNAVAILABLE", "The model does not answer.")

    answer_with(monkeypatch, cancel_and_fail)
    job = spoken_job(api)
    task = request_rewriting(api, job)
    work_off()
    task.refresh_from_db()
    assert (task.status, task.failure_code, status_of(job)) == ("FAILED", "JOB_CANCELLED", "CANCELLED")
    assert count_events(job, "JOB_REGENERATE_FINISHED") == 1


@pytest.mark.parametrize("is_running", [False, True])
def test_a_job_that_staff_fail_takes_its_task_along(api: Api, is_running: bool) -> None:
    job = spoken_job(api)
    task = request_rewriting(api, job)
    if is_running:
        assert RegenerateTask.claim(task.pk)
    with transaction.atomic():
        move_job(lock_job(job.pk), "fail", by=Attribution(ActorType.STAFF))
    work_off()
    task.refresh_from_db()
    assert (task.status, task.failure_code, task.failed_stage) == ("FAILED", "JOB_CANCELLED", "REGENERATING")
    assert (status_of(job), newest(job).version) == ("FAILED", 2)


def test_a_task_that_was_lost_too_often_fails(api: Api) -> None:
    job = spoken_job(api)
    task = request_rewriting(api, job)
    for _ in range(MAX_LOSSES):
        assert RegenerateTask.claim(task.pk)
        expire_leases()
        assert status_of(job) == "REGENERATING"
        assert sweep_work_rows()["recovered"] == 1
        make_due()
    assert RegenerateTask.claim(task.pk)
    recover()
    task.refresh_from_db()
    assert (task.status, task.failure_code, status_of(job)) == ("FAILED", "WORKER_LOST", "EDITING")
    assert regenerate(api, job).status_code == 202


def test_an_error_of_ours_is_tried_again_and_then_fails(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def crash(text: str, context: str | None) -> str:
        asked.append(text)
        raise RuntimeError

    answer_with(monkeypatch, crash)
    job = spoken_job(api)
    task = request_rewriting(api, job)
    for _ in RETRY_DELAYS:
        work_off()
        assert (RegenerateTask.objects.get(pk=task.pk).status, status_of(job)) == ("PENDING", "REGENERATING")
        make_due()
    work_off()
    task.refresh_from_db()
    assert (task.status, task.failure_code, status_of(job)) == ("FAILED", "INTERNAL_ERROR", "EDITING")
    assert len(asked) == 1 + len(RETRY_DELAYS)


def stay(began: threading.Event) -> Callable[[str, str | None], str]:
    """Return the answer of a model that never comes to an end."""

    def answer(text: str, context: str | None) -> str:
        began.set()
        while True:
            time.sleep(0.01)

    return answer


def test_a_task_has_time_for_two_calls_of_the_language_model(settings: Any) -> None:
    actor = dramatiq.get_broker().get_actor(actor_name(RegenerateTask, "language"))
    assert actor.options["time_limit"] == 1000 * (600 + 2 * settings.LLM_TIMEOUT_SECONDS)


def test_a_model_that_takes_too_long_fails_the_task(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = dramatiq.get_broker().get_actor(actor_name(RegenerateTask, "language"))
    monkeypatch.setitem(actor.options, "time_limit", 200)
    answer_with(monkeypatch, stay(threading.Event()))
    job = spoken_job(api)
    with running_worker(""):
        task = request_rewriting(api, job)
        until = time.monotonic() + 20
        while RegenerateTask.objects.get(pk=task.pk).status != "FAILED" and time.monotonic() < until:
            time.sleep(0.05)
    task.refresh_from_db()
    assert (task.failure_code, status_of(job)) == ("TIME_LIMIT_EXCEEDED", "EDITING")


def test_a_worker_that_is_stopped_gives_its_task_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    began = threading.Event()
    job = spoken_job(api)
    with monkeypatch.context() as patched:
        answer_with(patched, stay(began))
        with running_worker("") as worker:
            task = request_rewriting(api, job)
            assert began.wait(20)
            worker.stop()
    task.refresh_from_db()
    assert (task.status, task.retries, status_of(job)) == ("PENDING", 0, "REGENERATING")
    work_off()
    assert (newest(job).version, status_of(job)) == (3, "EDITING")


def test_nothing_is_locked_while_the_model_writes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a slow model would hold up every call about the job."""
    answered = []

    def look(text: str, context: str | None) -> str:
        with beside(lambda: answered.append(lock_and_read(job)), seconds=5):
            pass
        return "What the model wrote."

    answer_with(monkeypatch, look)
    job = spoken_job(api)
    task = request_rewriting(api, job)
    work_off()
    task.refresh_from_db()
    assert (answered, task.status) == (["REGENERATING"], "SUCCEEDED")
    assert InstructionVersion.objects.filter(instruction=job.instruction_id).count() == 3


def lock_and_read(job: Job) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        RegenerateTask.objects.select_for_update().filter(job=job, available_at__lte=Now()).get()
        return str(lock_job(job.pk).status)
