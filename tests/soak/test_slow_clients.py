"""3,000 slow connections, 500 of each kind, on a server with the bounds of the service: everybody else is served."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.storage import storage
from tests.factories import Api
from tests.front.clients import slow_kinds, waits
from tests.front.server import Server

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]
NUMBER = 500
MIB = 2**20


@pytest.fixture
def server(transactional_db: None, tmp_path: Path, settings: Any, storage_folder: Path) -> Iterator[Server]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = Server(tmp_path, bounds={}, header_seconds=15, workers=2)
    settings.STEPWRIGHT_STORAGE_URL = f"file:{server.files}"
    storage.cache_clear()
    server.start()
    yield server
    server.stop()


def test_500_slow_connections_of_each_kind_hold_up_nobody_else(server: Server, owner: Api) -> None:
    quiet = waits(server, owner, 20, pause=0.02)
    before = [worker.memory_info().rss for worker in server.workers()]
    opened = [connect() for connect in slow_kinds(server, owner).values() for _ in range(NUMBER)]
    waits(server, owner, 1)  # behind 500 first pieces of the picture, which are work like any other
    seen = sorted(waits(server, owner, 60, pause=0.05))
    after = [worker.memory_info().rss for worker in server.workers()]
    print(
        f"{len(opened)} slow connections; somebody else waited (ms): median {statistics.median(seen) * 1000:.0f},"
        f" p95 {seen[-3] * 1000:.0f}, most {seen[-1] * 1000:.0f}; median without them"
        f" {statistics.median(quiet) * 1000:.0f}; memory of the processes (MiB): {[rss // MIB for rss in before]},"
        f" then {[rss // MIB for rss in after]}"
    )
    assert statistics.median(seen) < 0.1 and seen[-1] < 2
    assert max(rss - was for rss, was in zip(after, before, strict=True)) < 400 * MIB
    for wire in opened:
        wire.close()
