"""Calls that wait for an orchestrator: they hold up nobody who reads, and those of one user no other user's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.front.bounds import Bounds
from config.storage import storage
from jobs.models import Job
from jobs.services.dispatches import MAX_CALLERS
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_user
from tests.front.raw import Wire
from tests.front.server import Server
from tests.orchestrator import Asked, Orchestrator

pytestmark = pytest.mark.slow

CALLS = Bounds().calls.threads


@pytest.fixture
def server(
    orchestrator: Orchestrator, transactional_db: Any, settings: Any, tmp_path: Path
) -> Iterator[Server]:
    """A server of its own, whose jobs go to the orchestrator."""
    server = Server(tmp_path, STEPWRIGHT_ORCHESTRATOR="http", STEPWRIGHT_ORCHESTRATOR_URL=orchestrator.url)
    settings.STEPWRIGHT_STORAGE_URL = f"file:{server.files}"
    storage.cache_clear()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def may_answer() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def late(may_answer: threading.Event) -> Callable[[Asked], int]:
    def answer(_: Asked) -> int:
        may_answer.wait(9)
        return 200

    return answer


def run(server: Server, user: Api, *jobs: Job) -> list[Wire]:
    """Have jobs of a user run, or one of his that is made for it."""
    token = user.headers["authorization"]
    paths = [f"/api/v1/jobs/{job.pk}/run" for job in jobs or [uploaded(user)]]
    return [Wire(server).ask("POST", path, authorization=token) for path in paths]


def uploaded(user: Api) -> Job:
    return make_job(JobStatus.UPLOADED, owner=user.user)


def wait_for(number: int, found: Callable[[], list[Any]]) -> list[Any]:
    """Return what is found as soon as there are so many."""
    until = time.monotonic() + 8
    while len(found()) < number:
        assert time.monotonic() < until, f"{len(found())}, not {number}"
        time.sleep(0.02)
    return found()


def test_calls_that_hang_hold_no_thread_of_the_api(
    server: Server, owner: Api, orchestrator: Orchestrator, may_answer: threading.Event
) -> None:
    orchestrator.answers = [late(may_answer)] * CALLS
    hanging = [wire for number in range(CALLS) for wire in run(server, Api(make_user(f"u{number}")))]
    wait_for(CALLS, lambda: orchestrator.dispatches)
    answer = httpx.get(f"{server.url}/api/v1/projects", headers=owner.headers, timeout=5)
    assert answer.status_code == 200
    assert not any(wire.has_answer() for wire in hanging)
    may_answer.set()
    assert [wire.read_answer().status for wire in hanging] == [202] * CALLS


def test_calls_of_one_user_that_hang_hold_up_no_other_users(
    server: Server, owner: Api, stranger: Api, orchestrator: Orchestrator, may_answer: threading.Event
) -> None:
    orchestrator.answers = [late(may_answer)] * MAX_CALLERS
    jobs = [uploaded(owner) for _ in range(MAX_CALLERS)]
    mine = run(server, owner, *jobs)
    wait_for(MAX_CALLERS, lambda: orchestrator.dispatches)
    mine += run(server, owner, *jobs * 3)
    (other,) = run(server, stranger)
    assert other.read_answer(5).status == 202
    answered = wait_for(len(mine) - MAX_CALLERS, lambda: [wire for wire in mine if wire.has_answer()])
    assert {wire.read_answer().status for wire in answered} <= {200, 429}
    may_answer.set()
    assert [wire.read_answer().status for wire in mine if wire not in answered] == [202] * MAX_CALLERS
