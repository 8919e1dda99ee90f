"""Uploads to the running service: cancelled and killed in the middle, and who may read what is left."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.client import Client
from tests.factories import SAMPLE
from tests.served import Served
from tests.soak.processes import database, kill, postgres_of, serving

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

SIZE = 2**20


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


def files(served: Served) -> list[Path]:
    return [path for path in (served.home / "files").rglob("*") if path.is_file() and path.name != ".lock"]


def wait_for(number: int, served: Served) -> list[Path]:
    """The files when there are so many."""
    for _ in range(300):
        if len(found := files(served)) == number:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{number} files were expected: {files(served)}")


def asked(client: Client) -> tuple[str, Any]:
    job_id = client.new_job("Upload")["id"]
    about = {"filename": "a.mp4", "size_bytes": SIZE, "mime_type": "video/mp4"}
    return job_id, client.post(f"/jobs/{job_id}/upload", about)


@contextmanager
def half_sent(ticket: Any, framing: str) -> Iterator[socket.socket]:
    """A connection on which half of the body has come."""
    url = httpx.URL(ticket["upload_url"])
    with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
        head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: video/mp4\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode())
        connection.sendall(f"{SIZE:x}\r\n".encode() if "chunked" in framing else b"")
        connection.sendall(b"x" * (SIZE // 2))
        yield connection


@pytest.mark.parametrize("framing", [f"Content-Length: {SIZE}", "Transfer-Encoding: chunked"])
def test_an_upload_that_is_cut_off_or_whose_job_ends_keeps_nothing(served: Served, framing: str) -> None:
    client = Client(served.url, served.token())
    _, ticket = asked(client)
    with half_sent(ticket, framing):
        wait_for(1, served)
    wait_for(0, served)
    job_id, ticket = asked(client)
    with half_sent(ticket, framing) as connection:
        wait_for(1, served)
        client.post(f"/jobs/{job_id}/cancel")
        connection.sendall(b"x" * (SIZE // 2) + (b"\r\n0\r\n\r\n" if "chunked" in framing else b""))
        assert b"409 Conflict" in connection.recv(4096)
    wait_for(0, served)


def test_what_a_killed_service_left_of_an_upload_goes_with_the_sweep(served: Served) -> None:
    _, ticket = asked(Client(served.url, served.token()))
    with half_sent(ticket, f"Content-Length: {SIZE}"):
        (draft,) = wait_for(1, served)
        kill([psutil.Process(served.process.pid), *served.processes(), *postgres_of(served)])
        served.process.wait(10)
    os.utime(draft, (time.time() - 3700,) * 2)
    served.start()
    with database(served) as connection:
        connection.execute("UPDATE jobs_filewalk SET due_at = now()")
    wait_for(0, served)


def test_what_lies_under_home_is_for_us_alone(served: Served) -> None:
    """PostgreSQL's own folder excepted, and as root its parents, which it must pass."""
    client = Client(served.url, served.token())
    job = client.upload(client.new_job("Private", language="en")["id"], SAMPLE)
    client.post(f"/jobs/{job['id']}/run")
    client.wait(f"/jobs/{job['id']}", {"DRAFT_READY"}, seconds=120)
    asked(client)
    ours = [path for path in served.home.rglob("*") if "postgres" not in path.relative_to(served.home).parts]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in ours if path.name != "serve.log"}
    assert len(modes) > 10
    assert {path for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == set()
