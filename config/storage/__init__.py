"""The storage of files, which STEPWRIGHT_STORAGE_URL names."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from config.storage.base import (
    BadUri,
    Storage,
    Stored,
    TooLarge,
    TooManyUploads,
    WrongChecksum,
    WrongSize,
    folders_of,
    kept_folder,
    pictures_folder,
    uploads_folder,
)
from config.storage.file_system import FileStorage
from config.storage.s3 import S3Storage

__all__ = [
    "BadUri",
    "FileStorage",
    "Storage",
    "Stored",
    "TooLarge",
    "TooManyUploads",
    "WrongChecksum",
    "WrongSize",
    "download_url",
    "folders_of",
    "kept_folder",
    "pictures_folder",
    "read_bytes",
    "storage",
    "uploads_folder",
]


@lru_cache(maxsize=1)
def storage() -> Storage:
    """Return the storage that STEPWRIGHT_STORAGE_URL names."""
    url = settings.STEPWRIGHT_STORAGE_URL
    if url.startswith("file:"):
        return FileStorage(Path(url.removeprefix("file:").removeprefix("//")).absolute())
    if url.startswith("s3://"):
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return S3Storage(bucket, prefix)
    raise ValueError("STEPWRIGHT_STORAGE_URL must start with file: or s3://")


def download_url(
    uri: str, *, filename: str, mime_type: str, seconds: int | None = None
) -> tuple[str, datetime]:
    """Return a URL to download one file as `filename`, and when it expires."""
    seconds = seconds or settings.DOWNLOAD_URL_SECONDS
    url = storage().download_url(uri, filename=filename, mime_type=mime_type, seconds=seconds)
    return url, timezone.now() + timedelta(seconds=seconds)


def read_bytes(uri: str, *, limit: int) -> bytes:
    """Return all bytes of one file; raise TooLarge beyond `limit`."""
    with storage().open(uri) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TooLarge
    return content
