"""A real HTTP server on a loopback socket that speaks /v1/chat/completions, and writes what it is told to write."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


@dataclass
class Asked:
    """One request: path, headers (lower case) and body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def user(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def passages(self) -> dict[int, str]:
        """The numbered passages of a prompt for drafting."""
        return {
            int(number): text for number, text in re.findall(r"^\[(\d+)\] (.*)$", self.user, re.MULTILINE)
        }

    @property
    def turn(self) -> dict[str, Any]:
        """A question about one sentence."""
        turn: dict[str, Any] = json.loads(self.user.split("\n", 1)[0])
        return turn

    @property
    def selection(self) -> str:
        """What stands in the fence."""
        fence = re.search(r"two lines that both read (\w+)", self.system)
        assert fence
        return self.user.split(f"{fence[1]}\n", 1)[1].rsplit(f"\n{fence[1]}", 1)[0]


@dataclass
class Reply:
    """What the server sends: a status, headers and a body, all of it slowly if told so.

    `cut_off` closes the connection in the middle of the body; `seconds` pass before the first byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut_off: bool = False


def completion(
    content: Any, *, usage: Any = USAGE, finish: Any = "stop", logprobs: Any = None, **more: Any
) -> Reply:
    """The reply with a text, or with JSON as its text."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    choice = {"message": {"content": text}, "finish_reason": finish, "logprobs": logprobs}
    answer: dict[str, Any] = {"choices": [choice], **more}
    if usage is not None:
        answer["usage"] = usage
    return Reply(body=json.dumps(answer).encode())


def honest_steps(asked: Asked) -> Reply:
    """A step for each passage, in its own words."""
    steps = [
        {"title": text.split(".")[0][:60], "text": text, "segments": [number]}
        for number, text in asked.passages.items()
    ]
    return completion({"title": "Steps that were said", "steps": steps})


def same_words(asked: Asked) -> Reply:
    """The selection as it is."""
    return completion(asked.selection)


Answer = Reply | Callable[[Asked], Reply]


@dataclass
class ChatServer:
    """`answers` are used up one a request, then `otherwise` answers."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    otherwise: Answer = honest_steps
    asked: list[Asked] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_chat_server() -> Iterator[ChatServer]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, json.loads(raw))
            with lock:
                server.asked.append(asked)
                answer = server.answers.pop(0) if server.answers else server.otherwise
            reply = answer if isinstance(answer, Reply) else answer(asked)
            time.sleep(reply.seconds)
            try:
                self._send(reply)
            except OSError:
                server.hung_up.set()

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            half = len(reply.body) // 2 if reply.cut_off else len(reply.body)
            for begin in range(0, half, 65_536):
                self.wfile.write(reply.body[begin : min(begin + 65_536, half)])
            self.close_connection = self.close_connection or reply.cut_off

        def log_message(self, *_: Any) -> None:
            return None

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            server.hung_up.set()  # whoever asked is gone

    httpd = Server(("127.0.0.1", 0), Handler)
    server = ChatServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            httpd.shutdown()
        httpd.server_close()
