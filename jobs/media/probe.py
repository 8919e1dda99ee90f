"""Open a video that someone uploaded, and find out what it is. Neither its name nor its content is trusted.

All engines count time from the same point: 0 is where the earliest picture or sound of the video starts, as in
players (`timeline_start`). The clock of MPEG transport streams and of cuts of live recordings starts elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, overload

from jobs.media.creation_time import recorded_at

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Demuxers that read one self-contained file. Not in the list: those whose files name other files or hosts (hls,
# dash, concat, sdp, rtsp, image sequences), and those that accept any bytes (raw codecs, text subtitles).
DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "asf")
TEXT_SUBTITLES = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})

# 8K with room to spare. A decoder holds up to 17 such pictures, of 53 MB each.
MAX_PIXELS = 8192 * 4352
MAX_DURATION_MS = 2**31 - 1  # 24 days; a longer video is a broken clock

# FFmpeg's mov demuxer also reads these still pictures (AVIF, HEIC).
_STILL_PICTURE_BRANDS = frozenset({"avif", "avis", "heic", "heix", "hevc", "hevx", "mif1", "msf1", "crx "})
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_SIGNATURES = (
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
    b"OggS",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\x00\x00\x01\xba",
)
_TAIL_US = 10_000_000
_FIRST_FRAME_PACKETS = 500
_MAX_DAMAGED_IN_A_ROW = 1000
# By default a decoder has a thread a core, each with memory of its own.
_MAX_THREADS = min(4, os.cpu_count() or 1)

DAMAGED = "The video is damaged or incomplete. Play it on your computer to check, then upload it again."


class RemoteMedia(Protocol):
    """A media file that lies elsewhere: opened to be read in parts."""

    def open(self) -> BinaryIO: ...


Source = Path | RemoteMedia


class UnreadableVideo(ValueError):
    """A file that cannot be read as a video.

    `code` is EMPTY_FILE, NOT_A_VIDEO, NO_VIDEO_STREAM or UNDECODABLE; `message` is for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Probe:
    """What is known of a video. `width` and `height` are as shown: turned upright, in square pixels.

    `recorded_at` is when it was made, as the file says, in ISO 8601 and UTC; None of a file that does not say it.
    """

    container: str
    duration_ms: int
    width: int
    height: int
    frame_rate: float | None
    video_codec: str
    has_audio: bool
    has_subtitles: bool
    recorded_at: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return what is kept of it with the video."""
        facts = {"duration_ms": self.duration_ms, "width": self.width, "height": self.height}
        return facts if self.recorded_at is None else {**facts, "recorded_at": self.recorded_at}


def open_media(source: Source, *, demuxers: Sequence[str] = DEMUXERS) -> InputContainer:
    """Return a media file of a known kind, opened; no other file is opened with it.

    The caller closes it (`with open_media(source) as container`). Pictures over `MAX_PIXELS` do not decode.
    `demuxers` are FFmpeg's names of the kinds; each must be one that reads one self-contained file.
    Raise UnreadableVideo (EMPTY_FILE, NOT_A_VIDEO, UNDECODABLE), and OSError when the file cannot be read.
    """
    # Imported here: it takes 0.1 s, and most processes never open a video.
    import av
    from av.error import FFmpegError

    with source.open("rb") if isinstance(source, Path) else source.open() as file:
        head = file.read(1024)
    if not head:
        raise UnreadableVideo("EMPTY_FILE", "The file is empty.")
    try:
        container = av.open(
            # FFmpeg takes off this prefix once. What follows is a name, even if it looks like another protocol.
            f"file:{source.absolute()}" if isinstance(source, Path) else source.open(),
            mode="r",
            # Both lists also apply to files that are opened from within this one.
            options={
                "format_whitelist": ",".join(demuxers),
                "protocol_whitelist": "file",
                "max_pixels": str(MAX_PIXELS),
            },
            metadata_errors="replace",
        )
    except (FileNotFoundError, PermissionError):
        raise
    except FFmpegError as error:  # including the "I/O error" of a Matroska file that was cut short
        if _is_media_signature(head):
            raise UnreadableVideo("UNDECODABLE", DAMAGED) from error
        raise UnreadableVideo("NOT_A_VIDEO", "The file is not a video of a known kind.") from error
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            stream.codec_context.thread_count = _MAX_THREADS
    return container


def video_stream(container: InputContainer) -> VideoStream:
    """Return the stream to show: the default one, else the first, never a cover picture.

    Raise UnreadableVideo (NO_VIDEO_STREAM; UNDECODABLE when no decoder knows the codec).
    """
    from av.stream import Disposition

    pictures = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not streams:
        raise UnreadableVideo(
            "NO_VIDEO_STREAM", "The file holds no moving picture, only sound or other data."
        )
    stream = min(streams, key=lambda stream: (not stream.disposition & Disposition.default, stream.index))
    if stream.codec_context is None:
        raise UnreadableVideo("UNDECODABLE", "The video uses a codec that cannot be read here.")
    return stream


def timeline_start(container: InputContainer) -> Fraction:
    """Return the time of point 0 of the video on the file's own clock, in seconds; never negative.

    It is read from the streams: `container.start_time` is cut to microseconds, which is not exactly the time of
    the first frame. Sound before 0 is an encoder's lead-in, which decoders drop.
    """
    from av.stream import Disposition

    starts = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None
        and stream.time_base is not None
        and not stream.disposition & Disposition.attached_pic
    ]
    return max(Fraction(0), min(starts, default=Fraction(0)))


def read_packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Any]]:
    """Yield the packets of these streams in file order, at the end an empty one for each stream, which flushes
    its decoder.

    Damaged places are skipped; after `_MAX_DAMAGED_IN_A_ROW` of them nothing more is read.
    """
    from av.error import FFmpegError

    _read_only(container, streams)
    damaged = 0
    while damaged < _MAX_DAMAGED_IN_A_ROW:
        try:
            for packet in container.demux(*streams):
                damaged = 0
                yield packet
        except MemoryError:
            raise
        except (FFmpegError, IndexError):  # PyAV raises IndexError for a stream that begins in mid-file
            damaged += 1
        else:
            return


def _read_only(container: InputContainer, streams: Sequence[Stream]) -> None:
    """Have the packets of all other streams passed over, which are not even unpacked then."""
    from av.stream import Discard

    for stream in container.streams:
        stream.discard = Discard.default if stream in streams else Discard.all


@overload
def decode(stream: VideoStream, packet: Packet[Any]) -> list[VideoFrame]: ...
@overload
def decode(stream: AudioStream, packet: Packet[Any]) -> list[AudioFrame]: ...
def decode(stream: VideoStream | AudioStream, packet: Packet[Any]) -> list[Any]:
    """Return the frames of a packet, none if it is damaged: the next packets may still decode. Raise MemoryError."""
    from av.error import FFmpegError

    try:
        return stream.decode(packet)
    except MemoryError:  # FFmpeg's is one of both kinds
        raise
    except FFmpegError:
        return []


def seek(
    container: InputContainer, at: int, *, stream: Stream | None = None, is_position: bool = False
) -> bool:
    """Go to the key frame before a time, in ticks of the stream or, without one, in microseconds. Return whether
    the file could be searched. With a stream, only that one is read while searching.

    `is_position`: `at` is an offset in bytes at which FFmpeg's demuxer for the file can start."""
    from av.error import FFmpegError

    if stream is not None:
        _read_only(container, [stream])
    try:
        container.seek(at, stream=stream, unsupported_byte_offset=is_position)
    except MemoryError:
        raise
    except FFmpegError:
        return False
    return True


