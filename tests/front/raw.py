"""HTTP over a bare socket, for clients that are slow, break off or say what no library says."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass
from typing import Any

from tests.front.server import Server


@dataclass
class Seen:
    """What a server sent before it ended the connection, or fell silent."""

    content: bytes
    is_ended: bool
    seconds: float

    @property
    def status(self) -> int:
        return int(self.content.split(b" ", 2)[1]) if self.content else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = self.content.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.content.partition(b"\r\n\r\n")[2]


class Wire:
    """One connection. A small `window` (bytes) is that of a client which does not read."""

    def __init__(self, server: Server, *, window: int = 0) -> None:
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))
        self.address: Any = self.socket.getsockname()

    def send(self, content: bytes) -> Wire:
        self.socket.sendall(content)
        return self

    def ask(self, method: str, path: str, body: bytes = b"", **headers: Any) -> Wire:
        """Send a request; a header `content_length` may promise more than `body` has."""
        given = {"host": "127.0.0.1", "content_length": len(body), **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value is not None]
        return self.send("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)

    def read(self, seconds: float = 10) -> Seen:
        """Read until the server ends the connection, or for so long."""
        started, found = time.monotonic(), b""
        while (left := started + seconds - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                piece = self.socket.recv(2**16)
            except TimeoutError:
                break
            except ConnectionResetError:
                piece = b""
            if not piece:
                return Seen(found, True, time.monotonic() - started)
            found += piece
        return Seen(found, False, time.monotonic() - started)

    def read_answer(self, seconds: float = 10) -> Seen:
        """Read one answer with a Content-Length; the connection may stay."""
        self.socket.settimeout(seconds)
        started, found = time.monotonic(), b""
        while True:
            head, end, body = found.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if end and len(body) >= (int(lengths[0].split(b":")[1]) if lengths else 0):
                return Seen(found, False, time.monotonic() - started)
            piece = self.socket.recv(2**16)
            if not piece:
                return Seen(found, True, time.monotonic() - started)
            found += piece

    def has_answer(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self) -> None:
        self.socket.close()
