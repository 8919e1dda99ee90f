"""The mechanism of work rows: claim, lease, fencing, retries and sweep, on a real table."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from config.work import lease
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from config.work.sweep import sweep_work_rows
from jobs import hooks, pipeline
from jobs.models import Job, PipelineRun
from jobs.services.transitions import lock_job
from jobs.states import JobStatus
from tests.elapsed import expire_leases
from tests.factories import make_run, perform
from tests.races import at_once, beside

RUNNING = {"status": "RUNNING", "attempt": 1, "lease_expires_at": Now() - timedelta(seconds=1)}


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_row() -> None:
    row = make_run()
    got = at_once(8, lambda _: PipelineRun.claim(row.pk))
    assert sum(claimed is not None for claimed in got) == 1


def test_a_row_whose_time_has_not_come_is_not_claimed(db: None) -> None:
    row = make_run(available_at=Now() + timedelta(seconds=60))
    assert PipelineRun.claim(row.pk) is None


def test_a_worker_that_lost_its_row_can_no_longer_finish(db: None) -> None:
    row = make_run()
    asleep = PipelineRun.claim(row.pk)
    assert asleep
    expire_leases()
    sweep_work_rows()
    PipelineRun.objects.filter(pk=row.pk).update(available_at=Now())
    assert PipelineRun.claim(row.pk)
    with pytest.raises(LeaseLost), Lease(asleep).hold(before=lambda: None):
        pytest.fail("a stale worker got in")


@contextmanager
def somebody_locks(row: Job, *, seconds: float) -> Iterator[None]:
    """Another transaction holds the row for so long; here, a statement waits 0.1 s for it."""
    locked = threading.Event()

    def lock() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=row.pk)
            locked.set()
            time.sleep(seconds)

    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        with beside(lock):
            assert locked.wait(20)
            yield
    finally:
        connection.close()


def finish_under_lock(run: PipelineRun) -> None:
    with Lease(run).hold(before=lambda: lock_job(run.job_id)):
        run.close(run.SUCCEEDED)


def report_done(run: PipelineRun) -> None:
    pipeline._report(run.job, run, Lease(run), JobStatus.AUDIO_READY, updates={"audio_uri": "gs://x/y"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("finish", [finish_under_lock, report_done])
def test_finished_work_waits_for_who_holds_its_job(finish: Callable[[PipelineRun], None]) -> None:
    run = PipelineRun.claim(make_run().pk)
    assert run
    with somebody_locks(run.job, seconds=0.5):
        finish(run)


@pytest.mark.django_db(transaction=True)
def test_finished_work_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOCK_SECONDS", 0.2)
    run = PipelineRun.claim(make_run().pk)
    assert run
    with somebody_locks(run.job, seconds=1.5), pytest.raises(OperationalError):
        finish_under_lock(run)


def test_a_report_of_a_worker_that_lost_its_row_changes_nothing(db: None) -> None:
    row = make_run()
    asleep = PipelineRun.claim(row.pk)
    assert asleep
    expire_leases()
    sweep_work_rows()
    with pytest.raises(LeaseLost):
        pipeline._report(row.job, asleep, Lease(asleep), JobStatus.AUDIO_READY)
    assert Job.objects.get(pk=row.job_id).status == "AUDIO_EXTRACTING"


def lose(row: PipelineRun) -> dict[str, int]:
    """The row is claimed, its worker dies, and the sweep comes by."""
    PipelineRun.objects.filter(pk=row.pk).update(available_at=Now())
    assert PipelineRun.claim(row.pk)
    expire_leases()
    return sweep_work_rows()


def test_a_row_whose_worker_is_lost_waits_longer_each_time_then_fails(db: None) -> None:
    row = make_run()
    for loss in range(8):
        assert lose(row)["recovered"] == 1
        again = PipelineRun.objects.annotate(now=Now()).get(pk=row.pk)
        delay = (again.available_at - again.now).total_seconds()
        assert 2**loss - 0.5 <= delay <= 3 * 2**loss
        assert (again.losses, again.retries) == (loss + 1, 0)
    assert lose(row)["failed"] == 1
    job = Job.objects.get(pk=row.job_id)
    assert (job.status, job.failure["failure_code"]) == ("FAILED", "WORKER_LOST")
    assert PipelineRun.objects.get(pk=row.pk).status == "FAILED"


def test_rows_that_are_lost_together_are_not_tried_together(db: None) -> None:
    rows = [make_run(**RUNNING, losses=5) for _ in range(8)]
    assert sweep_work_rows()["recovered"] == len(rows)
    due = sorted(PipelineRun.objects.values_list("available_at", flat=True))
    assert due[-1] - due[0] > timedelta(seconds=8), "spread over 64 s, by chance"


def test_an_error_of_its_own_counts_no_loss_and_a_loss_no_retry(db: None) -> None:
    row = make_run()
    assert lose(row)["recovered"] == 1
    PipelineRun.objects.filter(pk=row.pk).update(available_at=Now())
    claimed = PipelineRun.claim(row.pk)
    assert claimed and claimed.retry_later()
    again = PipelineRun.objects.get(pk=row.pk)
    assert (again.losses, again.retries) == (1, 1)


def test_the_sweep_leaves_a_row_with_a_living_lease_alone(db: None) -> None:
    row = make_run()
    assert PipelineRun.claim(row.pk)
    assert sweep_work_rows() == {"enqueued": 0, "recovered": 0, "failed": 0}


@pytest.mark.django_db(transaction=True)
def test_the_sweep_enqueues_what_waits_though_every_message_is_lost() -> None:
    row = make_run(available_at=Now() - timedelta(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")
        assert sweep_work_rows()["enqueued"] == 1
        cursor.execute("SELECT message->'args'->>0 FROM dramatiq.queue")
        assert cursor.fetchall() == [(str(row.pk),)]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (WorkFailed("NO_AUDIO", "No sound."), "FAILED", "NO_AUDIO"),
        (OSError(errno.ENOSPC, "No space left on device"), "FAILED", "STORAGE_FULL"),
        (RuntimeError("boom"), "AUDIO_EXTRACTING", None),
        (OSError(errno.EIO, "I/O error"), "AUDIO_EXTRACTING", None),
    ],
)
def test_work_that_cannot_succeed_fails_and_other_errors_are_retried(
    db: None, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, code: str | None
) -> None:
    def stage(job: Job, held: Lease) -> dict[str, Any]:
        raise error

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    row = make_run()
    assert perform(row)
    job = Job.objects.get(pk=row.job_id)
    assert job.status == status
    assert (job.failure or {}).get("failure_code") == code
    if code is None:
        again = PipelineRun.objects.get(pk=row.pk)
        assert (again.status, again.retries) == ("PENDING", 1)
