"""Limits of the size of bodies, checked by Content-Length before reading (RFC 9110, section 8.6)."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from config.api import errors

MIB = 2**20
BODY_LIMIT = 2 * MIB
CALLBACK_LIMIT = 16 * MIB
DIGITS = re.compile(r"[0-9]{1,18}\Z")
UPLOADS = "/api/v1/files/uploads/"


class BodyLimitMiddleware:
    """Answers 413 for a body that is too large, 411 without a length. Signed uploads have limits of their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(UPLOADS):
            return self.get_response(request)
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            return errors.json_response(
                errors.ApiError(411, "LENGTH_REQUIRED", "Send the body with a Content-Length header.")
            )
        length = request.headers.get("Content-Length") or "0"
        if not DIGITS.match(length):
            return errors.json_response(errors.invalid("Content-Length", "The length is not a number."))
        limit = CALLBACK_LIMIT if request.path.startswith("/api/v1/internal/") else BODY_LIMIT
        if int(length) > limit:
            return errors.json_response(errors.too_large())
        return self.get_response(request)
