"""Loaded by pytest before Django's settings: a home and an embedded PostgreSQL for this run alone.

With STEPWRIGHT_TEST_DATABASE_URL the tests use that server instead. Under xdist the controller makes
both, and its workers inherit the environment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

_mine: dict[str, Any] = {}

if "PYTEST_XDIST_WORKER" not in os.environ:
    _mine["home"] = Path(tempfile.mkdtemp(prefix="stepwright-tests-"))
    os.environ["STEPWRIGHT_HOME"] = str(_mine["home"])
    # Tests open transactions, and threads that end at once; tests/pool.py puts a pool there where it matters.
    os.environ["STEPWRIGHT_DB_POOL_SIZE"] = "0"
    os.environ["DATABASE_URL"] = os.environ.get("STEPWRIGHT_TEST_DATABASE_URL", "")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if "home" not in _mine or os.environ["DATABASE_URL"]:
        return
    import psycopg

    from config import embedded

    embedded.start()
    _mine["server"] = embedded
    url = embedded.database_url()
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing here outlives the run, so the disk need not be waited for.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
        connection.execute("SELECT pg_reload_conf()")
    os.environ["DATABASE_URL"] = url


def pytest_unconfigure(config: pytest.Config) -> None:
    if "server" in _mine:
        os.environ["DATABASE_URL"] = ""
        _mine.pop("server").stop()
    if "home" in _mine:
        shutil.rmtree(_mine.pop("home"), ignore_errors=True)
