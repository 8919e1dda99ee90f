"""Take pictures out of a video: the frame that is shown at a time, or the key frame nearest to it.

Times are whole milliseconds on the clock that all engines share (`jobs.media.probe.timeline_start`): 0 is where the
earliest picture or sound of the file starts, whatever number its own clock has there.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import ceil, floor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from PIL import Image

from jobs.media.probe import (
    DAMAGED,
    MAX_DURATION_MS,
    MAX_PIXELS,
    Source,
    UnreadableVideo,
    decode,
    open_media,
    probe_video,
    read_packets,
    seek,
    shown_size,
    timeline_start,
    video_stream,
)

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

Strategy = Literal["precise", "nearest_keyframe"]
ImageFormat = Literal["png", "jpg", "webp"]

MIME_TYPES: dict[ImageFormat, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

# Level 1 for PNG, measured with zlib-ng on a 1280x720 screen picture that came out of a video (ms / KiB):
# level 1 38 / 269, 3 62 / 255, 6 (Pillow's choice) 95 / 306, 9 354 / 302; on one freshly drawn 44 / 139, 43 /
# 136, 62 / 129, 205 / 126. For comparison JPEG 8 / 196 and WebP 125 / 93.
_SAVE_OPTIONS: dict[ImageFormat, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 1},
    "jpg": {"format": "JPEG", "quality": 90, "subsampling": "4:4:4"},
    "webp": {"format": "WEBP", "quality": 90, "method": 4},
}

# Beyond this, looking for a later key frame among packets is cheaper than decoding all that lies between.
_LONG_WAY_S = 10

# (a, b, c, d) of a display matrix, which puts a point x, y at ax + cy, bx + dy, with y growing downwards
# (ISO/IEC 14496-12, 6.2.2). Turns by other angles are left alone: players ignore them.
_TURNS = {
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


class TimestampOutOfRange(ValueError):
    """The time asked for is before 0 or after the end of the video, which is `duration_ms` long."""

    def __init__(self, at_ms: int, *, duration_ms: int) -> None:
        super().__init__(f"{at_ms} ms is outside the video, which is {duration_ms} ms long.")
        self.at_ms = at_ms
        self.duration_ms = duration_ms


@dataclass(frozen=True)
class Frame:
    """A picture of the video as players show it (RGB, upright, square pixels), and when it comes up.

    `shown_at_ms` is rounded up, so that asking for `shown_at_ms` gives the same frame again.
    """

    image: Image.Image
    shown_at_ms: int


@dataclass(frozen=True)
class EncodedFrame:
    """A frame as the bytes of a picture file; `width` and `height` are pixels, `shown_at_ms` is as in `Frame`."""

    content: bytes
    width: int
    height: int
    shown_at_ms: int


def grab_encoded(
    source: Source, at_ms: int, *, strategy: Strategy, image_format: ImageFormat
) -> EncodedFrame:
    """Return what `grab_frame` finds as `encode_image` writes it. Raises what `grab_frame` raises."""
    frame = grab_frame(source, at_ms, strategy=strategy)
    return EncodedFrame(encode_image(frame.image, image_format), *frame.image.size, frame.shown_at_ms)


def grab_frame(source: Source, at_ms: int, *, strategy: Strategy = "precise") -> Frame:
    """Return the frame of a video that is shown at `at_ms`, or the key frame nearest to it.

    `precise` is the last frame with pts <= t, however long it stays: before the first picture the first one,
    after the last picture, as long as there is sound, the last one. `nearest_keyframe` goes by pts on either
    side and takes the earlier of two that are equally near; it decodes hardly more than that frame.

    Raises TimestampOutOfRange, `probe.UnreadableVideo` for what does not decode, and OSError.
    """
    return grab_frames(source, [at_ms], strategy=strategy)[0]


def grab_frames(source: Source, at_ms: Sequence[int], *, strategy: Strategy = "precise") -> list[Frame]:
    """Return what `grab_frame` returns for each of several times, in their order, in one pass over the file.

    Times that fall on the same frame share one picture. Memory grows with the number of times, not with the
    length of the video. Raises what `grab_frame` raises; one time out of range fails all.
    """
    wanted = sorted(set(at_ms))
    for at in wanted[:1] + wanted[-1:]:
        if not 0 <= at <= MAX_DURATION_MS:
            raise TimestampOutOfRange(at, duration_ms=probe_video(source).duration_ms)
    with _Reader(source) as reader:
        grab = reader.shown_at if strategy == "precise" else reader.nearest_key_frame
        found = {at: grab(at) for at in wanted}
    return [found[at] for at in at_ms]


def encode_image(image: Image.Image, image_format: ImageFormat) -> bytes:
    """Return the bytes of a file with the picture as RGB: the same for the same picture, and without metadata."""
    bare = image
    if image.mode != "RGB" or image.info:
        bare = image.convert("RGB")
        bare.info.clear()  # Pillow writes colour profiles, comments and resolution that it finds here
    buffer = io.BytesIO()
    bare.save(buffer, **_SAVE_OPTIONS[image_format])
    return buffer.getvalue()


class _Reader:
    """An open video, read on from the last frame where that is shorter than a seek. Times are ticks of the
    stream's own clock."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._container = open_media(source)
        try:
            self._stream = video_stream(self._container)
        except UnreadableVideo:
            self._container.close()
            raise
        self._zero = timeline_start(self._container)
        self._tick = self._stream.time_base or Fraction(1, 1000)
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
        self._container.close()

    def shown_at(self, at_ms: int) -> Frame:
        """Return the frame shown at a time, which must not be before that of the last call."""
        target = floor(self._ticks(at_ms))
        if self._should_seek(target):
            self._frames = self._decoded(self._packets_from_key(target))
            self._shown, self._next = None, next(self._frames, None)
        while self._next is not None and (self._shown is None or self._next[0] <= target):
            self._shown, self._next = self._next, next(self._frames, None)
        if self._shown is None:
            raise UnreadableVideo("UNDECODABLE", DAMAGED)
        if self._next is None and self._shown[0] + (self._shown[1].duration or 0) <= target:
            self._check_before_end(at_ms)
        return self._as_frame(*self._shown)

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
        wanted = floor(target) if nearest is None else nearest
        for at, frame in self._decoded(self._packets_from_key(wanted)):
            if nearest is None or at >= nearest:
                return self._as_frame(at, frame)
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

    def _packets_from_key(self, target: int) -> Iterator[Packet[Any]]:
        """Return packets in file order from a key frame with pts <= target (usually the last), else from the start.

        A seek may land too late (indexes hold decoding times, transport streams are searched by byte): then
        it goes back twice as far each time. That may be far too early: then packets are read, not decoded,
        to find a later key frame.
        """
        start = self._stream.start_time or 0
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

    def _as_frame(self, at: int, frame: VideoFrame) -> Frame:
        if self._given is None or self._given[0] != at:
            shown_at_ms = max(0, ceil((at * self._tick - self._zero) * 1000))
            picture = _as_shown(frame, sample_aspect=self._stream.sample_aspect_ratio)
            self._given = at, Frame(image=picture, shown_at_ms=shown_at_ms)
        return self._given[1]


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


