"""Request ids: a well-formed X-Request-ID, else a new one; in all responses, errors and log lines."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from uuid6 import uuid7

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")


def take(given: str) -> str:
    """Return the id that a request came with if it is well-formed, else a new one."""
    return given if WELL_FORMED.match(given) else str(uuid7())


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        from structlog import contextvars

        value = take(request.headers.get("X-Request-ID", ""))
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(request_id=value)
        response = self.get_response(request)
        response["X-Request-ID"] = value
        return response


def current() -> str:
    """Return the id of the current request or, in a worker, the correlation id of the current work."""
    from structlog import contextvars

    context = contextvars.get_contextvars()
    return str(context.get("request_id") or context.get("correlation_id") or uuid7())
