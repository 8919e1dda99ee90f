"""The bytes of a recording on their way to a ticket's URL."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.test import Client

# What a ticket is asked for.
BODY = {"filename": "recording.mp4", "size_bytes": 10, "mime_type": "video/mp4"}


def put(url: str, content: bytes, **headers: str) -> Any:
    return Client(raise_request_exception=False).generic(
        "PUT", url.removeprefix(settings.PUBLIC_URL), content, content_type="video/mp4", headers=headers
    )
