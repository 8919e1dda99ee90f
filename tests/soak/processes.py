"""The whole service in a folder of its own, and its processes, the database's among them, to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from config import embedded
from tests.served import Served


@contextmanager
def serving(**environment: str) -> Iterator[Served]:
    # Not pytest's tmp_path: run as root, PostgreSQL is another user, who cannot pass its parent folder.
    folder = Path(tempfile.mkdtemp(prefix="stepwright-soak-"))
    service = Served(folder / "home", **environment)
    service.start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
        for process in [*service.processes(), *postgres_of(service)]:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


# What stands in the command lines of each of `serve`'s processes, and in no other's.
MARKS = {"web": "granian", "worker": "control", "speech": "speech"}


def named(served: Served, name: str) -> list[psutil.Process]:
    """Return the processes that are "web", "worker", "speech" or "postgres"."""
    return postgres_of(served) if name == "postgres" else served.processes(MARKS[name])


def postgres_of(served: Served) -> list[psutil.Process]:
    """Return every process of its PostgreSQL, also those of one that was killed: all work in its data folder."""
    data, found = str(served.home.resolve() / "postgres"), []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == data:
                found.append(process)
        except psutil.Error:
            continue
    return found


def database(served: Served) -> psycopg.Connection[tuple[object, ...]]:
    pid_file = (served.home / "postgres" / "postmaster.pid").read_text().splitlines()
    return psycopg.connect(f"postgresql://postgres@/{embedded.DATABASE}?host={pid_file[4]}", autocommit=True)


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