def shown_size(width: int, height: int, *, sample_aspect: Fraction | None, rotation: int) -> tuple[int, int]:
    """Return width and height of a stored picture as shown.

    Pixels become square by stretching the picture in one direction, so that no detail is lost; then it is turned
    by `rotation` degrees.
    """
    if sample_aspect and sample_aspect > 1:
        width = round(width * sample_aspect)
    elif sample_aspect and sample_aspect > 0:
        height = round(height / sample_aspect)
    return (height, width) if rotation % 180 == 90 else (width, height)


def is_text_subtitle(stream: Stream) -> bool:
    """Return whether the stream holds subtitles as text; those of discs and broadcasts are often pictures."""
    return (
        stream.type == "subtitle" and stream.codec_context is not None and stream.codec.name in TEXT_SUBTITLES
    )


def probe_video(source: Source) -> Probe:
    """Return what is known of a video, of which the first frame is decoded.

    Memory does not grow with its length. Raise UnreadableVideo, and OSError when it cannot be read.
    """
    with open_media(source) as container:
        if container.metadata.get("major_brand", "") in _STILL_PICTURE_BRANDS:
            raise UnreadableVideo("NOT_A_VIDEO", "The file is a still picture, not a video.")
        stream = video_stream(container)
        frame = _first_frame(container, stream)
        width, height = shown_size(
            frame.width, frame.height, sample_aspect=stream.sample_aspect_ratio, rotation=frame.rotation
        )
        rate = stream.average_rate or stream.guessed_rate
        return Probe(
            container=container.format.name,
            duration_ms=_duration_ms(source, container),
            width=width,
            height=height,
            frame_rate=float(rate) if rate else None,
            video_codec=stream.codec_context.name,
            has_audio=any(audio.codec_context is not None for audio in container.streams.audio),
            has_subtitles=any(is_text_subtitle(subtitles) for subtitles in container.streams.subtitles),
            recorded_at=recorded_at(container.metadata),
        )


