"""Bring up the real service (`manage.py serve`) on a free port with a home of its own, and take it down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """`with Served(home) as served:` runs the service; `served.url` is where. Its output goes to HOME/serve.log."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {
            k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
        }
        self.environment = {
            **inherited,
            "STEPWRIGHT_HOME": str(home),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "STEPWRIGHT_PUBLIC_URL": self.url,
            **environment,
        }
        self.peaks: dict[str, int] = {}

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the service; answers what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def token(self, user: str = "editor") -> str:
        return self.manage("token", user).splitlines()[-1]

    def start(self, seconds: float = 60) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "serve.log").open("ab") as log:
            command = [sys.executable, "manage.py", "serve"]
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until_ready(seconds)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until every part is ready; raises RuntimeError with the log's end when it does not come up."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the service did not come up:\n{self.log()[-3000:]}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def log(self) -> str:
        return (self.home / "serve.log").read_text(errors="replace")

    def processes(self, name: str = "") -> list[psutil.Process]:
        """The service's processes whose command line holds `name`, PostgreSQL's not among them."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("STEPWRIGHT_SERVED_FROM") == str(
                    self.home.resolve()
                ) and name in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def measure(self) -> None:
        """Note each process's memory (resident, bytes), so that `peaks` holds the highest seen."""
        for process in self.processes():
            try:
                line = " ".join(process.cmdline())
                names = {"config.sandbox": "child", "granian": "web", "speech": "speech"}
                name = next((name for mark, name in names.items() if mark in line), "worker")
                self.peaks[name] = max(self.peaks.get(name, 0), process.memory_info().rss)
            except psutil.Error:
                continue

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, as a supervisor would; answers the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def __enter__(self) -> Served:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
