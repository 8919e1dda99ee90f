"""Slow clients: each is cut off in its time, and nobody else waits for it."""

from __future__ import annotations

import socket
import time

import pytest

from jobs.states import JobStatus
from tests.factories import Api, make_job
from tests.front.clients import make_picture, slow_kinds, ticket_path, waits
from tests.front.raw import Wire
from tests.front.server import HEADER_SECONDS, Server

pytestmark = pytest.mark.slow

WINDOW = 1.5  # seconds, in which 8 KiB must come


def test_slow_clients_of_every_kind_hold_up_nobody_else(server: Server, owner: Api) -> None:
    kinds = slow_kinds(server, owner)
    opened = {name: [connect() for _ in range(40)] for name, connect in kinds.items()}
    # Behind 160 bodies that hold a thread for 1.5 s each, somebody would wait for a minute.
    assert max(waits(server, owner, 5)) < 5
    for name in ("sign-in", "api", "upload", "health"):
        seen = opened[name][-1].read(15)
        assert (seen.status, seen.is_ended) == (408, True), name
    assert opened["headers"][-1].read(15).is_ended
    for wire in [wire for wires in opened.values() for wire in wires]:
        wire.close()


@pytest.mark.parametrize("pause", [0.1, 10])
def test_a_body_that_trickles_or_stops_is_cut_off(server: Server, owner: Api, pause: float) -> None:
    wire = Wire(server).ask("POST", "/api/v1/projects", b"x", content_length=5000, **owner.headers)
    started = time.monotonic()
    while time.monotonic() < started + 8 * WINDOW and pause < 1:
        try:
            wire.send(b"x")
        except OSError:
            break
        time.sleep(pause)
    seen = wire.read(15)
    assert (seen.status, seen.is_ended) == (408, True)
    assert time.monotonic() - started < 6 * WINDOW


def test_a_body_that_keeps_the_pace_may_take_its_time(server: Server, owner: Api) -> None:
    body = b'{"name": "a"' + b" " * (8192 * 3) + b"}"
    wire = Wire(server).ask(
        "POST",
        "/api/v1/projects",
        b"",
        content_length=len(body),
        content_type="application/json",
        **owner.headers,
    )
    for start in range(0, len(body), 8192):
        wire.send(body[start : start + 8192])
        time.sleep(0.75)
    assert wire.read_answer().status == 201


def test_an_upload_that_stops_is_cut_off_and_leaves_nothing(server: Server, owner: Api) -> None:
    job = make_job(JobStatus.UPLOADING, owner=owner.user)
    wire = Wire(server).ask(
        "PUT", ticket_path(job, 50_000), b"x" * 20_000, content_length=50_000, content_type="video/mp4"
    )
    seen = wire.read(15)
    assert (seen.status, seen.is_ended) == (408, True)
    assert seen.seconds < 3 * WINDOW
    assert not [path for path in server.files.rglob("*") if path.is_file() and str(job.pk) in str(path)]


def test_headers_that_do_not_come_are_waited_for_no_longer(server: Server) -> None:
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-"):
        seen = Wire(server).send(beginning).read(HEADER_SECONDS + 3)
        assert seen.is_ended and seen.seconds > HEADER_SECONDS - 0.5


def test_a_client_that_takes_nothing_of_its_answer_loses_its_connection(server: Server, owner: Api) -> None:
    picture = make_picture(make_job(owner=owner.user))
    wire = Wire(server, window=4096)
    wire.ask("GET", f"/api/v1/assets/{picture.pk}/content", authorization=owner.headers["authorization"])
    time.sleep(0.5)
    assert wire.address in _clients(server)
    deadline = time.monotonic() + 12
    while wire.address in _clients(server) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert wire.address not in _clients(server)
    assert not [file for file in server.worker().open_files() if file.path.startswith(str(server.files))]
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
    assert len(wire.read(5).body) < len(b"") + 12 * 2**20


def _clients(server: Server) -> set[tuple[str, int]]:
    return {(one.raddr.ip, one.raddr.port) for one in server.worker().net_connections("tcp") if one.raddr}
