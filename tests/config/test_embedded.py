"""The embedded PostgreSQL starts again whatever a killed one left behind, and leaves nothing when it is stopped."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from config import embedded

pytestmark = pytest.mark.slow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[psutil.Process]:
    """One of this test's own; its postmaster."""
    # Not pytest's tmp_path: run as root, PostgreSQL is another user, who cannot pass its parent folder.
    home = Path(tempfile.mkdtemp(prefix="stepwright-embedded-"))
    monkeypatch.setenv("STEPWRIGHT_HOME", str(home))
    monkeypatch.setenv("DATABASE_URL", "")
    try:
        embedded.start()
        yield psutil.Process(int(embedded._pid_file().read_text().split()[0]))
        embedded.stop()
        left = embedded._processes()
        assert not left, left
    finally:
        for process in embedded._processes():
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


def freeze_a_backend(connection: psycopg.Connection[tuple[int]]) -> psutil.Process:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row
    frozen = psutil.Process(row[0])
    frozen.suspend()
    return frozen


def test_a_frozen_backend_of_a_killed_server_holds_up_no_new_one(server: psutil.Process) -> None:
    with psycopg.connect(embedded.database_url(), autocommit=True) as connection:
        frozen = freeze_a_backend(connection)
        server.kill()
        psutil.wait_procs([server], timeout=10)
        assert not embedded.is_running()
        embedded.start()
        assert embedded.is_running() and not frozen.is_running()
    with psycopg.connect(embedded.database_url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_frozen_backend_does_not_outlive_a_stop(
    server: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", (1, 6))
    with psycopg.connect(embedded.database_url(), autocommit=True) as connection:
        frozen = freeze_a_backend(connection)
        embedded.stop()
        assert not frozen.is_running() and not embedded.is_running()


def test_a_frozen_server_does_not_outlive_a_stop(
    server: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", (0.5, 0.5))
    server.suspend()
    embedded.stop()
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_a_start_that_does_not_come_to_an_end_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The wheel asks for ever whether the server is ready."""
    monkeypatch.setenv("STEPWRIGHT_HOME", str(tmp_path))
    monkeypatch.setattr(embedded, "START_SECONDS", 1.0)
    with (tmp_path / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as one that waits holds it
        with pytest.raises(subprocess.TimeoutExpired):
            embedded.start()
