"""The one shape of every error."""

from __future__ import annotations

from typing import Any


def assert_shape(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert that it is an error of this status and code, and of no other shape; return its body."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert set(body) <= {"code", "message", "details", "hint", "request_id"}
    assert body["code"] == code
    assert body["message"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body
