"""The storage in a folder of this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from uuid6 import uuid7

from config.storage.base import CHUNK, KEY, BadUri, Draft, Stored, TooLarge


def file_digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 (hex) and size of a file, which is read once."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


class FileStorage:
    """Files under one folder. A file gets its name only when its bytes are complete and on the disk."""

    scheme = "local://"

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

    def content_uri(self, folder: str, content: bytes, *, suffix: str) -> str:
        """Return the URI that `save_bytes` gives to these bytes."""
        return self.uri(folder + hashlib.sha256(content).hexdigest() + suffix)

    def save_bytes(self, folder: str, content: bytes, *, suffix: str) -> Stored:
        sha256 = hashlib.sha256(content).hexdigest()
        with self._new_file(folder + sha256 + suffix) as file:
            file.write(content)
        return Stored(self.uri(folder + sha256 + suffix), sha256, len(content))

    def save_file(self, folder: str, path: Path, *, suffix: str) -> Stored:
        sha256, size = file_digest(path)
        with self._new_file(folder + sha256 + suffix) as target, path.open("rb") as source:
            shutil.copyfileobj(source, target, CHUNK)
        return Stored(self.uri(folder + sha256 + suffix), sha256, size)

    def keep_upload(self, uri: str, folder: str) -> Stored:
        """Give an uploaded file a second name that cannot be written with a ticket.

        The first name stays, so that a crash before the row is written loses nothing; `delete` it afterwards.
        """
        source = self._path(uri)
        sha256, size = file_digest(source)
        target = self.root / f"{folder}{sha256}"
        self._make_folder(target.parent)
        if target.exists():
            os.utime(target)
        else:
            # A later PUT with the ticket writes a new file and renames it, so this one does not change.
            os.link(source, target)
        return Stored(self.uri(folder + sha256), sha256, size)

    def delete_folder(self, folder: str) -> None:
        """Remove all files of one job, if there are any."""
        shutil.rmtree(self._path(self.uri(f"{folder}x")).parent, ignore_errors=True)

    def delete(self, uri: str) -> None:
        self._path(uri).unlink(missing_ok=True)

    def new_draft(self, key: str) -> Draft:
        """Return an empty draft beside the file with this key."""
        target = self.root / key
        self._make_folder(target.parent)
        return Draft(target.parent / f".{uuid7()}.part")

    def receive(self, key: str, body: BinaryIO | Draft, *, limit: int, expected: int | None) -> int:
        """Stream an upload to the disk in constant memory, or rename a draft; return the size in bytes.

        Raise TooLarge beyond `limit`, and ConnectionError for fewer than `expected` bytes; then nothing is stored.
        """
        if isinstance(body, Draft):
            return self._adopt(key, body, limit=limit, expected=expected)
        size = 0
        with self._new_file(key, replace=True) as file:
            while chunk := body.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                file.write(chunk)
            if expected is not None and size != expected:
                raise ConnectionError("the body ended early")
        return size

    def _adopt(self, key: str, draft: Draft, *, limit: int, expected: int | None) -> int:
        if draft.size > limit:
            raise TooLarge
        if expected is not None and draft.size != expected:
            raise ConnectionError("the body ended early")
        os.replace(draft.path, self.root / key)
        return draft.size

    def check(self) -> None:
        """Raise OSError if the folder cannot be written."""
        self._make_folder(self.root)
        probe = self.root / f".check-{uuid7()}"
        probe.write_bytes(b"ok")
        probe.unlink()

    def _make_folder(self, folder: Path) -> None:
        """Make a folder, and the root for us alone: recordings show what nobody else of the machine may see."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, uri: str) -> Path:
        return self.root / self.key(uri)

    @contextmanager
    def _new_file(self, key: str, *, replace: bool = False) -> Iterator[BinaryIO]:
        """Yield a file that gets its name when the block ends without an error.

        If the name exists, the old file has the same bytes (names contain the hash) and is only touched, unless
        `replace`.
        """
        target = self.root / key
        self._make_folder(target.parent)
        draft = target.parent / f".{uuid7()}.part"
        try:
            with draft.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists() and not replace:
                os.utime(target)
            else:
                os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
