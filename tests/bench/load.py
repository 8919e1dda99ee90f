"""Requests over many connections at once, and two or more sides that take turns under them."""

from __future__ import annotations

import re
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.service import Server, database_cpu

SLICE_SECONDS, SLICES, CONNECTIONS = 0.5, 12, 8
Request = Callable[[], bytes]
"""Makes the bytes of the next request."""
LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Side:
    """A server, the requests that it is sent, and the status that every answer must have."""

    server: Server
    request: Request
    status: int
    rates: list[float] = field(default_factory=list)  # answers a second, by slice
    costs: list[float] = field(default_factory=list)  # µs of CPU an answer, server and PostgreSQL, by slice

    def take_turn(self, seconds: float) -> None:
        cpu, began = self.server.cpu() + database_cpu(), time.monotonic()
        count = drive(self, seconds)
        self.rates.append(count / (time.monotonic() - began))
        self.costs.append((self.server.cpu() + database_cpu() - cpu) / count * 1e6)

    def facts(self) -> dict[str, int]:
        return {
            "a_second": round(statistics.median(self.rates)),
            "cpu_us": round(statistics.median(self.costs)),
        }


def compare(*sides: Side) -> None:
    """Let the sides take turns; the first is not counted."""
    for number in range(SLICES + 1):
        for side in sides if number % 2 else reversed(sides):
            side.take_turn(SLICE_SECONDS)
    for side in sides:
        del side.rates[0], side.costs[0]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median over the pairs of turns."""
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


def head(method: str, path: str, **headers: str) -> bytes:
    """Return a request without a body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def drive(side: Side, seconds: float) -> int:
    """Keep all connections busy for so long; return how many answers came. Raise RuntimeError for another status."""
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", side.server.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(side.request())
        selector.register(connection, selectors.EVENT_READ, bytearray())
    end, count = time.monotonic() + seconds, 0
    while selector.get_map():
        for key, _ in selector.select():
            client, answer = key.fileobj, key.data
            assert isinstance(client, socket.socket)
            piece = client.recv(2**18)
            answer += piece
            if piece and not is_whole(answer):
                continue
            check(answer, side.status)
            count += 1
            answer.clear()
            if time.monotonic() < end:
                client.sendall(side.request())
            else:
                selector.unregister(client)
                client.close()
    selector.close()
    return count


def is_whole(answer: bytearray) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    length: Any = LENGTH.search(answer, 0, end)
    has_body = length and answer[9:12] not in (b"304", b"204")
    return len(answer) >= end + 4 + (int(length[1]) if has_body else 0)


def check(answer: bytearray, status: int) -> None:
    if answer[9:12] != b"%d" % status:
        raise RuntimeError(f"{status} was expected: {answer[:600].decode(errors='replace')!r}")
