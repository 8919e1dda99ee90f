"""A server for the tests of the front, and what they ask it for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.storage import storage
from tests.front.server import Server


@pytest.fixture(scope="package")
def running(django_db_setup: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("front"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: Server, transactional_db: None, settings: Any, storage_folder: Any) -> Server:
    """The server, whose database and storage are this test's too."""
    settings.STEPWRIGHT_STORAGE_URL = f"file:{running.files}"
    settings.PUBLIC_URL = running.url
    storage.cache_clear()
    return running