def _is_media_signature(head: bytes) -> bool:
    """Return whether a file begins like those of `DEMUXERS`, so that it is a broken video and not another kind of
    file."""
    is_riff_avi = head[:4] == b"RIFF" and head[8:11] == b"AVI"
    is_transport_stream = len(head) > 376 and head[0] == head[188] == head[376] == 0x47
    return head.startswith(_SIGNATURES) or head[4:8] in _MP4_BOXES or is_riff_avi or is_transport_stream


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """Return the first frame that decodes: a recording may start in the middle of a group of pictures."""
    for packet in islice(read_packets(container, [stream]), _FIRST_FRAME_PACKETS):
        if frames := decode(stream, packet):
            return frames[0]
    raise UnreadableVideo("UNDECODABLE", DAMAGED)


def _duration_ms(source: Source, container: InputContainer) -> int:
    """Return the length from point 0 to the end of the last picture or sound that the file holds.

    The length in the header is only used to find the end: recorders that crash or stream write none, and a file
    that was cut short has one that is too long. The packets of the last seconds are read or, if there are none,
    all packets; none is decoded. Raise UnreadableVideo (UNDECODABLE) for a negative or excessive length.
    """
    start = timeline_start(container)
    end = None
    if container.duration is not None and container.duration > 0:
        end = _end_of_packets(container, seek_us=int(start * 1_000_000) + container.duration - _TAIL_US)
    if end is None:
        with open_media(source) as whole:
            end = _end_of_packets(whole, seek_us=None)
    duration_ms = round((end - start) * 1000) if end is not None else 0
    if not 0 <= duration_ms <= MAX_DURATION_MS:
        raise UnreadableVideo("UNDECODABLE", DAMAGED)
    return max(1, duration_ms)


def _end_of_packets(container: InputContainer, *, seek_us: int | None) -> Fraction | None:
    if seek_us is not None and seek_us > 0 and not seek(container, seek_us):
        return None
    end = None
    for packet in read_packets(container, [*container.streams.video, *container.streams.audio]):
        at = packet.pts if packet.pts is not None else packet.dts
        if at is not None and packet.time_base:
            packet_end = (at + (packet.duration or 0)) * packet.time_base
            end = packet_end if end is None else max(end, packet_end)
    return end
