"""The interface of a storage of content-addressed files.

Files have keys: `uploads/{job}/{ticket}` is written with a ticket; `jobs/{job}/{sha256}{suffix}` is written by the
service, and cannot be written with a ticket. URIs are `local://KEY` (or `s3://BUCKET/KEY`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

CHUNK = 2**20
KEY = re.compile(r"(uploads|jobs)/[0-9a-f-]{36}/[A-Za-z0-9][A-Za-z0-9._-]{0,120}\Z")
FOLDER = re.compile(r"(uploads|jobs)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/\Z")


class BadUri(ValueError):
    """The URI is not one of this storage, or not one of the folder asked for."""


class TooLarge(ValueError):
    """There are more bytes than allowed."""


class TooManyUploads(Exception):
    """As many uploads into one folder are under way as may be."""


@dataclass(frozen=True)
class Stored:
    """A stored file: its URI, SHA-256 (hex) and size in bytes."""

    uri: str
    sha256: str
    size_bytes: int


class Draft:
    """A file that is being written: it has no name that anybody knows, and is for us alone (mode 0600).

    `write` its bytes, then `finish` it. A storage that `receive`s it gives it its name, or else `discard` removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        # Buffered, so that closing waits for a write that is still under way in another thread.
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def write(self, pieces: Sequence[bytes]) -> None:
        self._file.writelines(pieces)
        self.size += sum(map(len, pieces))

    def finish(self) -> None:
        """Wait until all bytes are on the disk, and go to the beginning."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.seek(0)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readline(self, size: int = -1) -> bytes:
        return self._file.readline(size)

    def discard(self) -> None:
        """Close the file, and remove it if it got no other name."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Storage(Protocol):
    """Files get their name only when their bytes are complete and on the disk. URIs of other storages raise
    BadUri, missing files FileNotFoundError."""

    scheme: str

    def uri(self, key: str) -> str: ...

    def key(self, uri: str) -> str: ...

    def size(self, uri: str) -> int: ...

    def open(self, uri: str) -> BinaryIO: ...

    def local_path(self, uri: str) -> AbstractContextManager[Path]:
        """Yield the path of the file on this machine, for reading only, as long as the block runs."""

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        """Return the URI that `save_bytes` gives to these bytes."""

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored: ...

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored: ...

    def keep_upload(self, uri: str, folder: str) -> Stored:
        """Give an uploaded file a second name that cannot be written with a ticket, with the hash of what is kept
        there; `delete` the first afterwards."""

    def delete(self, uri: str) -> None: ...

    def delete_folder(self, folder: str) -> None:
        """Remove all files of one job, if there are any."""

    def new_draft(self, key: str) -> Draft:
        """Return an empty draft of the file with this key, to be handed to `receive`; raise TooManyUploads."""

    def receive(
        self, key: str, body: BinaryIO | Draft, *, size: int, naming: AbstractContextManager[object]
    ) -> None:
        """Stream an upload of `size` bytes in constant memory, or take over a finished draft.

        The file gets its name inside of `naming`. Raise TooManyUploads before it is read; TooLarge for more,
        ConnectionError for fewer, and what entering `naming` raises: then nothing is stored, and what was there
        before stays.
        """

    def folders(self, *, after: str, limit: int) -> list[str]:
        """Return the first folders of jobs, in order, that come after this one ("" for the first of all)."""

    def old_files(self, folder: str, age: timedelta) -> list[str]:
        """Return the URIs of the files in a folder that nobody has written, or kept again, for so long."""

    def delete_old(self, uri: str, age: timedelta) -> bool:
        """Delete a file unless somebody has written or kept it again; return whether it is deleted."""

    def delete_drafts(self, folder: str, age: timedelta) -> None:
        """Delete what writers that died have left in a folder; in the root for the folder ""."""

    def check(self) -> None:
        """Raise OSError if nothing can be written."""


def kept_folder(job_id: UUID) -> str:
    return f"jobs/{job_id}/"


def uploads_folder(job_id: UUID) -> str:
    return f"uploads/{job_id}/"
