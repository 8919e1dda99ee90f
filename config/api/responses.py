"""Responses with headers of their own."""

from __future__ import annotations

from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

# Of a file that is downloaded: should a browser show it all the same, it runs nothing and loads nothing.
FILE_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}


def created(content: Any, *, replayed: bool = False) -> Response:
    """Return 201 for a new row, or 200 with `Idempotent-Replayed` for an earlier one with the same key."""
    if replayed:
        return Response(content, 200, headers={"Idempotent-Replayed": "true"})
    return Response(content, 201)


def accepted(content: Any, *, location: str, retry_after: int, replayed: bool = False) -> Response:
    """Return 202 for work that was begun, or 200 without its headers for a replay.

    `location` is the path to poll, `retry_after` the number of seconds to wait before that.
    """
    if replayed:
        return Response(content, 200)
    return Response(content, 202, headers={"Location": location, "Retry-After": str(retry_after)})


def matches_etag(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names this ETag (RFC 9110, section 13.1.2: by weak comparison)."""
    known = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
    return bool(known & {etag, "*"})
