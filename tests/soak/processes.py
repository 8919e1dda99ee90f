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


def postgres_of(served: Served) -> list[psutil.Process]:
    data = str(served.home.resolve() / "postgres")
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and data in " ".join(process.cmdline()):
                found += [process, *process.children(recursive=True)]
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
