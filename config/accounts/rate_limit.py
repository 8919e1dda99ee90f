"""The fields `RateLimit` and `RateLimit-Policy` of answers (draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase


@dataclass(frozen=True)
class RateLimit:
    """A limit, and what is left of it in the window that ends at `ends` (Unix seconds)."""

    policy: str
    limit: int
    seconds: int
    remaining: int
    ends: float

    def wait(self) -> int:
        """Return the seconds until the window ends, at least 1."""
        return max(1, round(self.ends - time.time()))

    def fields(self) -> dict[str, str]:
        """Return the two fields, as structured fields (RFC 9651)."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.seconds}',
            "RateLimit": f'"{self.policy}";r={max(0, self.remaining)};t={self.wait()}',
        }


def note(request: Any, limit: RateLimit) -> None:
    """Remember the limit that a DRF request was counted by, for the middleware."""
    request._request.rate_limit = limit


class RateLimitMiddleware:
    """Adds the fields to the answers of requests that were counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        limit: RateLimit | None = getattr(request, "rate_limit", None)
        if limit is not None:
            for name, value in limit.fields().items():
                response.headers[name] = value
        return response
