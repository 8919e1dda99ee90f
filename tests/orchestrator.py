"""A real HTTP orchestrator on a loopback socket: it does what it is told, and counts what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request: its headers (lower case) and its body."""

    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.raw)
        return content


@dataclass
class Orchestrator:
    """`answers` are used up one a dispatch, then every one is a 200. An answer is a status, None (the
    connection is closed without one), seconds to wait before a 200 as a float, or a function of the request
    that answers one of these."""

    url: str
    answers: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def dispatches(self) -> list[Asked]:
        return [asked for asked in self.asked if "event" not in asked.body]

    @property
    def cancellations(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.body.get("event") == "cancel"]

    @property
    def executions(self) -> set[str]:
        """What it began: one a dispatch id, however often it was sent."""
        return {asked.body["dispatch_id"] for asked in self.dispatches}


@contextmanager
def running_orchestrator() -> Iterator[Orchestrator]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Asked({name.lower(): value for name, value in self.headers.items()}, raw)
            with lock:
                orchestrator.asked.append(asked)
                is_dispatch = "event" not in asked.body
                answer = orchestrator.answers.pop(0) if is_dispatch and orchestrator.answers else 200
            if isinstance(answer, Callable):  # type: ignore[arg-type]
                answer = answer(asked)
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer)
            if answer in (301, 302, 307, 308):
                self.send_header("Location", orchestrator.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    orchestrator = Orchestrator(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield orchestrator
    finally:
        server.shutdown()
        server.server_close()
