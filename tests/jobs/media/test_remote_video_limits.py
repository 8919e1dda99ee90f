"""A fetch ends: by size, by time, by cancelling, whatever the server does."""

from __future__ import annotations

import errno
import socket
import time
import tracemalloc

import pytest

from jobs.media.remote_video import Limits
from tests.jobs.media.fetching import VIDEO, Cancelled, Fetch
from tests.jobs.media.media_server import Server, reply

pytestmark = pytest.mark.slow


def test_memory_does_not_grow_with_the_video(fetch: Fetch, server: Server) -> None:
    megabyte = bytes(2**20)

    def send(connection: socket.socket) -> None:
        connection.sendall(reply(b"", size=48 * 2**20))
        for _ in range(48):
            connection.sendall(megabyte)

    server.answers = [send]
    tracemalloc.start()
    try:
        fetch.target.unlink(missing_ok=True)
        with pytest.raises(MemoryError):  # once it is there, and before it is read to compare
            fetch(max_bytes=2**30, on_progress=stop_at_the_end)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def stop_at_the_end(share: float) -> None:
    if share == 1.0:
        raise MemoryError


def test_a_video_that_says_it_is_too_large_is_not_read(fetch: Fetch, server: Server) -> None:
    server.answers = [reply(VIDEO, size=20_000), reply(VIDEO)]
    assert "15000 bytes" in fetch.fails("VIDEO_TOO_LARGE", max_bytes=15_000)
    assert fetch(max_bytes=len(VIDEO)) == VIDEO


def test_a_body_without_end_is_cut_off_at_the_limit(fetch: Fetch, server: Server) -> None:
    sent = []

    def send_for_ever(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent.append(0x10000)

    server.answers = [send_for_ever]
    fetch.fails("VIDEO_TOO_LARGE")
    assert sum(sent) < 2**20 + 16 * 2**20  # what the buffers of the sockets hold on top
    assert len(server.requests) == 1


@pytest.mark.parametrize("start", [b"", reply(b"", size=100_000)], ids=["head", "body"])
def test_a_drip_does_not_outlast_the_time_for_all(fetch: Fetch, server: Server, start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for byte in b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    server.answers = [drip]
    began = time.monotonic()
    message = fetch.fails("VIDEO_NOT_REACHABLE", limits=Limits(silence_s=5, whole_s=1))
    assert "too long" in message and time.monotonic() - began < 10


def test_a_server_that_falls_silent_is_given_up(fetch: Fetch, server: Server) -> None:
    server.answers = [lambda connection: time.sleep(5)]
    began = time.monotonic()
    fetch.fails("VIDEO_NOT_REACHABLE", limits=Limits(silence_s=0.4, pauses_s=(0.01, 0.01)))
    assert len(server.requests) == 3 and time.monotonic() - began < 10


def test_a_cancelled_fetch_stops_while_the_server_is_silent(fetch: Fetch, server: Server) -> None:
    def send_half(connection: socket.socket) -> None:
        connection.sendall(reply(VIDEO, size=100_000))
        time.sleep(20)

    server.answers = [send_half]
    began = time.monotonic()

    def on_progress(share: float) -> None:
        if time.monotonic() - began > 1.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(on_progress=on_progress, limits=Limits())
    assert time.monotonic() - began < 10
    assert not fetch.target.exists()


def test_a_full_disk_is_no_fault_of_the_video(fetch: Fetch) -> None:
    fetch.target.symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        fetch()
    assert caught.value.errno == errno.ENOSPC
    assert not fetch.target.is_symlink()
