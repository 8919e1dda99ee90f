"""An open video, out of which frames are taken in the order of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from math import ceil, floor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from anchors.frames.frame import Frame, TimestampOutOfRange
from anchors.frames.key_frames import KeyFrame, key_frame_before
from anchors.frames.pictures import as_shown
from jobs.media.frame_hash import planes_sha256
from jobs.media.probe import (
    DAMAGED,
    Source,
    UnreadableVideo,
    decode,
    open_media,
    probe_video,
    read_packets,
    seek,
    timeline_start,
    video_stream,
)

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

# Beyond this, looking for a later key frame among packets is cheaper than decoding all that lies between.
_LONG_WAY_S = 10
_MAX_AHEAD_BYTES = 16 * 2**20  # of packets that are held while a later key frame is looked for


class Reader:
    """An open video, read on from the last frame where that is shorter than a seek. Times are ticks of the
    stream's own clock."""

    def __init__(self, source: Source, index: Sequence[KeyFrame] = ()) -> None:
        self._source, self._index = source, index
        self._container = open_media(source)
        try:
            self._stream = video_stream(self._container)
        except UnreadableVideo:
            self._container.close()
            raise
        self._zero = timeline_start(self._container)
        self._tick = self._stream.time_base or Fraction(1, 1000)
        self._packets: Iterator[Packet[Any]] = iter(())
        self._ahead: deque[Packet[Any]] = deque()  # read, not decoded yet
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._shown: tuple[int, VideoFrame] | None = None
        self._next: tuple[int, VideoFrame] | None = None
        self._given: tuple[int, Frame] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The generator holds the reader, and both hold decoded frames: the garbage collector may come by much later.
        self._frames, self._shown, self._next, self._given = iter(()), None, None, None
        self._packets, self._ahead = iter(()), deque()
        self._container.close()

    def shown_at(self, at_ms: int) -> Frame:
        """Return the frame shown at a time, which must not be before that of the last call."""
        target = floor(self._ticks(at_ms))
        if self._should_seek(target):
            self._packets, self._ahead = self._packets_from_key(target), deque()
            self._start_decoding()
        elif self._next is not None and self._next[0] < target:
            self._skip_to_key(self._next[0], target)
        while self._next is not None and (self._shown is None or self._next[0] <= target):
            self._shown, self._next = self._next, next(self._frames, None)
        if self._shown is None:
            raise UnreadableVideo("UNDECODABLE", DAMAGED)
        if self._next is None and self._shown[0] + (self._shown[1].duration or 0) <= target:
            self._check_before_end(at_ms)
        return self._as_frame(*self._shown, self._next)

    def nearest_key_frame(self, at_ms: int) -> Frame:
        """Return the key frame whose pts is nearest. Packets are read until no nearer one can follow."""
        target = self._ticks(at_ms)
        nearest, end = None, None
        for packet in self._packets_from_key(floor(target)):
            at = _pts(packet)
            if at is None:
                continue
            end = max(at + (packet.duration or 0), at if end is None else end)
            if packet.is_keyframe and (nearest is None or abs(at - target) < abs(nearest - target)):
                nearest = at
            if nearest is not None and _least_pts_to_come(packet, at) >= target + abs(nearest - target):
                break
        if end is None or end <= target:
            self._check_before_end(at_ms)
        frames = self._decoded(self._packets_from_key(floor(target) if nearest is None else nearest))
        for at, frame in frames:
            if nearest is None or at >= nearest:
                return self._as_frame(at, frame, next(frames, None))
        raise UnreadableVideo("UNDECODABLE", DAMAGED)

    def _ticks(self, at_ms: int) -> Fraction:
        return (Fraction(at_ms, 1000) + self._zero) / self._tick

    def _check_before_end(self, at_ms: int) -> None:
        duration_ms = probe_video(self._source).duration_ms
        if at_ms > duration_ms:
            raise TimestampOutOfRange(at_ms, duration_ms=duration_ms)

    def _should_seek(self, target: int) -> bool:
        """Return whether a key frame lies between the frame read last and the target, by the index of the file,
        or probably does, when the index does not go so far."""
        if self._shown is None:
            return True
        if self._next is None or self._next[0] >= target:
            return False
        entries = self._stream.index_entries
        position = entries.search_timestamp(target, backward=True)
        if position >= 0 and entries[position].timestamp > self._next[0]:
            return True
        is_known = 0 <= position < len(entries) - 1
        return not is_known and (target - self._next[0]) * self._tick > _LONG_WAY_S

    def _start_decoding(self) -> None:
        self._frames = self._decoded(self._undecoded())
        self._shown, self._next = None, next(self._frames, None)

    def _undecoded(self) -> Iterator[Packet[Any]]:
        while True:
            packet = self._ahead.popleft() if self._ahead else next(self._packets, None)
            if packet is None:
                return
            yield packet

    def _skip_to_key(self, after: int, target: int) -> None:
        """Go on from the last key frame that lies between two times, if there is one that the index did not tell of.
        What comes before it is read, not decoded."""
        held: deque[Packet[Any]] = deque()
        has_key, size = False, 0
        for packet in self._undecoded():
            at = _pts(packet)
            if packet.is_keyframe and at is not None and after < at <= target:
                held.clear()
                has_key, size = True, 0
            held.append(packet)
            size += packet.size
            if size > _MAX_AHEAD_BYTES or (at is not None and _least_pts_to_come(packet, at) > target):
                break
        self._ahead = held + self._ahead
        if has_key:
            self._stream.codec_context.flush_buffers()
            self._start_decoding()

    def _packets_from_key(self, target: int) -> Iterator[Packet[Any]]:
        """Return packets in file order from a key frame with pts <= target (usually the last), else from the start.

        A seek may land too late (indexes hold decoding times, transport streams are searched by byte): then
        it goes back twice as far each time. That may be far too early: then packets are read, not decoded,
        to find a later key frame.
        """
        start = self._stream.start_time or 0
        if (known := key_frame_before(self._index, target)) and (found := self._at_position(known)):
            return found
        point, back = target, ceil(1 / self._tick)
        key, packets = self._seek(point)
        while (key is None or key > target) and point >= start:
            point, back = target - back, back * 2
            key, packets = self._seek(point) if point >= start else (start, self._from_start())
        if key is None or (target - key) * self._tick <= _LONG_WAY_S:
            return packets
        later = _last_key(packets, target)
        if later is not None:
            key, packets = self._seek(later[1])
            if key == later[0]:
                return packets
        return self._seek(point)[1] if point >= start else self._from_start()

    def _seek(self, point: int) -> tuple[int | None, Iterator[Packet[Any]]]:
        """Return the pts of the first key frame after a seek to `point`, and the packets from there on."""
        if not seek(self._container, point, stream=self._stream):
            return None, iter(())  # the caller tries elsewhere, in the end without seeking
        packets = read_packets(self._container, [self._stream])
        for packet in packets:
            at = _pts(packet)
            if packet.is_keyframe and at is not None:
                return at, chain([packet], packets)
        return None, iter(())

    def _at_position(self, known: KeyFrame) -> Iterator[Packet[Any]] | None:
        """Return the packets from a key frame of the index on, None if it does not lie there."""
        if not seek(self._container, known.position, stream=self._stream, is_position=True):
            return None
        packets = read_packets(self._container, [self._stream])
        for packet in packets:
            at = _pts(packet)
            if packet.is_keyframe and at is not None and at >= known.pts:
                return chain([packet], packets) if at == known.pts else None
        return None

    def _from_start(self) -> Iterator[Packet[Any]]:
        self._container.close()
        self._container = open_media(self._source)
        self._stream = video_stream(self._container)
        return read_packets(self._container, [self._stream])

    def _decoded(self, packets: Iterator[Packet[Any]]) -> Iterator[tuple[int, VideoFrame]]:
        """Yield frames with their pts in the order they are shown.

        Packets that do not decode are skipped, as players do. AVI has decoding times only, so that pts are wrong
        around B-frames: there the decoder's order counts.
        """
        last = None
        for packet in packets:
            for frame in decode(self._stream, packet):
                times = [
                    at for at in (frame.pts, frame.dts) if at is not None and (last is None or at > last)
                ]
                last = times[0] if times else (last or 0) + max(1, frame.duration or 0)
                yield last, frame

    def _as_frame(self, at: int, frame: VideoFrame, following: tuple[int, VideoFrame] | None) -> Frame:
        if self._given is None or self._given[0] != at:
            self._given = (
                at,
                Frame(
                    image=as_shown(frame, sample_aspect=self._stream.sample_aspect_ratio),
                    shown_at_ms=self._first_ms(at),
                    shown_until_ms=None if following is None else self._first_ms(following[0]),
                    pts=at,
                    time_base=f"{self._tick.numerator}/{self._tick.denominator}",
                    pix_fmt=frame.format.name,
                    frame_sha256=planes_sha256(frame),
                ),
            )
        return self._given[1]

    def _first_ms(self, at: int) -> int:
        """Return the first whole millisecond that is not before a time."""
        return max(0, ceil((at * self._tick - self._zero) * 1000))


def _pts(packet: Packet[Any]) -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


def _least_pts_to_come(packet: Packet[Any], at: int) -> int:
    """Return the smallest pts that a later packet can have: none is below this packet's dts."""
    return at if packet.dts is None else min(at, packet.dts)


def _last_key(packets: Iterator[Packet[Any]], target: int) -> tuple[int, int] | None:
    """Return pts and dts (to seek by) of the last key frame among the packets that is not after the target."""
    last = None
    for packet in packets:
        at = _pts(packet)
        if at is None:
            continue
        if _least_pts_to_come(packet, at) > target:
            break
        if at <= target and packet.is_keyframe:
            last = at, at if packet.dts is None else packet.dts
    return last
