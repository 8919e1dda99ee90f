"""Due times are those of the database: no worker's clock has a say in when a row is tried again."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import dramatiq
import dramatiq.common
import dramatiq.worker
import dramatiq_postgres.broker
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from config.work import workers
from config.work.lanes import Lane
from config.work.models import Worker
from config.work.sweep import enqueue_due, sweep_work_rows
from jobs import hooks
from jobs.models import Job, PipelineRun
from tests.factories import make_run, perform
from tests.races import beside
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def messages() -> list[tuple[str, str, Any]]:
    """(queue, row, eta) of each message that waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, message->'args'->>0, message->'options'->>'eta' FROM dramatiq.queue"
            " WHERE state = 'queued' ORDER BY position"
        )
        return cursor.fetchall()


@pytest.fixture(autouse=True)
def no_messages() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
        return now


def test_a_row_that_is_tried_again_is_enqueued_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise RuntimeError("boom")

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", fail)
    run = make_run()
    assert perform(run)
    assert messages() == [], "no message waits out a delay"
    since = database_now()
    since = enqueue_due([Lane.SPEECH], since)
    assert messages() == []
    early = Now() - timedelta(milliseconds=1)
    PipelineRun.objects.filter(pk=run.pk).update(available_at=early, updated_at=Now() - timedelta(seconds=5))
    enqueue_due([Lane.SPEECH], since - timedelta(seconds=1))
    assert messages() == [("speech", str(run.pk), None)]


def test_what_was_enqueued_when_it_was_written_is_not_enqueued_again() -> None:
    make_run()
    enqueue_due([Lane.SPEECH], database_now() - timedelta(minutes=1))
    assert messages() == []


def test_a_worker_enqueues_what_is_due_in_its_own_lanes() -> None:
    make_run(lane=Lane.BACKFILL, updated_at=Now() - timedelta(seconds=60))
    enqueue_due([Lane.SPEECH, Lane.MEDIA], database_now() - timedelta(minutes=1))
    assert messages() == []
    enqueue_due([Lane.BACKFILL], database_now() - timedelta(minutes=1))
    assert len(messages()) == 1


def test_a_backlog_of_one_lane_hides_no_lost_message_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.work.sweep.MAX_ENQUEUED", 2)
    for _ in range(3):
        make_run(lane=Lane.BACKFILL, available_at=Now() - timedelta(minutes=2))
    make_run(available_at=Now() - timedelta(minutes=1))
    assert sweep_work_rows()["enqueued"] == 3
    assert sorted(queue for queue, _, _ in messages()) == ["backfill", "backfill", "speech"]


def timer() -> workers.Timer:
    return workers.Timer(workers.Workers(dramatiq.get_broker(), dict.fromkeys(Lane, 1)))


def test_a_sweep_that_takes_long_holds_up_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, stopped, swept = timer(), threading.Event(), threading.Event()

    def sweep_long() -> None:
        swept.set()
        assert stopped.wait(20)

    monkeypatch.setattr(workers, "sweep", sweep_long)
    with beside(lambda: workers.sweep_regularly(stopped)):
        assert swept.wait(20)
        for ticks in range(workers.TICKS_PER_BEAT + 1):
            mine.tick(ticks)
        assert Worker.objects.filter(pk=mine.worker_id, heartbeat_at__gt=F("started_at")).exists()
        stopped.set()


def test_sweeps_come_at_the_start_after_10_s_and_every_30_s(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []

    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            happened.append(timeout)
            return len(happened) >= 8

    monkeypatch.setattr(workers, "sweep", lambda: happened.append("sweep"))
    workers.sweep_regularly(Hurried())
    assert happened == ["sweep", 10.0, "sweep", 30.0, "sweep", 30.0, "sweep", 30.0]


@pytest.mark.slow
@pytest.mark.parametrize("shift_ms", [-120_000, 120_000], ids=["slow", "fast"])
def test_a_worker_whose_clock_is_off_tries_again_in_time(
    monkeypatch: pytest.MonkeyPatch, quick_stages: None, shift_ms: int
) -> None:
    """Its clock is two minutes off, and the row is due in a second."""
    real = dramatiq.common.current_millis
    for module in (dramatiq.common, dramatiq.worker, dramatiq_postgres.broker):
        monkeypatch.setattr(module, "current_millis", lambda: real() + shift_ms)
    run = make_run(attempt=1)
    PipelineRun.objects.filter(pk=run.pk).update(status="RUNNING")
    claimed = PipelineRun.objects.get(pk=run.pk)
    monkeypatch.setattr("config.work.models.RETRY_DELAYS", (1,))
    assert claimed.retry_later()
    began = database_now()
    with running_worker(""):
        # The lanes of the running ones have names of the test's own; these, which are not started, have the real ones.
        mine = timer()
        while PipelineRun.objects.get(pk=run.pk).status != "SUCCEEDED":
            mine.tick(1)
            assert database_now() - began < timedelta(seconds=20)
    assert Job.objects.get(pk=run.job_id).status == "DRAFT_READY"
