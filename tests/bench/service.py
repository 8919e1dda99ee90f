"""The service under measurement: some jobs, its servers, and the CPU that they and PostgreSQL use."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from config import embedded
from config.management.commands.serve import WEB
from tests.factories import make_job, make_token, make_user
from tests.served import ROOT, free_port

JOBS, USER = 1000, "bench"
WORKERS = 2  # as `serve` has


class Server:
    """A web server of its own with an application, as `serve` starts it."""

    def __init__(self, application: str) -> None:
        self.port = free_port()
        command = f"{WEB} --host 127.0.0.1 --port {self.port} --workers {WORKERS} {application}"
        self.process = psutil.Popen([sys.executable, *command.split()], cwd=ROOT)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not come up")

    def processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu(self) -> float:
        """Return the CPU seconds of its processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, bytes]:
        """Return status, headers and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextmanager
def serving(application: str = "tests.bench.baseline:application") -> Iterator[Server]:
    server = Server(application)
    try:
        yield server
    finally:
        server.stop()


def database_cpu() -> float:
    """Return the CPU seconds of all processes of PostgreSQL so far: those of processes that have ended count as
    their parent's, the postmaster's."""
    parent = psutil.Process(postmaster())
    return sum(parent.cpu_times()[:4]) + sum(
        sum(process.cpu_times()[:2]) for process in parent.children(recursive=True)
    )


def postmaster() -> int:
    """Return the id of PostgreSQL's first process."""
    return int((embedded.data_folder() / "postmaster.pid").read_text().split()[0])


def make_jobs(status: str = "AUDIO_EXTRACTING") -> list[str]:
    """Return the ids of so many jobs of one user, with a manifest and options, as the service makes them."""
    from jobs.models import Job

    owner = make_user(USER)
    first = make_job(status, owner=owner)  # type: ignore[arg-type]
    same = {name: getattr(first, name) for name in ("project", "owner", "status", "manifest", "options")}
    made = Job.objects.bulk_create(Job(**same) for _ in range(JOBS))
    return [str(job.pk) for job in made]


def token() -> str:
    return make_token(USER, exp=datetime.now(UTC) + timedelta(hours=1))
