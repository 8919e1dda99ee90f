"""Queues by kind of work: who goes where, that short work never waits behind long, and the command of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dramatiq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now
from dramatiq.middleware import Shutdown, SkipMessage

from anchors.models import ScreenshotTask
from config.work.broker import StopOnce
from config.work.lanes import Lane
from config.work.models import Worker
from config.work.registry import KINDS
from jobs import hooks
from jobs.models import Artifact, Dispatch, Job, PipelineRun
from tests.database import empty_tables
from tests.desk import Desk
from tests.factories import Api, make_dispatch
from tests.workers import running_worker

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("data", "lane"),
    [
        ({"duration_ms": 600_000}, Lane.SPEECH),
        ({"duration_ms": 600_001}, Lane.BACKFILL),
        ({}, Lane.BACKFILL),
    ],
)
def test_a_run_goes_to_the_lane_of_its_recordings_length(
    owner: Api, job: Job, data: dict[str, int], lane: Lane
) -> None:
    video = job.artifacts.get(kind="video")
    Artifact.objects.create(job=job, kind="video", version=2, uri=video.uri, data=data)
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert PipelineRun.objects.get(job=job).lane == lane


def test_each_lane_has_a_kind_of_work() -> None:
    assert {lane for kind in KINDS.values() for lane in kind.lanes} == set(Lane)


def wait_until(holds, seconds: float = 20) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_picture_is_taken_while_the_other_lanes_are_full(
    desk: Desk, owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def stage(job, lease):  # type: ignore[no-untyped-def]
        began.set()
        assert may_end.wait(20)
        return {"audio_uri": "gs://x/y"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    with running_worker(""):
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
        assert began.wait(20)
        task = ScreenshotTask.objects.get(pk=desk.extract().json()["task_id"])
        wait_until(lambda: ScreenshotTask.objects.get(pk=task.pk).status == "SUCCEEDED")
        assert PipelineRun.objects.get(job=job).status == "RUNNING"
        may_end.set()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_busy_lane_takes_no_message_that_another_worker_could_perform(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def stage(job, lease):  # type: ignore[no-untyped-def]
        began.set()
        assert may_end.wait(20)
        return {"audio_uri": "gs://x/y"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    with running_worker(""), connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
        assert began.wait(20)
        for _ in range(3):
            PipelineRun.objects.get(job=job).enqueue_on_commit()
        time.sleep(1.5)  # more than the longest pause between two looks into the queue
        cursor.execute("SELECT state, count(*) FROM dramatiq.queue GROUP BY state")
        assert dict(cursor.fetchall()) == {"consumed": 1, "queued": 3}
        may_end.set()


def test_work_is_interrupted_once_though_every_lane_is_stopped() -> None:
    middleware, interrupted, done = StopOnce(), list[bool](), threading.Event()

    def work() -> None:
        middleware.manager.add_notification()  # type: ignore[no-untyped-call]
        while not done.is_set():
            try:
                for _ in range(100):
                    time.sleep(0.001)
            except Shutdown:
                interrupted.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    broker = dramatiq.get_broker()
    for _ in range(3):  # as each lane does
        time.sleep(0.05)
        middleware.before_worker_shutdown(broker, dramatiq.Worker(broker))
    time.sleep(0.2)
    done.set()
    thread.join(20)
    assert interrupted == [True]
    with pytest.raises(SkipMessage):
        message = broker.get_actor("tell_cancelled").message("a", "b", "c")
        middleware.before_process_message(broker, dramatiq.MessageProxy(message))


@pytest.mark.parametrize("lane", ["speach:1", "media:0", "media:x", "media:65"])
def test_a_lane_that_is_not_known_is_refused_with_those_that_are(lane: str) -> None:
    with pytest.raises(
        CommandError, match="lanes are control, media, exports, language, speech, backfill, export_backfill"
    ):
        call_command("work", lane)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_command_performs_its_lanes_and_says_which_they_are(owner: Api, job: Job, tmp_path: Path) -> None:
    known = connection.settings_dict
    host = known["HOST"] or known["OPTIONS"].get("host", "")
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={host}"
    environment = {**os.environ, "DATABASE_URL": url, "STEPWRIGHT_HOME": str(tmp_path)}
    dispatch = make_dispatch(job, state="pending", orchestrator="local", requested_by=str(owner.user.pk))
    command = [sys.executable, "manage.py", "work", "control:2", "exports"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_until(
            lambda: Worker.objects.filter(
                lanes=["control"] * 2 + ["exports"], heartbeat_at__lte=Now()
            ).exists()
        )
        dispatch.enqueue_on_commit()
        wait_until(lambda: Dispatch.objects.get(pk=dispatch.pk).status == Dispatch.ACCEPTED)
        assert PipelineRun.objects.get(job=job).status == "PENDING", "no lane of this worker's"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        assert not Worker.objects.exists()
    finally:
        worker.kill()
        worker.wait()
        empty_tables()
