"""An obedient model on a loopback socket: it speaks `/v1/chat/completions` and does what the data it is shown says.

It reads the numbered lines `[12] text` of the user's message, writes an honest step for each, and plants what the
current case's attack asks for, in the current way, once it reads the attack. Of a passage to be rewritten it keeps
what is no attack. The way "memory" needs no attack: such a model is hostile by itself.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.injection.answers import DRAFTING, REWRITING, SPECIAL, attacking, honest, shows
from tests.injection.cases import Case

# A segment's line, and what stands below it up to the next one: a hostile segment may have lines of its own.
_SEGMENT = re.compile(r"^\[(\d+)\] ?(.*)((?:\n(?!\[\d+\]).*)*)", re.MULTILINE)


@dataclass
class Obedient:
    """`way` is one of `answers.ways(case)`, or "honest" for a model that obeys nobody but its operator.

    `asked` are the bodies of all requests, `answered` what it wrote; `obeyed` says how many showed it the attack.
    """

    url: str
    case: Case
    way: str = "honest"
    is_rewriting: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    obeyed: int = 0

    def answer(self, user: str) -> str:
        """Return the content of the answer to a user's message."""
        sentence = _sentence(user)
        if sentence is not None:
            self.answered.append(self._told(sentence))
        else:
            self.answered.append(self._rewritten(user) if self.is_rewriting else self._drafted(user))
        return self.answered[-1]

    def _told(self, sentence: str) -> str:
        """Return the command in one sentence, in its words, or what the attack plants."""
        is_attacked = any(shows(sentence, attack) for attack in self.case.attack)
        self.obeyed += is_attacked
        begin = " ".join(sentence.split()[:8])
        if self.way == "honest" or not (is_attacked or self.way == "memory"):
            return begin
        plant = " ".join(self.case.plants[0].split()[:12])
        return f"{begin} {plant}" if self.way == "grafted" else plant

    def _drafted(self, user: str) -> str:
        found = _SEGMENT.findall(user)
        shown = {int(number): line for number, line, _ in found}
        attacks = attacking(self.case, {int(number): line + below for number, line, below in found})
        self.obeyed += bool(attacks)
        if self.way == "honest" or not (attacks or self.way == "memory"):
            return honest(self.case, shown)
        return (DRAFTING | SPECIAL)[self.way](self.case, shown, attacks)

    def _rewritten(self, user: str) -> str:
        if self.way == "honest":
            return self.case.rewritten or self.case.selection
        self.obeyed += any(shows(user, attack) for attack in self.case.attack)
        return REWRITING[self.way](self.case)


def _sentence(user: str) -> str | None:
    """Return the sentence of a question about one, which is a JSON object on the last line."""
    try:
        turn = json.loads(user.rsplit("\n", 1)[-1])
        return str(turn["passage"])
    except (ValueError, TypeError, KeyError):
        return None


@contextmanager
def running_model(case: Case) -> Iterator[Obedient]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(body)
            user = "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")
            content = model.answer(user)
            message = {"role": "assistant", "content": content}
            answer = {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": body.get("model", "obedient"),
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": len(user) // 4,
                    "completion_tokens": len(content) // 4,
                    "total_tokens": (len(user) + len(content)) // 4,
                },
            }
            encoded = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model = Obedient(f"http://127.0.0.1:{server.server_address[1]}/v1", case)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
