"""Messages through Dramatiq's real worker with its whole middleware, for each kind of work, and how a worker ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest

from anchors.models import RedactionRun, ScreenActivity, ScreenshotTask, SensitiveSearch
from config.work.broker import own_time_limit
from config.work.enqueue import actor_name
from config.work.lease import Lease
from config.work.models import WorkRow
from config.work.registry import KINDS
from exports.models import Export
from instructions.models import RegenerateTask
from jobs import hooks
from jobs.models import Dispatch, Job, PipelineRun
from jobs.states import JobStatus
from tests.anchors.redacting import redact
from tests.desk import Desk
from tests.elapsed import make_due
from tests.exports.asking import request_export
from tests.factories import Api, make_job
from tests.instructions.asking import request_rewriting
from tests.orchestrator import Orchestrator
from tests.workers import running_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def wait_for(row: WorkRow, status: str, seconds: float = 20) -> WorkRow:
    """Return the row as soon as it has this status."""
    end = time.monotonic() + seconds
    while True:
        found = type(row)._default_manager.get(pk=row.pk)
        if found.status == status:
            return found
        assert time.monotonic() < end, f"{found} is {found.status} {found.failure_code}"
        time.sleep(0.02)


def start_run(owner: Api, job: Job) -> PipelineRun:
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    return PipelineRun.objects.get(job=job)


def test_every_kind_of_work_is_performed_below() -> None:
    pictures = {ScreenshotTask, ScreenActivity, RedactionRun, SensitiveSearch}
    performed = {Dispatch, PipelineRun, RegenerateTask, Export} | pictures
    assert set(KINDS) == performed, "perform the new kind below, by a running_worker"


def test_a_dispatch_is_sent_again(owner: Api, job: Job, orchestrator: Orchestrator) -> None:
    with running_worker(""):
        orchestrator.answers = [None]
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
        dispatch = Dispatch.objects.get(job=job)
        make_due()
        dispatch.enqueue_on_commit()
        wait_for(dispatch, Dispatch.ACCEPTED)
    assert Job.objects.get(pk=job.pk).status == "AUDIO_EXTRACTING"
    assert len(orchestrator.dispatches) == 2 and len(orchestrator.executions) == 1


def test_a_run_goes_through_the_whole_pipeline(owner: Api, job: Job, quick_stages: None) -> None:
    with running_worker(""):
        run = start_run(owner, job)
        wait_for(run, PipelineRun.SUCCEEDED)
    assert Job.objects.get(pk=run.job_id).status == "DRAFT_READY"


def test_a_picture_is_taken(desk: Desk) -> None:
    with running_worker(""):
        task = ScreenshotTask.objects.get(pk=desk.extract().json()["task_id"])
        wait_for(task, ScreenshotTask.SUCCEEDED)


def test_a_video_is_looked_at_and_pictures_are_redacted(desk: Desk) -> None:
    with running_worker(""):
        desk.api.get(f"/jobs/{desk.job.pk}/screenshots/suggestions")
        wait_for(ScreenActivity.objects.get(job=desk.job), ScreenActivity.SUCCEEDED, seconds=60)
        task = ScreenshotTask.objects.get(pk=desk.extract().json()["task_id"])
        wait_for(task, ScreenshotTask.SUCCEEDED)
        redact(desk)
        wait_for(RedactionRun.objects.get(job=desk.job), RedactionRun.SUCCEEDED)


def test_a_video_is_searched_for_what_to_hide(desk: Desk) -> None:
    with running_worker(""):
        desk.api.get(f"/jobs/{desk.job.pk}/redactions/suggestions")
        wait_for(SensitiveSearch.objects.get(job=desk.job), SensitiveSearch.SUCCEEDED, seconds=90)


def test_a_passage_is_rewritten(owner: Api) -> None:
    with running_worker(""):
        task = request_rewriting(owner, make_job(JobStatus.EDITING, owner=owner.user))
        wait_for(task, RegenerateTask.SUCCEEDED)
    assert Job.objects.get(pk=task.job_id).status == "EDITING"


def test_an_export_is_rendered(desk: Desk) -> None:
    with running_worker(""):
        export = Export.objects.get(pk=request_export(desk).json()["id"])
        wait_for(export, Export.SUCCEEDED)
    assert Job.objects.get(pk=desk.job.pk).status == "DONE"


def begin_and_stay(began: threading.Event) -> Callable[[Job, Lease], dict[str, Any]]:
    """Return a stage that never ends by itself."""

    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        began.set()
        while True:
            time.sleep(0.01)

    return stage


def test_work_that_is_past_its_time_limit_fails(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = dramatiq.get_broker().get_actor(actor_name(PipelineRun, "speech"))
    monkeypatch.setitem(actor.options, "time_limit", 200)
    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", begin_and_stay(threading.Event()))
    with running_worker(""):
        run = wait_for(start_run(owner, job), PipelineRun.FAILED)
    assert run.failure_code == "TIME_LIMIT_EXCEEDED"
    shown = owner.get(f"/jobs/{run.job_id}").json()
    assert (shown["status"], shown["failure"]["failure_code"]) == ("FAILED", "TIME_LIMIT_EXCEEDED")
    assert shown["failure"]["failed_stage"] == "AUDIO_EXTRACTING"


@pytest.mark.parametrize(
    ("own_seconds", "seconds_after", "status"),
    [(30, 0.0, PipelineRun.SUCCEEDED), (0.1, 0.0, PipelineRun.FAILED), (30, 30.0, PipelineRun.FAILED)],
)
def test_what_has_a_time_limit_of_its_own_does_not_count(
    owner: Api,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    quick_stages: None,
    own_seconds: float,
    seconds_after: float,
    status: str,
) -> None:
    """Up to its own limit, and what comes after it counts."""
    actor = dramatiq.get_broker().get_actor(actor_name(PipelineRun, "speech"))
    monkeypatch.setitem(actor.options, "time_limit", 1000)

    def sleep(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.01)

    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        with own_time_limit(own_seconds):
            sleep(3)
        sleep(seconds_after)
        return {"audio_uri": "gs://x/y"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    with running_worker(""):
        run = wait_for(start_run(owner, job), status)
    assert run.failure_code == ("" if status == PipelineRun.SUCCEEDED else "TIME_LIMIT_EXCEEDED")


def test_a_worker_that_is_stopped_gives_its_work_to_the_next(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch, quick_stages: None
) -> None:
    began = threading.Event()
    with monkeypatch.context() as patched:
        patched.setitem(hooks.STAGES, "AUDIO_EXTRACTING", begin_and_stay(began))
        with running_worker("") as worker:
            run = start_run(owner, job)
            assert began.wait(20)
            worker.stop()
            again = PipelineRun.objects.get(pk=run.pk)
    assert (again.status, again.retries, again.lease_expires_at) == ("PENDING", 0, None)
    assert Job.objects.get(pk=run.job_id).status == "AUDIO_EXTRACTING"
    with running_worker(""):
        wait_for(run, PipelineRun.SUCCEEDED)
