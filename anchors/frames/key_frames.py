"""An index of the key frames of recordings that have none: WebM and Matroska as browsers write them, live.

Without one, FFmpeg reads such a file from the start to the frame that is wanted, all of it for a late one.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from jobs.media.probe import Source, open_media, read_packets, video_stream

_CLUSTER = b"\x1f\x43\xb6\x75"  # the ID of the element that FFmpeg can start at (RFC 9559, 5.1.3)
_MAX_AHEAD_BYTES = 2**20  # of sound that stands before the key frame in its cluster


class KeyFrame(NamedTuple):
    """A key frame: its time on the stream's own clock, and the offset of the cluster that it stands in, in bytes."""

    pts: int
    position: int


def key_frame_index(source: Source) -> list[KeyFrame]:
    """Return the key frames in the order of time; none for a file that can be searched without.

    That is every file but Matroska and WebM without a length in the header, as MediaRecorder writes them. The whole
    file is read once, and nothing decoded; memory grows with the number of key frames and clusters.
    Raise UnreadableVideo and OSError.
    """
    watched = _Watched(source)
    with open_media(watched) as container:
        if "matroska" not in container.format.name or container.duration is not None:
            return []
        keys = [
            (packet.pts, packet.pos)
            for packet in read_packets(container, [video_stream(container)])
            if packet.is_keyframe and packet.pts is not None and packet.pos is not None
        ]
    found, clusters = [], sorted(watched.clusters)
    for pts, at in sorted(keys):
        number = bisect_right(clusters, at) - 1
        if number >= 0 and at - clusters[number] <= _MAX_AHEAD_BYTES:
            found.append(KeyFrame(pts, clusters[number]))
    return found


def key_frame_before(index: Sequence[KeyFrame], pts: int) -> KeyFrame | None:
    """Return the last key frame of an index that is not after a time."""
    number = bisect_right(index, pts, key=lambda one: one.pts) - 1
    return index[number] if number >= 0 else None


@dataclass
class _Watched:
    """A source whose bytes are looked through for clusters while they are read."""

    source: Source
    clusters: set[int] = field(default_factory=set)

    def open(self) -> BinaryIO:
        file = self.source.open("rb") if isinstance(self.source, Path) else self.source.open()
        return cast(BinaryIO, _WatchedFile(file, self.clusters))


class _WatchedFile(io.RawIOBase):
    def __init__(self, file: BinaryIO, clusters: set[int]) -> None:
        self._file, self._clusters = file, clusters
        self._end, self._last = 0, b""  # of what was read before: an ID may begin there

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        at = self._file.tell()
        content = self._file.read(-1 if size is None else size)
        before = self._last if at == self._end else b""
        looked, start = before + content, at - len(before)
        place = looked.find(_CLUSTER)
        while place >= 0:
            self._clusters.add(start + place)
            place = looked.find(_CLUSTER, place + 1)
        self._end, self._last = at + len(content), looked[-3:]
        return content

    def close(self) -> None:
        self._file.close()
        super().close()
