"""Limits of the size of headers, and of bodies, checked by Content-Length before reading (RFC 9110, section 8.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponseBase

from config.api import errors

MAX_HEADERS = 16 * 2**10  # bytes of all names and values
MIB = 2**20
BODY_LIMIT = 2 * MIB
CALLBACK_LIMIT = 16 * MIB
SIGN_IN_LIMIT = 8 * 2**10  # a name, a password and a token
TOKEN_LIMIT = 12 * 2**10  # a bearer token of 8 KiB and the form's own
DIGITS = re.compile(r"[0-9]{1,18}\Z")
UPLOADS = "/api/v1/files/uploads/"
CALLBACKS = "/api/v1/internal/"
# By the beginning of the path.
LIMITS = {CALLBACKS: CALLBACK_LIMIT, "/admin/login/": SIGN_IN_LIMIT, "/sign-in": TOKEN_LIMIT}
REFUSAL = "stepwright.refusal"
"""In the WSGI environment, where no header gets to: the ApiError with which the front refuses a request."""


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise 400 when they are over `MAX_HEADERS`. Python parses Content-Type in the square of its length, before
    any view is asked: 250 KB take it half a minute."""
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
        raise errors.invalid("headers", f"The headers have over {MAX_HEADERS:,} bytes.", code="too_large")


def is_upload(method: str, path: str) -> bool:
    """Return whether the body is an upload with a ticket, which has a limit of its own and may be chunked."""
    return method == "PUT" and path.startswith(UPLOADS)


def body_limit(path: str, *, length: str, encoding: str) -> int:
    """Return how many bytes the body of a request may have, by its path and two headers, which may be empty.

    Raise 411 for a body without a length, 400 for a length that is no number, and 413 for one that is too large.
    """
    if "chunked" in encoding.lower():
        raise errors.ApiError(411, "LENGTH_REQUIRED", "Send the body with a Content-Length header.")
    if not DIGITS.match(length or "0"):
        raise errors.invalid("Content-Length", "The length is not a number.")
    limit = next((LIMITS[start] for start in LIMITS if path.startswith(start)), BODY_LIMIT)
    if int(length or "0") > limit:
        raise errors.too_large()
    return limit


class BodyLimitMiddleware:
    """Answers 413 for a body that is too large, 411 without a length. Signed uploads have limits of their own.

    What the front refused by itself is answered here too, behind the middleware that a browser needs to read it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        headers = request.headers
        try:
            if REFUSAL in request.META:
                raise request.META[REFUSAL]
            if not is_upload(request.method or "", request.path):
                body_limit(
                    request.path,
                    length=headers.get("Content-Length") or "",
                    encoding=headers.get("Transfer-Encoding") or "",
                )
        except errors.ApiError as error:
            return errors.json_response(error)
        return self.get_response(request)
