"""Rewriting whose processes are killed or stopped, by SIGKILL and SIGSTOP, and calls that come in between.

Whatever happens, the job is REGENERATING no longer than its task lasts, and of one task there is one version at most.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instructions.models import InstructionVersion, RegenerateTask
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.elapsed import between_sweeps, expire_leases, recover
from tests.factories import Api
from tests.instructions.asking import WRITTEN, newest, regenerate, request_rewriting, spoken_job, wanted
from tests.instructions.slow_worker import SlowWorker, slow_worker
from tests.jobs.killer import Killer, after_each_step
from tests.jobs.seen import status_of

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(170)]


@pytest.fixture
def worker(api: Api, tmp_path: Path) -> Iterator[SlowWorker]:
    with slow_worker(tmp_path) as running:
        yield running


def wait_for(task: RegenerateTask, status: str, seconds: float = 30) -> RegenerateTask:
    end = time.monotonic() + seconds
    while (found := RegenerateTask.objects.get(pk=task.pk)).status != status:
        assert time.monotonic() < end, f"it is {found.status} {found.failure_code}"
        time.sleep(0.05)
    return found


def assert_written_once(job: Job) -> None:
    task = RegenerateTask.objects.get(job=job)
    assert (task.status, task.instruction_version, task.progress_pct) == ("SUCCEEDED", 3, 100)
    versions = InstructionVersion.objects.filter(instruction__job=job).order_by("version")
    assert list(versions.values_list("version", "source")) == [(1, "draft"), (2, "edit"), (3, "regenerate")]
    assert WRITTEN in newest(job).markdown
    assert status_of(job) == "EDITING"
    events = AuditEvent.objects.filter(job=job, event_type__startswith="JOB_REGENERATE").order_by("id")
    assert list(events.values_list("event_type", flat=True)) == [
        "JOB_REGENERATE_STARTED",
        "JOB_REGENERATE_FINISHED",
    ]


def test_a_request_that_is_killed(api: Api, killer: Killer) -> None:
    bodies: dict[Any, dict[str, Any]] = {}

    def request(job: Job) -> dict[str, Any]:
        bodies[job.pk] = wanted(job)
        path = f"/api/v1/instructions/{job.instruction_id}/regenerate"
        return {"method": "POST", "path": path, "body": bodies[job.pk], "headers": api.headers}

    def check(job: Job) -> None:
        is_asked = RegenerateTask.objects.filter(job=job).exists()
        assert status_of(job) == ("REGENERATING" if is_asked else "EDITING")
        again = api.post(f"/instructions/{job.instruction_id}/regenerate", bodies[job.pk])
        assert again.status_code == (200 if is_asked else 202)
        recover()
        assert_written_once(job)

    assert after_each_step(killer, lambda: spoken_job(api), request, check) >= 10


def test_a_worker_that_is_killed_between_any_two_of_its_steps(api: Api, killer: Killer) -> None:
    def asked() -> Job:
        job = spoken_job(api)
        request_rewriting(api, job)
        return job

    def check(job: Job) -> None:
        assert status_of(job) in ("REGENERATING", "EDITING")
        recover()
        assert_written_once(job)

    assert after_each_step(killer, asked, lambda job: {"work": True}, check) >= 20


def test_a_failure_that_is_killed_while_it_is_written_down(api: Api, killer: Killer) -> None:
    def asked() -> Job:
        job = spoken_job(api)
        request_rewriting(api, job)
        saved = api.put(f"/instructions/{job.instruction_id}", {"base_version": 2, "markdown": "# Other\n"})
        assert saved.status_code == 200
        return job

    def check(job: Job) -> None:
        recover()
        task = RegenerateTask.objects.get(job=job)
        assert (task.status, task.failure_code) == ("FAILED", "BASE_VERSION_MOVED")
        assert (status_of(job), newest(job).version) == ("EDITING", 3)
        assert AuditEvent.objects.filter(job=job, event_type="JOB_REGENERATE_FINISHED").count() == 1

    assert after_each_step(killer, asked, lambda job: {"work": True}, check) >= 10


def test_a_worker_that_is_killed_while_the_model_writes(api: Api, worker: SlowWorker) -> None:
    job = spoken_job(api)
    task = request_rewriting(api, job)
    worker.wait_until_asked()
    worker.process.kill()
    assert status_of(job) == "REGENERATING"
    recover()
    assert_written_once(job)
    task.refresh_from_db()
    assert (task.losses, task.retries) == (1, 0)


def test_a_worker_that_was_stopped_past_its_lease_writes_nothing(api: Api, worker: SlowWorker) -> None:
    job = spoken_job(api)
    request_rewriting(api, job)
    worker.wait_until_asked()
    with between_sweeps():
        worker.process.send_signal(signal.SIGSTOP)
    expire_leases()
    recover()
    assert_written_once(job)
    worker.answer("What comes too late.")
    worker.process.send_signal(signal.SIGCONT)
    later = request_rewriting(api, job)
    worker.wait_until_asked()  # it has given the first one up, and goes on
    assert (newest(job).version, status_of(job)) == (3, "REGENERATING")
    worker.answer("What comes in time.")
    assert wait_for(later, "SUCCEEDED").instruction_version == 4
    assert "What comes in time." in newest(job).markdown
    assert "too late" not in newest(job).markdown and status_of(job) == "EDITING"


def test_a_save_meanwhile_is_never_overwritten(api: Api, worker: SlowWorker) -> None:
    job = spoken_job(api)
    task = request_rewriting(api, job)
    worker.wait_until_asked()
    body = {"base_version": 2, "markdown": "# Guide\n\nWhat the owner wrote.\n"}
    saved = api.put(f"/instructions/{job.instruction_id}", body)
    assert (saved.status_code, saved.json()["version"], status_of(job)) == (200, 3, "REGENERATING")
    worker.answer("What the model wrote.")
    failed = wait_for(task, "FAILED")
    assert failed.failure_code == "BASE_VERSION_MOVED"
    assert newest(job).markdown == saved.json()["markdown"]
    assert status_of(job) == "EDITING"
    assert regenerate(api, job).status_code == 202


def test_a_cancel_meanwhile_ends_the_task_and_nothing_is_written(api: Api, worker: SlowWorker) -> None:
    job = spoken_job(api)
    task = request_rewriting(api, job)
    worker.wait_until_asked()
    assert api.post(f"/jobs/{job.pk}/cancel").status_code == 200
    cancelled = RegenerateTask.objects.get(pk=task.pk)
    assert (cancelled.status, cancelled.failure_code) == ("FAILED", "JOB_CANCELLED")
    worker.answer("What the model wrote.")
    other = spoken_job(api)
    request_rewriting(api, other)
    worker.wait_until_asked()  # it has given the first one up
    assert (status_of(job), newest(job).version) == ("CANCELLED", 2)
    last = job.events.order_by("id").values_list("event_type", "new_status")
    assert list(last)[-2:] == [("JOB_CANCELLED", "CANCELLED"), ("JOB_REGENERATE_FINISHED", "")]
    assert RegenerateTask.objects.get(pk=task.pk).updated_at == cancelled.updated_at


def test_a_done_job_that_is_deleted_meanwhile_is_gone(api: Api, worker: SlowWorker) -> None:
    job = spoken_job(api, JobStatus.DONE)
    request_rewriting(api, job)
    worker.wait_until_asked()
    assert api.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    worker.answer("What the model wrote.")
    request_rewriting(api, spoken_job(api))
    worker.wait_until_asked()
    assert not InstructionVersion.objects.filter(instruction__job=job.pk).exists()
    assert not RegenerateTask.objects.filter(job=job.pk).exists()
