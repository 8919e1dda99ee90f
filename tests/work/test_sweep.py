"""The sweep takes a row only from a worker that has lost it: not from one that was slow, and not when it has ended."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from anchors.models import ScreenshotTask
from config.work import sweep as sweep_module
from config.work.models import WorkRow
from config.work.sweep import sweep_work_rows
from jobs.models import Job, PipelineRun
from jobs.states import JobStatus
from tests.contract import ROAD
from tests.elapsed import between_sweeps
from tests.factories import Api, make_job, make_run, make_screenshot_task, report
from tests.races import at_once, beside

LOST = {"status": "RUNNING", "attempt": 4, "lease_expires_at": Now() - timedelta(seconds=1)}


@pytest.fixture(params=[0, 8], ids=["lost for the first time", "lost too often"])
def losses(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def sweep_and_meanwhile(happens: Any) -> dict[str, int]:
    """Sweep; right after the sweep has listed the rows that lost their workers, something happens."""
    happened = list[bool]()

    def after_listing(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        result = execute(sql, parameters, many, context)
        if (
            not happened
            and "ORDER BY" in sql
            and '"lease_expires_at" ASC' in sql
            and context["cursor"].rowcount
        ):
            happened.append(True)
            happens()
        return result

    with connection.execute_wrapper(after_listing):
        counts = sweep_work_rows()
    assert happened, "the sweep has listed nothing"
    return counts


def status_of(row: WorkRow) -> str:
    return str(type(row)._default_manager.get(pk=row.pk).status)


def test_a_row_that_its_slow_worker_ends_is_left_as_it_ended(owner: Api, losses: int) -> None:
    task = make_screenshot_task(make_job(JobStatus.EDITING, owner=owner.user), **LOST, losses=losses)
    counts = sweep_and_meanwhile(lambda: ScreenshotTask.objects.get(pk=task.pk).close("SUCCEEDED"))
    assert (status_of(task), counts) == ("SUCCEEDED", {"enqueued": 0, "recovered": 0, "failed": 0})


def test_a_job_whose_run_is_done_in_between_is_not_failed(owner: Api, losses: int) -> None:
    run = make_run(owner=owner.user, **LOST, losses=losses)
    job = Job.objects.get(pk=run.job_id)

    def finish() -> None:
        for status in ROAD[1:]:
            report(job, JobStatus(status))

    sweep_and_meanwhile(finish)
    assert Job.objects.get(pk=job.pk).status == "DRAFT_READY"
    assert status_of(run) == "SUCCEEDED"


def test_a_row_whose_late_heartbeat_comes_keeps_its_worker(owner: Api, losses: int) -> None:
    run = make_run(owner=owner.user, **LOST, losses=losses)
    renewed = PipelineRun.objects.filter(pk=run.pk)
    sweep_and_meanwhile(lambda: renewed.update(lease_expires_at=Now() + timedelta(seconds=10)))
    now = PipelineRun.objects.get(pk=run.pk)
    assert (now.status, now.attempt, now.losses) == ("RUNNING", 4, losses)
    assert Job.objects.get(pk=run.job_id).status == "AUDIO_EXTRACTING"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_a_frozen_transaction_holds_holds_up_no_other() -> None:
    frozen, other = make_run(**LOST), make_run(**LOST)
    held, done = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        with transaction.atomic():
            PipelineRun.objects.select_for_update().get(pk=frozen.pk)
            held.set()
            assert done.wait(20)

    def sweep(_: int) -> dict[str, int]:
        assert held.wait(20)
        try:
            return sweep_work_rows()
        finally:
            done.set()

    counts = at_once(2, lambda number: (hold, sweep)[number](number))[1]
    assert counts == {"enqueued": 0, "recovered": 1, "failed": 0}
    assert (status_of(frozen), status_of(other)) == ("RUNNING", "PENDING")


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_was_stopped_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(**LOST)
    monkeypatch.setattr(sweep_module, "MAX_IDLE_MS", 200)
    stopped, done = threading.Event(), threading.Event()

    def recover(kind: Any, row: WorkRow) -> Any:
        if not stopped.is_set():
            stopped.set()
            assert done.wait(20)
        return real(kind, row)

    real = sweep_module._recover
    monkeypatch.setattr(sweep_module, "_recover", recover)

    def sweep_and_stop() -> None:
        with pytest.raises(OperationalError, match="is closed"):
            sweep_work_rows()

    with beside(sweep_and_stop):
        assert stopped.wait(20)
        try:
            with between_sweeps():
                assert sweep_work_rows() == {"enqueued": 0, "recovered": 1, "failed": 0}
        finally:
            done.set()
    assert status_of(run) == "PENDING"
