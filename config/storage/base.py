"""What every storage is: content-addressed files behind one interface.

Keys: `uploads/{job}/{ticket}` is what a ticket may write; `jobs/{job}/{sha256}{suffix}` is what the
service keeps, and no ticket can reach it. URIs are `local://KEY` (or `s3://BUCKET/KEY`).
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

CHUNK = 2**20
KEY = re.compile(r"(uploads|jobs)/[0-9a-f-]{36}/[A-Za-z0-9][A-Za-z0-9._-]{0,120}\Z")


class BadUri(ValueError):
    """A URI that is not one of this storage, or not of the folder that was asked for."""


class TooLarge(ValueError):
    """More bytes than allowed."""


@dataclass(frozen=True)
class Stored:
    """What was kept: its URI, SHA-256 (hex) and size in bytes."""

    uri: str
    sha256: str
    size_bytes: int


class Storage(Protocol):
    """A name appears only when its bytes are whole and safe. URIs that are not of this storage raise BadUri,
    files that are not there FileNotFoundError."""

    scheme: str

    def uri(self, key: str) -> str: ...

    def key(self, uri: str) -> str: ...

    def size(self, uri: str) -> int: ...

    def open(self, uri: str) -> BinaryIO: ...

    def local_path(self, uri: str) -> AbstractContextManager[Path]:
        """Give the file as a path of this machine, to be read only, for as long as the block runs."""

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        """Return the URI that `save_bytes` gives to these bytes."""

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored: ...

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored: ...

    def keep_upload(self, uri: str, folder: str) -> Stored:
        """Give an uploaded file a second name that no ticket can write to; `delete` the first one afterwards."""

    def delete(self, uri: str) -> None: ...

    def delete_folder(self, folder: str) -> None:
        """Remove everything of one job; nothing there is fine."""

    def receive(self, key: str, body: BinaryIO, *, limit: int, expected: int | None) -> int:
        """Stream an upload in constant memory, and return its size in bytes.

        Raises TooLarge beyond `limit`, ConnectionError when fewer than `expected` bytes came; then nothing
        is kept.
        """

    def check(self) -> None:
        """Raise OSError when nothing can be written."""


def kept_folder(job_id: UUID) -> str:
    return f"jobs/{job_id}/"


def uploads_folder(job_id: UUID) -> str:
    return f"uploads/{job_id}/"
