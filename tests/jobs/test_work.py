"""The mechanism of work rows: claim, lease, fencing, retries and sweep, on a real table."""

from __future__ import annotations

import errno
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from jobs import hooks, work
from jobs.models import Dispatch, Job
from jobs.orchestrators import local
from jobs.states import JobStatus
from jobs.work import Lease, LeaseLost, WorkFailed
from tests.factories import Api, make_job, work_off


def waiting_dispatch(**fields: Any) -> Dispatch:
    """A job that was run, its dispatch waiting for a worker."""
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    Dispatch.objects.filter(pk=job.dispatch_id).update(status="PENDING", orchestrator="local", **fields)
    return Dispatch.objects.get(pk=job.dispatch_id)


def expire(row: Dispatch) -> None:
    Dispatch.objects.filter(pk=row.pk).update(lease_expires_at=Now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_row() -> None:
    row = waiting_dispatch()
    barrier, got = threading.Barrier(8), []

    def claim() -> None:
        barrier.wait()
        got.append(Dispatch.claim(row.pk))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claimed is not None for claimed in got) == 1


def test_a_row_whose_time_has_not_come_is_not_claimed(db: None) -> None:
    row = waiting_dispatch(available_at=Now() + timedelta(seconds=60))
    assert Dispatch.claim(row.pk) is None


def test_a_worker_that_lost_its_row_can_no_longer_finish(db: None) -> None:
    row = waiting_dispatch()
    asleep = Dispatch.claim(row.pk)
    assert asleep
    expire(row)
    work.sweep()
    Dispatch.objects.filter(pk=row.pk).update(available_at=Now())
    assert Dispatch.claim(row.pk)
    with pytest.raises(LeaseLost), Lease(asleep).hold():
        pytest.fail("a stale worker got in")


def test_a_report_of_a_worker_that_lost_its_row_changes_nothing(db: None) -> None:
    row = waiting_dispatch()
    asleep = Dispatch.claim(row.pk)
    assert asleep
    expire(row)
    work.sweep()
    with pytest.raises(LeaseLost):
        local._report(row.job, asleep, Lease(asleep), JobStatus.AUDIO_READY)
    assert Job.objects.get(pk=row.job_id).status == "AUDIO_EXTRACTING"


def test_the_sweep_takes_back_three_times_with_growing_delays_then_fails_the_job(db: None) -> None:
    row = waiting_dispatch()
    delays = []
    for _ in range(3):
        Dispatch.objects.filter(pk=row.pk).update(available_at=Now())
        assert Dispatch.claim(row.pk)
        expire(row)
        assert work.sweep()["taken_back"] == 1
        again = Dispatch.objects.annotate(now=Now()).get(pk=row.pk)
        delays.append(round((again.available_at - again.now).total_seconds()))
    assert delays == [5, 10, 20]
    Dispatch.objects.filter(pk=row.pk).update(available_at=Now())
    assert Dispatch.claim(row.pk)
    expire(row)
    assert work.sweep()["failed"] == 1
    job = Job.objects.get(pk=row.job_id)
    assert (job.status, job.failure["failure_code"]) == ("FAILED", "WORKER_LOST")
    assert Dispatch.objects.get(pk=row.pk).status == "FAILED"


def test_the_sweep_leaves_a_row_with_a_living_lease_alone(db: None) -> None:
    row = waiting_dispatch()
    assert Dispatch.claim(row.pk)
    assert work.sweep() == {"rung": 0, "taken_back": 0, "failed": 0}


@pytest.mark.django_db(transaction=True)
def test_the_sweep_rings_again_for_what_waits_though_every_message_is_lost() -> None:
    row = waiting_dispatch(available_at=Now() - timedelta(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")
        assert work.sweep()["rung"] == 1
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
def test_work_that_cannot_succeed_fails_the_job_and_any_other_error_is_tried_again(
    db: None, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, code: str | None
) -> None:
    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        raise error

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    row = waiting_dispatch()
    assert work.perform_row(Dispatch, row.pk)
    job = Job.objects.get(pk=row.job_id)
    assert job.status == status
    assert (job.failure or {}).get("failure_code") == code
    if code is None:
        again = Dispatch.objects.get(pk=row.pk)
        assert (again.status, again.retries) == ("PENDING", 1)


@pytest.mark.django_db(transaction=True)
def test_cancelling_stops_the_running_stage_at_its_next_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "HEARTBEAT_SECONDS", 0.05)
    began, stopped = threading.Event(), threading.Event()

    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        began.set()
        try:
            while True:
                lease.report(0.5)
                threading.Event().wait(0.01)
        except LeaseLost:
            stopped.set()
            raise

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    row = waiting_dispatch()
    owner = Api(row.job.owner)

    def perform() -> None:
        work.perform_row(Dispatch, row.pk)
        connection.close()

    worker = threading.Thread(target=perform)
    worker.start()
    assert began.wait(10)
    assert owner.post(f"/jobs/{row.job_id}/cancel").json()["status"] == "CANCELLED"
    assert stopped.wait(10)
    worker.join()
    assert Job.objects.get(pk=row.job_id).status == "CANCELLED"


def test_a_stage_that_is_done_is_not_done_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    performed = []
    for name, updates in (
        ("AUDIO_EXTRACTING", {"audio_uri": "gs://x/y"}),
        ("TRANSCRIBING", {"transcript": {"language": "en", "recogniser": "t", "segments": []}}),
        ("GENERATING", {"draft": {"markdown": "# A\n"}}),
    ):

        def stage(job: Job, lease: Lease, name: str = name, updates: Any = updates) -> dict[str, Any]:
            performed.append(name)
            if name == "TRANSCRIBING" and performed.count(name) == 1:
                raise RuntimeError("the first time it breaks")
            return dict(updates)

        monkeypatch.setitem(hooks.STAGES, name, stage)
    row = waiting_dispatch()
    work_off()
    Dispatch.objects.filter(pk=row.pk).update(available_at=Now())
    work_off()
    assert performed == ["AUDIO_EXTRACTING", "TRANSCRIBING", "TRANSCRIBING", "GENERATING"]
    assert Job.objects.get(pk=row.job_id).status == "DRAFT_READY"
    assert Dispatch.objects.get(pk=row.pk).status == "SUCCEEDED"
