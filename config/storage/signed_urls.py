"""Our own signed URLs, for one upload (PUT) or one file (GET). They need no bearer token."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from config.api import errors

UPLOAD_SALT, DOWNLOAD_SALT = "stepwright.upload", "stepwright.download"


def upload_url(key: str) -> str:
    """Return a URL to PUT `key` to. How long, and what may be sent, its ticket says: see `uploads`."""
    return settings.PUBLIC_URL + reverse(
        "upload-detail", args=[signing.dumps({"key": key}, salt=UPLOAD_SALT)]
    )


def download_url(uri: str, *, filename: str, mime_type: str, seconds: int) -> str:
    """Return a URL to download one file as `filename`, for so long."""
    expires_at = timezone.now() + timedelta(seconds=seconds)
    content = {"uri": uri, "name": filename, "type": mime_type, "exp": int(expires_at.timestamp())}
    token = signing.dumps(content, salt=DOWNLOAD_SALT, compress=True)
    return settings.PUBLIC_URL + reverse("download-detail", args=[token])


def read_token(token: str, salt: str) -> dict[str, Any]:
    """Return the content of the token in a signed URL; raise 404 if it is forged, or past the time that it says."""
    try:
        content: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise errors.not_found() from error
    if content.get("exp", math.inf) < timezone.now().timestamp():
        raise errors.not_found()
    return content
