"""A worker process: for each of its lanes so many threads, a timer, and a thread that sweeps.

The timer writes a heartbeat row for the health page every 10 s, and enqueues rows whose time has come every 2 s.
Sweeps come at the start, after 10 s, when the leases of workers that were killed before have expired, and every 30 s.
They may take long, and the heartbeat must not wait for them.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import dramatiq
from django.db import connection
from django.db.models.functions import Now

from config.work.lanes import Lane
from config.work.models import Worker
from config.work.sweep import enqueue_due, sweep

log = logging.getLogger(__name__)

TICK_SECONDS = 2.0
TICKS_PER_BEAT = 5
SWEEP_SECONDS, FIRST_SWEEPS_SECONDS = 30.0, 10.0
FORGET_AFTER = timedelta(minutes=5)
STOP_MS = 4000  # that running work has to go back


class LaneWorker(dramatiq.Worker):
    """The threads of one queue. They take no message before one of them is free, so that another process can."""

    def __init__(self, broker: dramatiq.Broker, queue: str, threads: int) -> None:
        super().__init__(broker, queues={queue}, worker_timeout=500, worker_threads=threads)
        self.queue = queue
        self.queue_prefetch = threads

    def start(self) -> None:
        """Start the threads. As in Dramatiq's own, but without consumers of delayed messages, for times are kept in
        rows: they would double the connections to the broker."""
        self.broker.emit_before("worker_boot", self)
        self._add_consumer(self.queue)
        for _ in range(self.worker_threads):
            self._add_worker()
        self.broker.emit_after("worker_boot", self)


class Workers:
    """The lanes that this process serves."""

    def __init__(self, broker: dramatiq.Broker, threads: Mapping[str, int]) -> None:
        self.broker = broker
        self.lanes = {queue: LaneWorker(broker, queue, number) for queue, number in threads.items()}

    def start(self) -> None:
        self.broker.emit_after("process_boot")  # starts the clock of the time limits
        for worker in self.lanes.values():
            worker.start()

    def stop(self) -> None:
        """Have running work go back to its queue, and wait for that up to 4 s."""
        for worker in self.lanes.values():
            for thread in worker.workers:
                thread.stop()  # all, before the first lane is stopped: no lane begins anything more
        stops = [
            threading.Thread(target=worker.stop, args=(STOP_MS,), name=f"stop-{lane}")
            for lane, worker in self.lanes.items()
        ]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def living(self) -> list[str]:
        """Return the lane of each thread that lives."""
        return [lane for lane, worker in self.lanes.items() for thread in worker.workers if thread.is_alive()]


class Timer:
    """The timer of a worker process; `run` returns when `stopped` is set."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.stopped = threading.Event()
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:128]
        self.worker_id: UUID | None = None
        self.enqueued_until: datetime | None = None

    def run(self) -> None:
        ticks = 0
        while True:
            try:
                self.tick(ticks)
            except Exception:
                log.warning("the timer met an error and goes on", exc_info=True)
            connection.close()  # it goes back to the pool until the next tick
            ticks += 1
            if self.stopped.wait(TICK_SECONDS):
                break
        if self.worker_id:
            Worker.objects.filter(pk=self.worker_id).delete()
            connection.close()

    def tick(self, ticks: int) -> None:
        if ticks % TICKS_PER_BEAT == 0:
            self.beat()
        lanes = [Lane(lane) for lane in self.workers.lanes]
        self.enqueued_until = enqueue_due(lanes, self.enqueued_until)

    def beat(self) -> None:
        lanes = self.workers.living()
        if self.worker_id:
            mine = Worker.objects.filter(pk=self.worker_id)
            if mine.update(heartbeat_at=Now(), lanes=lanes):
                return
        Worker.objects.filter(heartbeat_at__lt=Now() - FORGET_AFTER).delete()
        self.worker_id = Worker.objects.create(name=self.name, lanes=lanes).pk


def sweep_regularly(stopped: threading.Event) -> None:
    """Sweep until `stopped` is set."""
    pause = FIRST_SWEEPS_SECONDS
    while True:
        sweep()
        connection.close()  # it goes back to the pool until the next one
        if stopped.wait(pause):
            return
        pause = SWEEP_SECONDS
