"""A file that lies elsewhere, read by ranges through a URL (RFC 9110, section 14), in any process and without keys.

The URL is signed and of this one file. Nothing but its bytes is read: no redirect is followed.
"""

from __future__ import annotations

import errno
import http.client
import io
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

MIN_WINDOW, MAX_WINDOW = 256 * 1024, 8 * 2**20  # bytes of one request: the more is read in order, the more
MAX_WINDOWS = 4  # kept: a demuxer goes back and forth between an index, sound and pictures
TIMEOUT_SECONDS = 20.0  # of silence
# An answer may take so long, and longer the more of it has come: what dribbles is never silent.
ANSWER_SECONDS, MIN_BYTES_PER_SECOND = 60.0, 16 * 1024
PAUSES_SECONDS = (0.2, 0.5, 1.5, 3.0)  # before each further try
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)\Z")

Fetch = Callable[[int, int], bytes]
"""Return the bytes of a file from the first to the last offset, both included; raise OSError."""


class Unsteady(Exception):
    """What may pass: too many requests, an answer that breaks off, a server that is away."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a known size (bytes) at a URL that answers ranges. It is plain, so that a child process can open it."""

    url: str
    size: int

    def open(self) -> BinaryIO:
        """Return the file for reading. Reads raise FileNotFoundError, PermissionError for a URL that has expired, and
        OSError (EIO) for a server that stays away or whose answers are not what was asked for."""
        return cast(BinaryIO, RangedReader(self.size, _Connection(self).fetch))


Source = Path | RemoteFile
"""A file to read in parts: here, or elsewhere."""


class RangedReader(io.RawIOBase):
    """A file that is read by ranges, with read-ahead: windows double while it is read in order, up to 8 MiB."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size, self._fetch, self._at = size, fetch, 0
        self._windows: OrderedDict[int, bytes] = OrderedDict()  # by their first offset
        self._ahead = MIN_WINDOW

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "a negative offset")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return exactly so many bytes, fewer only at the end; all that are left for None or a negative number."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted:
            start, window = self._window()
            piece = window[self._at - start : self._at - start + wanted]
            pieces.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def _window(self) -> tuple[int, bytes]:
        """Return the window that the place to read lies in, and its first offset."""
        for start, window in self._windows.items():
            if start <= self._at < start + len(window):
                self._windows.move_to_end(start)
                return start, window
        goes_on = any(start + len(window) == self._at for start, window in self._windows.items())
        self._ahead = min(self._ahead * 2, MAX_WINDOW) if goes_on else MIN_WINDOW
        last = min(self._at + self._ahead, self._size) - 1
        window = self._fetch(self._at, last)
        if len(window) != last - self._at + 1:
            raise OSError(errno.EIO, "another number of bytes than was asked for")
        self._windows[self._at] = window
        while len(self._windows) > MAX_WINDOWS:
            self._windows.popitem(last=False)
        return self._at, window


class PacedResponse(http.client.HTTPResponse):
    """An answer whose reader has waited too long in all, or at once for longer than the socket's timeout, is a
    TimeoutError. Time between two reads does not count."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_PacedReads(self.fp.detach(), sock))


class _PacedReads(io.RawIOBase):
    def __init__(self, reads: io.RawIOBase, sock: socket.socket) -> None:
        self._reads, self._socket, self._silence = reads, sock, sock.gettimeout()
        self._waited, self._received = 0.0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = ANSWER_SECONDS + self._received / MIN_BYTES_PER_SECOND - self._waited
        if left <= 0:
            raise TimeoutError("the answer comes too slowly")
        began = time.monotonic()
        is_short = self._silence is None or left < self._silence
        if is_short:
            self._socket.settimeout(left)
        try:
            count: int | None = self._reads.readinto(buffer)
        finally:
            self._waited += time.monotonic() - began
            if is_short:
                self._socket.settimeout(self._silence)
        self._received += count or 0
        return count

    def close(self) -> None:
        self._reads.close()
        super().close()


class _HttpConnection(http.client.HTTPConnection):
    response_class = PacedResponse


class _HttpsConnection(http.client.HTTPSConnection):
    response_class = PacedResponse


class _Connection:
    """A connection that is kept open between ranges, and made anew after an error."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._url = urlsplit(file.url)
        self._connection: http.client.HTTPConnection | None = None

    def fetch(self, first: int, last: int) -> bytes:
        reason = ""
        for pause in (0.0, *PAUSES_SECONDS):
            time.sleep(pause)
            try:
                return self._fetch_once(first, last)
            except Unsteady as error:
                reason = str(error)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, FileNotFoundError | PermissionError):
                    raise
                reason = type(error).__name__
            self._close()
        raise OSError(errno.EIO, f"the storage does not give a part of the file: {reason}")

    def _fetch_once(self, first: int, last: int) -> bytes:
        target = f"{self._url.path}?{self._url.query}" if self._url.query else self._url.path
        connection = self._connection = self._connection or self._connect()
        connection.request("GET", target, headers={"Range": f"bytes={first}-{last}"})
        answer = connection.getresponse()
        if answer.status == 429 or answer.status >= 500:
            raise Unsteady(f"status {answer.status}")
        if answer.status == 404:
            raise FileNotFoundError(errno.ENOENT, "the file is gone")
        if answer.status in (401, 403):
            raise PermissionError(errno.EACCES, "the storage refuses, or the URL has expired")
        named = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
        if answer.status != 206 or not named:
            raise OSError(errno.EIO, f"no part of the file, but status {answer.status}")
        if tuple(map(int, named.groups())) != (first, last, self._file.size):
            raise OSError(errno.EIO, "another part than was asked for, or of a file of another size")
        content = answer.read(last - first + 2)  # a byte more than there should be
        if len(content) != last - first + 1:
            raise Unsteady("the answer breaks off")
        return content

    def _connect(self) -> http.client.HTTPConnection:
        make = {"http": _HttpConnection, "https": _HttpsConnection}[self._url.scheme]
        return make(self._url.hostname or "", self._url.port, timeout=TIMEOUT_SECONDS)

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
