"""How long commands and the whole service take to start: the time that somebody waits, and the processor time of all.

Commands are set beside `django.setup()` of a project that has nothing but Django's own apps. Bytecode is kept, as
Python does by itself: the first round, which writes it, does not count. Other work on the machine lengthens the time,
hardly the processor time.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from tests.bench.results import Result, at_most, figure
from tests.served import ROOT, free_port

ROUNDS = 5
MAX_SERVE_SECONDS, MAX_COMMAND_SECONDS = 5.0, 1.0
COMMANDS = {"help": ["help"], "token": ["token", "editor"], "check": ["check"]}
# What is asked, and the status that says that it works: without a token the API answers 401.
ASKED = {"/healthz": 200, "/api/v1/projects": 401, "/readyz": 200}
BARE = """
SECRET_KEY = "bench"
INSTALLED_APPS = ["django.contrib." + name for name in ("auth", "contenttypes", "sessions", "messages", "staticfiles")]
"""


def measure() -> Iterator[Result]:
    # Not below another folder of ours: run as root, PostgreSQL is another user.
    with tempfile.TemporaryDirectory(prefix="stepwright-start-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        yield from commands(Path(folder), home)
        for which in ("first", "second"):
            yield from service(which, home)


def environment(home: Path, **more: str) -> dict[str, str]:
    dropped = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTHONDONTWRITEBYTECODE", "STEPWRIGHT_PUBLIC_URL")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "STEPWRIGHT_HOME": str(home), "STEPWRIGHT_LOG_LEVEL": "INFO", **more}


def commands(folder: Path, home: Path) -> Iterator[Result]:
    (folder / "bare.py").write_text(BARE)
    bare = environment(home, DJANGO_SETTINGS_MODULE="bare", PYTHONPATH=str(folder))
    sides = {
        name: ([sys.executable, "manage.py", *words], environment(home)) for name, words in COMMANDS.items()
    }
    sides["bare"] = [sys.executable, "-c", "import django; django.setup()"], bare
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(ROUNDS + 1):
        for name, (command, variables) in sides.items():
            used = run(command, variables)
            if number:
                seconds[name].append(used)
    wall, cpu = (
        {name: statistics.median(used[which] for used in rounds) for name, rounds in seconds.items()}
        for which in (0, 1)
    )
    for name in COMMANDS:
        details = {"cpu_s": cpu[name], "bare_cpu_s": cpu["bare"], "bare_s": wall["bare"]}
        yield at_most(f"manage.py {name}: time", wall[name], MAX_COMMAND_SECONDS, "s", **details)
        yield figure(f"manage.py {name}: CPU", cpu[name] / cpu["bare"], "× a bare django.setup()")


def run(command: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that pass while it runs, and those of processor time that it and its children take."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.perf_counter() - began, cpu


def service(which: str, home: Path) -> Iterator[Result]:
    """Start `serve`, ask until all answer, and stop it."""
    port = free_port()
    variables = environment(home, HOST="127.0.0.1", PORT=str(port))
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=variables, stdout=subprocess.DEVNULL
    ) as process:
        try:
            after = {path: until(process, port, path, status) - began for path, status in ASKED.items()}
            cpu = cpu_of(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    details: dict[str, Any] = {"seconds": after, "cpu_s": cpu}
    answers = after["/api/v1/projects"]
    yield at_most(f"serve, {which} start: the API answers", answers, MAX_SERVE_SECONDS, "s", **details)
    yield figure(f"serve, {which} start: /readyz", after["/readyz"], "s")


def until(process: subprocess.Popen[bytes], port: int, path: str, status: int) -> float:
    """Return the moment at which this path is answered so; raise RuntimeError when the service has ended."""
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == status:
                return time.perf_counter()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.02)
    raise RuntimeError(f"serve has ended with status {process.returncode}")


def cpu_of(pid: int) -> float:
    """Return the processor time of a process and those below it, in seconds; PostgreSQL's is not among them."""
    top = psutil.Process(pid)
    times = [process.cpu_times() for process in (top, *top.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


if __name__ == "__main__":
    print(json.dumps([asdict(result) for result in measure()], indent=2))
