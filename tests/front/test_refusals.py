"""What the front answers by itself when the application cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config.api import limits
from config.front.application import Front
from config.front.bounds import Bounds, Pool

HEADERS = [(b"origin", b"https://pages.example"), (b"x-request-id", b"mine"), (b"content-type", b"a/b")]


def asked(front: Front) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of the answer to a GET."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

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
    }
    asyncio.run(front(scope, receive, send))
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
