"""How long a row waits for a worker that has nothing to do, over each broker that is there."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlparse

from django.db import transaction
from django.utils import timezone

from anchors.models import ScreenshotTask
from config.work.registry import load_kinds
from jobs.models import Job
from tests.bench.results import Result, at_most, not_measured
from tests.factories import make_job, make_screenshot_task
from tests.workers import running_worker

SAMPLES, PAUSES_SECONDS, LOOK_SECONDS = 100, (0.1, 0.6), 0.01
LIMIT_MS = 50
BROKERS = {
    "PostgreSQL": "",
    "Redis": os.environ.get("STEPWRIGHT_TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "RabbitMQ": os.environ.get("STEPWRIGHT_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672"),
}


def measure() -> Iterator[Result]:
    load_kinds()
    job = make_job("EDITING")  # type: ignore[arg-type]
    for broker, url in BROKERS.items():
        name = f"Enqueue to claim, idle, over {broker}: p99"
        if not listens(url):
            yield not_measured(name, "nothing listens there", f"at most {LIMIT_MS}")
            continue
        with running_worker(url):
            for _ in range(5):  # its threads make their connections
                ask_and_wait(job)
            waits = sorted(ask_and_wait(job) for _ in range(SAMPLES))
        facts = {
            "median_ms": round(waits[len(waits) // 2], 1),
            "most_ms": round(waits[-1], 1),
            "samples": SAMPLES,
        }
        yield at_most(name, round(waits[int(len(waits) * 0.99) - 1], 1), LIMIT_MS, "ms", **facts)


def listens(url: str) -> bool:
    place = urlparse(url)
    try:
        if url:
            socket.create_connection((place.hostname or "127.0.0.1", place.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


def ask_and_wait(job: Job) -> float:
    """Return the ms from the commit of a row, when its message is sent, to its claim, by the one clock of this machine.

    The row is then failed, as the job's video is none; the next comes when the worker has waited for a while.
    """
    began: list[datetime] = []
    with transaction.atomic():
        task = make_screenshot_task(job)
        transaction.on_commit(lambda: began.append(timezone.now()))
        task.enqueue_on_commit()
    rows = ScreenshotTask.objects.filter(pk=task.pk, status=ScreenshotTask.FAILED)
    until = time.monotonic() + 60
    while not (found := rows.first()):
        if time.monotonic() > until:
            raise RuntimeError("no worker took the row")
        time.sleep(LOOK_SECONDS)
    assert found.heartbeat_at
    time.sleep(random.uniform(*PAUSES_SECONDS))  # at no one time of what a worker does regularly
    return (found.heartbeat_at - began[0]) / timedelta(milliseconds=1)
