"""A server on a socket of this machine that answers as a test says, byte by byte."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

Answer = bytes | Callable[[socket.socket], None]


class Server(ThreadingTCPServer):
    """Answers with bytes or whatever a function sends; the last answer stands for all further requests."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((address, port), Handler)
        self.port: int = self.server_address[1]
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []
        self.tls: ssl.SSLContext | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients here hang up, and that is what is tested."""


class Handler(BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        connection = self.request
        if self.server.tls:
            connection = self.server.tls.wrap_socket(connection, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := connection.recv(65_536)):
                return
            head += more
        self.server.requests.append(head)
        answer = self.server.answers[min(len(self.server.requests), len(self.server.answers)) - 1]
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection)
        connection.close()


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(body: bytes, *fields: str, status: str = "200 OK", size: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if size is None else size}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
