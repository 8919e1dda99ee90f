"""Threads in lanes: what is busy holds up its own kind alone, and waiting has an end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.front.bounds import Bounds
from tests.factories import Api
from tests.front.raw import Wire
from tests.front.server import BOUNDS, Server

pytestmark = pytest.mark.slow

THREADS, MEDIA = Bounds().api.threads, "/api/v1/anchors/x/annotations"


def sleepers(server: Server, number: int, path: str = "/nowhere", method: str = "GET") -> list[Wire]:
    found = [Wire(server).ask(method, path, x_test="sleep=2") for _ in range(number)]
    time.sleep(0.2)
    return found


def test_health_answers_while_all_threads_of_the_api_are_busy(server: Server) -> None:
    busy = sleepers(server, THREADS)
    for path in ("/healthz", "/readyz"):
        assert httpx.get(server.url + path).status_code in (200, 503)
    assert not any(wire.has_answer() for wire in busy)
    assert [wire.read_answer().status for wire in busy] == [404] * len(busy)


def test_who_would_wait_behind_too_many_is_told_to_come_again(server: Server) -> None:
    busy = sleepers(server, sum(BOUNDS["heavy"]), MEDIA, "POST")
    seen = Wire(server).ask("POST", MEDIA).read_answer()
    assert not any(wire.has_answer() for wire in busy)
    assert (seen.status, json.loads(seen.body)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(seen.headers["retry-after"]) > 0
    assert "connection" not in seen.headers, "nothing of the request is left unread"
    assert [wire.read_answer().status for wire in busy] == [401] * len(busy)


OF_OTHER_LANES = [
    ("POST", "/api/v1/jobs/x/confirm-upload"),
    ("POST", "/api/v1/jobs/x/screenshots/uploads/x/confirm"),
    ("POST", MEDIA),
    ("POST", "/api/v1/jobs/x/run"),
    ("POST", "/api/v1/jobs/x/retry"),
    ("POST", "/jobs/x/retry"),
    ("GET", "/api/v1/instructions/x/compare"),
]


@pytest.mark.parametrize(("method", "path"), OF_OTHER_LANES)
def test_media_and_orchestrators_hold_up_no_other_request(
    server: Server, owner: Api, method: str, path: str
) -> None:
    busy = sleepers(server, THREADS, path, method)
    assert httpx.get(f"{server.url}/api/v1/projects", headers=owner.headers).status_code == 200
    assert not any(wire.has_answer() for wire in busy)
    for wire in busy:
        assert wire.read_answer().status in (401, 403)  # pages have tokens in their forms


def test_a_process_that_is_killed_is_started_again(transactional_db: Any, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        server.worker().kill()
        deadline = time.monotonic() + 30
        while not server.answers() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert server.answers()
    finally:
        server.stop()


def test_a_stop_lets_running_requests_end(transactional_db: Any, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        busy = sleepers(server, 2)
        stalled = Wire(server).ask("POST", "/api/v1/projects", content_length=10)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 8
        assert [wire.read_answer().status for wire in busy] == [404, 404]
        stalled.close()
    finally:
        server.process.kill()
