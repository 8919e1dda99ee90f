"""Our own signed URLs, for one upload (PUT) or one file (GET). They need no bearer token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from uuid6 import uuid7

from config.api import errors

UPLOAD_SALT, DOWNLOAD_SALT = "stepwright.upload", "stepwright.download"


def new_ticket_key(folder: str) -> str:
    """Return a new key in a folder, to be written with a ticket. The key includes a proof that this service made it."""
    name = str(uuid7())
    return f"{folder}{name}-{_proof(folder + name)}"


def is_ticket_key(key: str, folder: str) -> bool:
    """Return whether `new_ticket_key(folder)` made this key."""
    name, _, proof = key.rpartition("-")
    return key.startswith(folder) and constant_time_compare(proof, _proof(name))


def _proof(name: str) -> str:
    return salted_hmac("stepwright.ticket", name, algorithm="sha256").hexdigest()[:32]


def upload_url(key: str, *, max_bytes: int, seconds: int) -> tuple[str, datetime]:
    """Return a URL to PUT `key` to, and when it expires."""
    expires_at = timezone.now() + timedelta(seconds=seconds)
    token = signing.dumps(
        {"key": key, "max": max_bytes, "exp": int(expires_at.timestamp())}, salt=UPLOAD_SALT
    )
    return settings.PUBLIC_URL + reverse("upload-detail", args=[token]), expires_at


def download_url(
    uri: str, *, filename: str, mime_type: str, seconds: int | None = None
) -> tuple[str, datetime]:
    """Return a URL to download one file as `filename`, and when it expires."""
    expires_at = timezone.now() + timedelta(seconds=seconds or settings.DOWNLOAD_URL_SECONDS)
    content = {"uri": uri, "name": filename, "type": mime_type, "exp": int(expires_at.timestamp())}
    token = signing.dumps(content, salt=DOWNLOAD_SALT, compress=True)
    return settings.PUBLIC_URL + reverse("download-detail", args=[token]), expires_at


def read_token(token: str, salt: str) -> dict[str, Any]:
    """Return the content of the token in a signed URL; raise 404 if it is forged or expired."""
    try:
        content: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise errors.not_found() from error
    if content["exp"] < timezone.now().timestamp():
        raise errors.not_found()
    return content
