"""granian with the front, on the test's database: as `serve` starts it, with one process and bounds of the test."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
from django.conf import settings

from config.management.commands.serve import WEB
from tests.served import ROOT, free_port

# Short enough to be waited for: 8 KiB in 1.5 s, and 64 KiB of an answer in 2 s.
BOUNDS = {"body": [8192, 1.5], "upload": [8192, 1.5], "answer": [65536, 2.0], "heavy": [2, 4]}
HEADER_SECONDS = 2
SECRET = "the callback secret of the tests of the front"
PAGES = "https://pages.example"  # the origin whose pages may read the answers


def database_url(**parameters: str) -> str:
    """Return the URL of the database that the tests use at this moment."""
    known = settings.DATABASES["default"]
    host = known["OPTIONS"].get("host") or known["HOST"]
    found = {"host": host, "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    query = "&".join(
        f"{name}={quote(str(value), safe='')}" for name, value in {**found, **parameters}.items() if value
    )
    return f"postgresql:///{known['NAME']}?{query}"


class Server:
    """`url` is where; `files` is the folder of its storage. Its output goes to FOLDER/server.log."""

    def __init__(
        self,
        folder: Path,
        *,
        bounds: dict[str, Any] = BOUNDS,
        header_seconds: int = HEADER_SECONDS,
        workers: int = 1,
        **environment: str,
    ) -> None:
        self.header_seconds, self.number_of_workers = header_seconds, workers
        self.port, self.files, self.log = free_port(), folder / "files", folder / "server.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(application_name=f"front-{self.port}"),
            "STEPWRIGHT_DB_POOL_SIZE": "12",
            "STEPWRIGHT_STORAGE_URL": f"file:{self.files}",
            "STEPWRIGHT_PUBLIC_URL": self.url,
            "STEPWRIGHT_THROTTLE_RATE": "100000/sec",
            "STEPWRIGHT_CORS_ORIGINS": PAGES,
            "STEPWRIGHT_CALLBACK_SECRET": SECRET,
            "TEST_BOUNDS": json.dumps(bounds),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **environment,
        }

    def start(self) -> None:
        command = WEB.replace("--http1-header-read-timeout 15000", "").split()
        command += shlex.split(
            f"--host 127.0.0.1 --port {self.port} --workers {self.number_of_workers}"
            f" --http1-header-read-timeout {self.header_seconds * 1000} tests.front.application:application"
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def workers(self) -> list[psutil.Process]:
        """Return the processes that serve."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return children

    def worker(self) -> psutil.Process:
        """Return the one process that serves."""
        (found,) = self.workers()
        return found

    def stop(self, seconds: float = 40) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)
