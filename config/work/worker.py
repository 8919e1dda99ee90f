"""The module for `dramatiq config.work.worker`: it loads Django with all actors, and the timer of the sweep.

The timer runs in every worker process. It writes a heartbeat row for the health page every 10 s. It sweeps at the
start, after 10 s, when the leases of workers that were killed before have expired, and every 30 s.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from datetime import timedelta
from uuid import UUID

import django
import dramatiq
from django.db import close_old_connections, connection
from dramatiq.middleware import Middleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models.functions import Now  # noqa: E402

from config.work.models import Worker  # noqa: E402
from config.work.sweep import sweep  # noqa: E402

log = logging.getLogger(__name__)
BEAT_SECONDS, BEATS_PER_SWEEP = 10.0, 3
FORGET_AFTER = timedelta(minutes=5)


class Timer(Middleware):
    def __init__(self) -> None:
        self.stopped = threading.Event()

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        name = f"{socket.gethostname()}:{os.getpid()} {','.join(sorted(worker.consumer_whitelist or []))}"
        threading.Thread(target=self.run, args=(name,), name="timer", daemon=True).start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self.stopped.set()

    def run(self, name: str) -> None:
        worker_id: UUID | None = None
        beats = 0
        while True:
            try:
                worker_id = self.beat(worker_id, name)
            except Exception:
                log.warning("the timer met an error and goes on", exc_info=True)
                close_old_connections()
            if beats == 1 or beats % BEATS_PER_SWEEP == 0:
                sweep()
            beats += 1
            if self.stopped.wait(BEAT_SECONDS):
                break
        if worker_id:
            Worker.objects.filter(pk=worker_id).delete()
        connection.close()

    def beat(self, worker_id: UUID | None, name: str) -> UUID:
        if worker_id and Worker.objects.filter(pk=worker_id).update(heartbeat_at=Now()):
            return worker_id
        Worker.objects.filter(heartbeat_at__lt=Now() - FORGET_AFTER).delete()
        return Worker.objects.create(name=name[:128]).pk


broker = dramatiq.get_broker()
broker.add_middleware(Timer())
