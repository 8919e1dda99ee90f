"""Parts of pages that are asked for again and again."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from rest_framework.request import Request

from config.api.responses import matches_etag


def polled(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Return a part of a page with its ETag, or 304 when the browser has it already.

    The ETag is the hash of what is shown, ages with it. By `no-cache` the browser keeps the part, and asks each time
    whether it still holds (RFC 9111, section 5.2.2.4). Nothing in the template may differ by itself, as a form's token.
    """
    content = render_to_string(template, context)
    etag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches_etag(Request(request), etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(content, headers=headers)
