"""The storage in a folder of this machine."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from uuid6 import uuid7

from config.storage import signed_urls
from config.storage.base import (
    CHUNK,
    FOLDER,
    KEY,
    KINDS,
    BadUri,
    Disk,
    Draft,
    Stored,
    TooLarge,
    TooManyUploads,
    UploadRequest,
    WrongChecksum,
    WrongSize,
)

# Files that are being written, or checked with. Nobody else of the machine may see a recording, so all are ours alone.
DRAFT = re.compile(r"\..+\.part|\.check-.+")
MAX_UPLOADS = 3  # into one folder at once
ALIVE = timedelta(minutes=5)  # a draft to which nothing was written for longer is of a writer that died


def file_digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 (hex) and size of a file, which is read once."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


class FileStorage:
    """Files under one folder. A file gets its name only when its bytes are complete and on the disk."""

    scheme = "local://"
    is_written_by_clients = False  # but through our own URLs

    def __init__(self, root: Path) -> None:
        self.root = root

    def uri(self, key: str) -> str:
        return self.scheme + key

    def key(self, uri: str) -> str:
        key = uri.removeprefix(self.scheme)
        if not uri.startswith(self.scheme) or not KEY.match(key) or ".." in key:
            raise BadUri(uri)
        return key

    def size(self, uri: str) -> int:
        return self._path(uri).stat().st_size

    def open(self, uri: str) -> BinaryIO:
        return self._path(uri).open("rb")

    @contextmanager
    def local_path(self, uri: str) -> Iterator[Path]:
        """Yield the path of the file itself, for reading only."""
        path = self._path(uri)
        path.stat()
        yield path

    source = local_path

    def upload(self, key: str, *, size: int, mime_type: str, seconds: int, sha256: str = "") -> UploadRequest:
        """Return a PUT to a URL of ours; how long it is taken, and of which bytes, its ticket says (see `uploads`)."""
        return UploadRequest(signed_urls.upload_url(key), {"Content-Type": mime_type})

    def download_url(self, uri: str, *, filename: str, mime_type: str, seconds: int) -> str:
        return signed_urls.download_url(uri, filename=filename, mime_type=mime_type, seconds=seconds)

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        """Return the URI that `save_bytes` gives to these bytes."""
        return self.uri(folder + hashlib.sha256(content).hexdigest() + suffix)

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored:
        sha256 = hashlib.sha256(content).hexdigest()
        with self._draft(folder) as draft:
            with _new_file(draft) as file:
                file.write(content)
            return self._keep(draft, folder, suffix, sha256, len(content))

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored:
        sha256, size = file_digest(path)
        with self._draft(folder) as draft:
            with _new_file(draft) as target, path.open("rb") as source:
                shutil.copyfileobj(source, target, CHUNK)
            return self._keep(draft, folder, suffix, sha256, size)

    def keep_upload(self, uri: str, folder: str, *, size: int) -> Stored:
        """Give an uploaded file a second name that cannot be written with a ticket; raise WrongSize.

        The first name stays, so that a crash before the row is written loses nothing; `delete` it afterwards.
        """
        with self._draft(folder) as draft:
            # Linked first: a PUT writes a new file and renames it, so what is hashed is what is kept.
            os.link(self._path(uri), draft)
            sha256, found = file_digest(draft)
            if found != size:
                raise WrongSize(size, found)
            return self._keep(draft, folder, "", sha256, size)

    def delete_upload(self, uri: str, kept: Stored) -> None:
        """Delete an uploaded file. The caller holds its ticket, and knows that no other has come."""
        self.delete(uri)

    def delete_folder(self, folder: str) -> None:
        """Remove all files of one job, if there are any."""
        shutil.rmtree(self._path(self.uri(f"{folder}x")).parent, ignore_errors=True)

    def delete(self, uri: str) -> None:
        self._path(uri).unlink(missing_ok=True)

    def new_draft(self, key: str) -> Draft:
        """Return an empty draft beside the file with this key; raise TooManyUploads."""
        folder = key.rpartition("/")[0]
        self._make_folder(self.root / folder)
        with self._lock():
            self._refuse_more_uploads(folder)
            return Draft(self.root / folder / f".{uuid7()}.part")

    def receive(
        self,
        key: str,
        body: BinaryIO | Draft,
        *,
        size: int,
        naming: AbstractContextManager[object],
        sha256: str = "",
    ) -> None:
        """Stream an upload of `size` bytes to the disk in constant memory, or rename a draft.

        Raise TooManyUploads before it is read; TooLarge for more, ConnectionError for fewer, WrongChecksum for others
        than those of `sha256` (hex), and what entering `naming` raises: then nothing is stored, and what was there
        before stays.
        """
        if isinstance(body, Draft):
            self._adopt(key, body, size, naming, sha256)
            return
        draft = self.new_draft(key)
        try:
            while draft.size <= size and (chunk := body.read(CHUNK)):
                draft.write([chunk])
            draft.finish()
            self._adopt(key, draft, size, naming, sha256)
        finally:
            draft.discard()

    def _adopt(
        self, key: str, draft: Draft, size: int, naming: AbstractContextManager[object], sha256: str
    ) -> None:
        if draft.size > size:
            raise TooLarge
        if draft.size < size:
            raise ConnectionError("the body ended early")
        if sha256 and file_digest(draft.path)[0] != sha256:
            raise WrongChecksum
        with naming:
            os.replace(draft.path, self.root / key)
            _sync_folder((self.root / key).parent)

    def folders(self, *, after: str, limit: int) -> list[str]:
        """Return the first folders of jobs, in order, that come after this one ("" for the first of all)."""
        found = []
        for kind in KINDS:
            names = os.listdir(self.root / kind) if (self.root / kind).exists() else []
            found += [f"{kind}/{name}/" for name in sorted(names)]
        return [name for name in found if FOLDER.match(name) and name > after][:limit]

    def old_files(self, folder: str, age: timedelta) -> list[str]:
        """Return the URIs of the files in a folder that nobody has written, or kept again, for so long."""
        names = [name for name in os.listdir(self.root / folder) if KEY.match(folder + name)]
        return [self.uri(folder + name) for name in names if _is_older(self.root / folder / name, age)]

    def delete_old(self, uri: str, age: timedelta) -> bool:
        """Delete a file unless somebody has written or kept it again; return whether it is deleted."""
        path = self._path(uri)
        with self._draft(self.key(uri).rpartition("/")[0]) as draft, self._lock():
            if not _is_older(path, age):
                return False
            os.replace(path, draft)  # and unlinked without the lock, for that takes long for a large file
        return True

    def delete_drafts(self, folder: str, age: timedelta) -> None:
        """Delete what writers that died have left in a folder; in the root for the folder ""."""
        for path in (self.root / folder).iterdir() if (self.root / folder).exists() else ():
            if DRAFT.fullmatch(path.name) and _is_older(path, age):
                path.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise OSError if the folder cannot be written."""
        self._make_folder(self.root)
        probe = self.root / f".check-{uuid7()}"
        try:
            with _new_file(probe) as file:
                file.write(b"ok")
        finally:
            probe.unlink(missing_ok=True)

    def disk(self) -> Disk:
        self._make_folder(self.root)
        usage = shutil.disk_usage(self.root)
        return Disk(size=usage.total, free=usage.free)

    def _path(self, uri: str) -> Path:
        return self.root / self.key(uri)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder, those above it and the root for us alone."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        inside = folder.relative_to(self.root)
        for part in (*reversed(inside.parents), inside):
            with contextlib.suppress(FileExistsError):
                (self.root / part).mkdir(mode=0o700)
                _sync_folder((self.root / part).parent)

    def _refuse_more_uploads(self, folder: str) -> None:
        """Raise TooManyUploads: what is on its way takes room that no quota counts."""
        drafts = (self.root / folder).glob(".*.part")
        if sum(not _is_older(draft, ALIVE) for draft in drafts) >= MAX_UPLOADS:
            raise TooManyUploads

    @contextmanager
    def _draft(self, folder: str) -> Iterator[Path]:
        """Yield a path for a file in this folder that has no name yet; what is there at the end is removed."""
        self._make_folder(self.root / folder)
        draft = self.root / folder / f".{uuid7()}.part"
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _keep(self, draft: Path, folder: str, suffix: str, sha256: str, size: int) -> Stored:
        """Give a complete draft its name. A file of this name has the same bytes (names contain the hash), and is
        touched instead: from now on it counts as new to `delete_old`."""
        name = f"{folder}{sha256}{suffix}"
        target = self.root / name
        os.utime(draft)
        with self._lock():
            if target.exists():
                os.utime(target)
            else:
                os.replace(draft, target)
        _sync_folder(target.parent)
        return Stored(self.uri(name), sha256, size)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one at a time give or take names, over all processes (and machines, where the file system does).

        The system takes the lock from a process that dies. It is held for a few system calls.
        """
        descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file for us alone; when the block ends without an error its bytes are on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, so that no committed row names a file that is gone when the
    power is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_older(path: Path, age: timedelta) -> bool:
    """Return whether a file was last written or touched so long ago; False when there is none."""
    try:
        return time.time() - path.lstat().st_mtime > age.total_seconds()
    except FileNotFoundError:
        return False