def _as_shown(frame: VideoFrame, *, sample_aspect: Fraction | None) -> Image.Image:
    """Return the frame as RGB with square pixels, turned by the display matrix.

    Colours without a tag are taken as BT.601, which is what recorders write that set none.
    """
    # Imported here: it takes 0.1 s, and most processes never decode a frame.
    from av.sidedata.sidedata import SideDataContainer, Type

    size = shown_size(frame.width, frame.height, sample_aspect=sample_aspect, rotation=0)
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        size = frame.width, frame.height
    rgb = frame.reformat(*size, format="rgb24", interpolation="BICUBIC")
    # What `frame.to_image` does in twice the time, copying line by line.
    image = Image.frombytes("RGB", size, bytes(rgb.planes[0]), "raw", "RGB", rgb.planes[0].line_size, 1)
    # Not `frame.side_data`, which the frame keeps: the two hold each other, and the decoder's memory, until the garbage
    # collector comes by.
    side_data = SideDataContainer(frame)  # type: ignore[call-arg]  # which its stub does not know
    if Type.DISPLAYMATRIX in side_data:
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(side_data[Type.DISPLAYMATRIX]))
        turn = _TURNS.get(tuple(round(value / 65536) for value in (a, b, c, d)))
        return image if turn is None else image.transpose(turn)
    return image
