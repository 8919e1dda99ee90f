"""What the front answers by itself when the application cannot."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from config.api import limits
from config.asgi import wsgi
from config.front.application import Front
from config.front.bounds import Bounds, Pace, Pool

HEADERS = [(b"origin", b"https://pages.example"), (b"x-request-id", b"mine"), (b"content-type", b"a/b")]


class Connection:
    """What a server hands over of a connection whose body does not come; `receive` is a method of it."""

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}


def asked(front: Front, connection: Connection | None = None, **changed: Any) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of the answer to a GET."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/projects",
        "raw_path": b"/api/v1/projects",
        "query_string": b"",
        "headers": HEADERS,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "scheme": "http",
        "http_version": "1.1",
        **changed,
    }
    asyncio.run(front(scope, (connection or Connection()).receive, send))
    assert (b"x-request-id", b"mine") in sent[0]["headers"]
    return sent[0]["status"], json.loads(sent[1]["body"])


def failing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    raise RuntimeError("the application failed")


@pytest.mark.parametrize(
    ("bounds", "status", "code"),
    [
        (Bounds(), 500, "INTERNAL_ERROR"),
        (replace(Bounds(), api=Pool(0, 0), refusals=Pool(0, 0)), 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_refusal_is_answered_when_the_application_cannot(bounds: Bounds, status: int, code: str) -> None:
    found, body = asked(Front(failing, bounds))
    assert (found, body["code"], body["request_id"]) == (status, code, "mine")


def test_the_application_gets_no_header_that_may_be_the_reason() -> None:
    seen: list[dict[str, Any]] = []

    def noting(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(environ)
        start_response(f"{environ[limits.REFUSAL].status} x", [("X-Request-ID", "mine")])
        return [b"{}"]

    assert asked(Front(noting, replace(Bounds(), api=Pool(0, 0))))[0] == 503
    assert seen[0]["HTTP_ORIGIN"] == "https://pages.example"
    assert "CONTENT_TYPE" not in seen[0]


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_who_is_cut_off_is_let_go_without_the_garbage_collector(no_collection: None) -> None:
    connection = Connection()
    kept = weakref.ref(connection)
    slow = {"method": "POST", "headers": [*HEADERS, (b"host", b"127.0.0.1"), (b"content-length", b"9")]}
    found, body = asked(Front(wsgi, replace(Bounds(), body=Pace(10, 0.1))), connection, **slow)
    assert (found, body["code"]) == (408, "REQUEST_TIMEOUT")
    del connection
    assert kept() is None
