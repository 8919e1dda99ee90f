"""A server that has a video, one that must not be asked, and the fetch of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.media.fetching import VIDEO, Fetch
from tests.jobs.media.media_server import Server, reply, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as started:
        started.answers = [reply(VIDEO)]
        yield started


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A server that must not be asked."""
    with serving(Server()) as started:
        started.answers = [reply(b"secrets of the inside")]
        yield started
        assert started.requests == []


@pytest.fixture
def fetch(tmp_path: Path, server: Server) -> Fetch:
    return Fetch(tmp_path, server.port)
