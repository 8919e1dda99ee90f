"""What the front answers by itself, and what of a request and an answer goes through it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.factories import Api
from tests.front.raw import Seen, Wire
from tests.front.server import PAGES, SECRET, Server

pytestmark = pytest.mark.slow


def assert_error(seen: Seen, status: int, code: str) -> None:
    content = json.loads(seen.body)
    assert (seen.status, content["code"]) == (status, code)
    assert set(content) <= {"code", "message", "details", "hint", "request_id"}
    assert seen.headers["x-request-id"] == content["request_id"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_length": 2 * 2**20 + 1}, 413, "PAYLOAD_TOO_LARGE"),
        ({"content_length": None, "transfer_encoding": "chunked"}, 411, "LENGTH_REQUIRED"),
        ({"content_length": 5000}, 408, "REQUEST_TIMEOUT"),
    ],
)
def test_a_refusal_has_the_one_shape_and_ends_the_connection(
    server: Server, headers: dict[str, Any], status: int, code: str
) -> None:
    seen = Wire(server).ask("POST", "/api/v1/projects", b"", x_request_id="mine", **headers).read(15)
    assert_error(seen, status, code)
    assert seen.headers["x-request-id"] == "mine"
    assert (seen.headers["connection"], seen.is_ended) == ("close", True)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/v1/projects", {"content_length": 2 * 2**20 + 1}, 413),
        ("POST", "/api/v1/projects", {"content_length": None, "transfer_encoding": "chunked"}, 411),
        ("POST", "/api/v1/projects", {"content_length": 5000}, 408),
        ("PUT", "/api/v1/files/uploads/forged", {"content_length": 5}, 404),
        ("GET", "/api/v1/projects", {"x_test": "busy"}, 503),
    ],
)
def test_a_page_of_an_allowed_origin_can_read_a_refusal(
    server: Server, method: str, path: str, headers: dict[str, Any], status: int
) -> None:
    seen = Wire(server).ask(method, path, origin=PAGES, x_request_id="mine", **headers).read_answer()
    assert (seen.status, json.loads(seen.body)["request_id"]) == (status, "mine")
    assert seen.headers["access-control-allow-origin"] == PAGES
    assert "X-Request-ID" in seen.headers["access-control-expose-headers"]
    assert "default-src 'none'" in seen.headers["content-security-policy"]
    assert seen.headers["x-content-type-options"] == "nosniff"


CALLBACK = "/api/v1/internal/jobs/x/status"


def test_a_callback_may_be_larger_than_other_bodies(server: Server) -> None:
    secret = {"x_callback_secret": SECRET, "content_type": "application/json"}
    for size, status in ((3 * 2**20, 400), (16 * 2**20 + 1, 413)):
        wire = Wire(server).ask("POST", CALLBACK, content_length=size, **secret)
        if status == 400:
            wire.send(b"x" * size)
        assert wire.read_answer().status == status


@pytest.mark.parametrize("headers", [{}, {"x_callback_secret": "wrong"}])
def test_a_callback_without_the_secret_is_refused_before_its_body(
    server: Server, headers: dict[str, str]
) -> None:
    seen = Wire(server).ask("POST", CALLBACK, content_length=3 * 2**20, **headers).read(15)
    assert_error(seen, 401, "CALLBACK_UNAUTHENTICATED")
    assert seen.is_ended


def test_a_second_host_is_refused(server: Server) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    seen = Wire(server).send(ask).read_answer()
    assert_error(seen, 400, "VALIDATION_ERROR")
    assert json.loads(seen.body)["details"]["errors"][0]["field"] == "Host"


def test_a_refused_body_that_is_on_its_way_does_not_hide_the_answer(server: Server, owner: Api) -> None:
    """A client that sends all before it reads gets the answer, not a reset connection."""
    for _ in range(10):
        answer = httpx.post(
            f"{server.url}/api/v1/projects", content=b"x" * 4 * 2**20, headers=owner.headers, timeout=20
        )
        assert answer.status_code == 413


def test_requests_follow_one_another_on_a_connection(server: Server, owner: Api) -> None:
    wire = Wire(server)
    for number in range(3):
        body = json.dumps({"name": f"p{number}"}).encode()
        wire.ask("POST", "/api/v1/projects", body, content_type="application/json", **owner.headers)
        seen = wire.read_answer()
        assert seen.status == 201 and json.loads(seen.body)["name"] == f"p{number}"


@pytest.mark.parametrize("size", [10, 65_536, 65_537, 700_000])
def test_a_body_comes_whole_whether_kept_in_memory_or_not(server: Server, owner: Api, size: int) -> None:
    body = b'{"name": "n", "odd": "' + b"x" * size + b'"}'
    wire = Wire(server).ask(
        "POST", "/api/v1/projects", body, content_type="application/json", **owner.headers
    )
    seen = wire.read_answer()
    assert_error(seen, 400, "VALIDATION_ERROR")
    assert [error["field"] for error in json.loads(seen.body)["details"]["errors"]] == ["odd"]


def test_a_path_with_escapes_is_the_same_as_for_any_server(server: Server, owner: Api) -> None:
    with httpx.Client(base_url=server.url, headers=owner.headers) as client:
        for path in (
            "/api/v1/projects/%00",
            "/api/v1/projects/%FF",
            "/api/v1/projects/%C3%BC",
            "/%2e%2e/etc",
        ):
            assert client.get(path).status_code == 404, path
        assert client.get("/api/v1/project%73?limit=1").status_code == 200
        assert client.get("/api/v1/projects?odd=%C3%BC").status_code == 400


def test_a_header_with_an_underscore_passes_for_no_other(server: Server) -> None:
    seen = (
        Wire(server).send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX_Request_ID: forged\r\n\r\n").read_answer()
    )
    assert seen.headers["x-request-id"] != "forged"


def test_head_answers_with_the_length_and_no_body(server: Server) -> None:
    wire = Wire(server).ask("HEAD", "/healthz")
    seen = wire.read(1)
    assert (seen.status, seen.body) == (200, b"") and int(seen.headers["content-length"]) > 0


def test_an_application_that_fails_is_500_in_the_one_shape(server: Server) -> None:
    assert_error(Wire(server).ask("GET", "/healthz", x_test="fail").read_answer(), 500, "INTERNAL_ERROR")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ["content_type", "x_request_id", "cookie"])
def test_headers_of_over_16_kib_are_400_and_never_parsed(server: Server, method: str, name: str) -> None:
    """Python takes half a minute to parse this Content-Type, for anybody, before a view is called."""
    odd = 'a/b;a="' + ";" * 240_000
    seen = Wire(server).ask(method, "/api/v1/projects", b"", **{name: odd}).read_answer(5)
    assert_error(seen, 400, "VALIDATION_ERROR")
    (error,) = json.loads(seen.body)["details"]["errors"]
    assert (error["field"], error["code"]) == ("headers", "too_large")
