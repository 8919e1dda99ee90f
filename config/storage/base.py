"""The interface of a storage of content-addressed files.

Files have keys: `uploads/{job}/{ticket}` (recordings) and `pictures/{job}/{ticket}` are written with a ticket;
`jobs/{job}/{sha256}{suffix}` is written by the service, and cannot be written with a ticket. URIs are `local://KEY` (or
`s3://BUCKET/KEY`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from config.remote_file import Source

CHUNK = 2**20
KINDS = ("jobs", "pictures", "uploads")  # the first folder of a key, in order
KEY = re.compile(rf"({'|'.join(KINDS)})/[0-9a-f-]{{36}}/[A-Za-z0-9][A-Za-z0-9._-]{{0,120}}\Z")
FOLDER = re.compile(rf"({'|'.join(KINDS)})/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}/\Z")


class BadUri(ValueError):
    """The URI is not one of this storage, or not one of the folder asked for."""


class TooLarge(ValueError):
    """There are more bytes than allowed."""


class WrongSize(ValueError):
    """An uploaded file has another size (bytes) than was declared."""

    def __init__(self, declared: int, found: int) -> None:
        super().__init__(f"{found} bytes instead of {declared}")
        self.declared, self.found = declared, found


class WrongChecksum(ValueError):
    """An uploaded file has another SHA-256 than was declared."""


class TooManyUploads(Exception):
    """As many uploads into one folder are under way as may be."""


@dataclass(frozen=True)
class Stored:
    """A stored file: its URI, SHA-256 (hex) and size in bytes; `tag` is the ETag of the upload that it is a copy of."""

    uri: str
    sha256: str
    size_bytes: int
    tag: str = ""


@dataclass(frozen=True)
class Disk:
    """The space of a disk, in bytes; what others keep on it is used too."""

    size: int
    free: int

    @property
    def used(self) -> int:
        return self.size - self.free

    @property
    def used_percent(self) -> int:
        return round(100 * self.used / self.size) if self.size else 0


@dataclass(frozen=True)
class Part:
    """A part of an upload: its number from 1, its size in bytes, and where it is PUT."""

    number: int
    size_bytes: int
    url: str


@dataclass(frozen=True)
class UploadRequest:
    """How a client sends a file: by one PUT with these headers, or in parts. One that is too large for a PUT has no
    `url`."""

    url: str | None
    headers: Mapping[str, str]
    parts: tuple[Part, ...] = ()


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
    BadUri, missing files FileNotFoundError, a storage that cannot be used OSError.

    `scheme` is what its URIs begin with. One that `is_written_by_clients` takes uploads itself, and nobody is told.
    """

    scheme: str
    is_written_by_clients: bool

    def uri(self, key: str) -> str: ...

    def key(self, uri: str) -> str: ...

    def size(self, uri: str) -> int: ...

    def open(self, uri: str) -> BinaryIO: ...

    def source(self, uri: str) -> AbstractContextManager[Source]:
        """Yield the file to be read in parts, in this process or a child, as long as the block runs."""

    def local_path(self, uri: str) -> AbstractContextManager[Path]:
        """Yield the path of the file on this machine, for reading only, as long as the block runs."""

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        """Return the URI that `save_bytes` gives to these bytes."""

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored: ...

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored: ...

    def upload(self, key: str, *, size: int, mime_type: str, seconds: int, sha256: str = "") -> UploadRequest:
        """Return how a client sends a file of this size and type, for so long; with `sha256` (hex) of these bytes
        alone."""

    def keep_upload(self, uri: str, folder: str, *, size: int) -> Stored:
        """Give an uploaded file a second name that cannot be written with a ticket, with the hash of what is kept
        there; `delete` the first afterwards. Raise WrongSize for another size than was declared."""

    def delete_upload(self, uri: str, kept: Stored) -> None:
        """Delete an uploaded file of which `kept` is a copy; leave another that has come in its place."""

    def download_url(self, uri: str, *, filename: str, mime_type: str, seconds: int) -> str:
        """Return a URL to download one file as `filename`, for so long."""

    def delete(self, uri: str) -> None: ...

    def delete_folder(self, folder: str) -> None:
        """Remove all files of one job, if there are any."""

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

    def disk(self) -> Disk | None:
        """Return the space of the disk that the files lie on; None if they lie on none that has an end."""


def kept_folder(job_id: UUID) -> str:
    return f"jobs/{job_id}/"


def uploads_folder(job_id: UUID) -> str:
    return f"uploads/{job_id}/"


def pictures_folder(job_id: UUID) -> str:
    return f"pictures/{job_id}/"


def folders_of(job_id: UUID) -> list[str]:
    """Return all folders that a job may have."""
    return [f"{kind}/{job_id}/" for kind in KINDS]
