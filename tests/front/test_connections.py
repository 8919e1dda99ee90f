"""The server's connections to the database, seen from the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from tests.factories import Api
from tests.front.server import Server

pytestmark = pytest.mark.slow
SIZE = 3


@pytest.fixture
def small(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, bounds={}, STEPWRIGHT_DB_POOL_SIZE=str(SIZE))
    server.start()
    yield server
    server.stop()


def backends(server: Server) -> list[int]:
    with connection.cursor() as cursor:
        name = f"front-{server.port}"
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name])
        return [row[0] for row in cursor.fetchall()]


def burst(server: Server, api: Api) -> list[int]:
    """Return the statuses of 16 requests at once."""

    def ask(_: Any) -> int:
        return httpx.get(f"{server.url}/api/v1/projects", headers=api.headers, timeout=20).status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(16)))


def test_bursts_leave_no_more_connections_than_the_pool_has(small: Server, owner: Api) -> None:
    for _ in range(3):
        assert burst(small, owner) == [200] * 16
        assert 1 <= len(backends(small)) <= SIZE
        time.sleep(0.2)


def test_connections_that_the_database_ended_cost_no_request(small: Server, owner: Api) -> None:
    assert burst(small, owner) == [200] * 16
    with connection.cursor() as cursor:
        for pid in backends(small):
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    time.sleep(0.2)
    assert burst(small, owner) == [200] * 16
