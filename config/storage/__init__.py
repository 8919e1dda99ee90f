"""The storage of files, which STEPWRIGHT_STORAGE_URL names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from config.storage.base import (
    BadUri,
    Storage,
    Stored,
    TooLarge,
    TooManyUploads,
    kept_folder,
    uploads_folder,
)
from config.storage.file_system import FileStorage

__all__ = [
    "BadUri",
    "Storage",
    "Stored",
    "TooLarge",
    "TooManyUploads",
    "kept_folder",
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
    raise ValueError("STEPWRIGHT_STORAGE_URL must start with file:")


def read_bytes(uri: str, *, limit: int) -> bytes:
    """Return all bytes of one file; raise TooLarge beyond `limit`."""
    with storage().open(uri) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TooLarge
    return content
