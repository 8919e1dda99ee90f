"""Opens a video that someone uploaded, and says what it is. Trusts neither its name nor its content.

One clock for every engine: point 0 of a video is where its earliest picture or sound starts, as in players
(`timeline_start`); MPEG transport streams and cuts of live recordings count from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# Demuxers that read one self-contained file. Left out on purpose: whatever names other files or hosts (hls,
# dash, concat, sdp, rtsp, image sequences) and whatever takes any bytes at all (raw codecs, text subtitles).
DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "asf")
TEXT_SUBTITLES = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})

MAX_PIXELS = 8192 * 8192
MAX_DURATION_MS = 2**31 - 1  # 24 days: beyond is no recording but a broken clock

# FFmpeg reads some still pictures (AVIF, HEIC) by its mov demuxer.
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
_DAMAGED_PACKETS_IN_A_ROW = 1000

DAMAGED = "The video is damaged or incomplete. Play it on your computer to check, then upload it again."


class UnreadableVideo(ValueError):
    """`code` is EMPTY_FILE, NOT_A_VIDEO, NO_VIDEO_STREAM or UNDECODABLE; `message` is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Probe:
    """A video in short. `width` and `height` are pixels as shown: turned upright, with square pixels."""

    container: str
    duration_ms: int
    width: int
    height: int
    frame_rate: float | None
    video_codec: str
    has_audio: bool
    has_subtitles: bool


def open_media(path: Path, *, demuxers: Sequence[str] = DEMUXERS) -> av.container.InputContainer:
    """Open a media file of a known kind, and nothing but this file.

    The caller closes it (`with open_media(path) as container`). Pictures over `MAX_PIXELS` do not decode.
    `demuxers` are the kinds, by FFmpeg's names: only those that read one self-contained file.
    Raises UnreadableVideo (EMPTY_FILE, NOT_A_VIDEO, UNDECODABLE), and OSError when the path cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise UnreadableVideo("EMPTY_FILE", "The file is empty.")
    try:
        container = av.open(
            # The prefix is taken off once: what follows is a name, whatever protocol it looks like.
            f"file:{path.absolute()}",
            mode="r",
            # Both lists hold for files opened from within this one, too.
            options={
                "format_whitelist": ",".join(demuxers),
                "protocol_whitelist": "file",
                "max_pixels": str(MAX_PIXELS),
            },
            metadata_errors="replace",
        )
    except (FileNotFoundError, PermissionError):
        raise
    except av.error.FFmpegError as error:  # an "I/O error" too: that is what a Matroska file cut short gives
        if _is_media_signature(head):
            raise UnreadableVideo("UNDECODABLE", DAMAGED) from error
        raise UnreadableVideo("NOT_A_VIDEO", "The file is not a video of a known kind.") from error
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return container


def video_stream(container: av.container.InputContainer) -> VideoStream:
    """The stream to show: the default one, else the first, never a cover picture.

    Raises UnreadableVideo (NO_VIDEO_STREAM; UNDECODABLE when no decoder knows the codec).
    """
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


def timeline_start(container: av.container.InputContainer) -> Fraction:
    """Seconds on the file's own clock that are point 0 of the video; never negative.

    Taken from the streams, not from `container.start_time`, which is cut to microseconds and so lies beside
    the first frame. Sound before 0 is what encoders put there to warm up, and decoders drop it.
    """
    starts = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None
        and stream.time_base is not None
        and not stream.disposition & Disposition.attached_pic
    ]
    return max(Fraction(0), min(starts, default=Fraction(0)))


def read_packets(container: av.container.InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Any]]:
    """Packets of these streams in file order, an empty one a stream at the end, which flushes its decoder.

    Damaged places are skipped; after `_DAMAGED_PACKETS_IN_A_ROW` of them the rest counts as lost.
    """
    for stream in container.streams:
        stream.discard = Discard.default if stream in streams else Discard.all
    damaged = 0
    while damaged < _DAMAGED_PACKETS_IN_A_ROW:
        try:
            for packet in container.demux(*streams):
                damaged = 0
                yield packet
        except (av.error.FFmpegError, IndexError):  # IndexError: a stream that turns up in mid-file (PyAV)
            damaged += 1
        else:
            return


def shown_size(width: int, height: int, *, sample_aspect: Fraction | None, rotation: int) -> tuple[int, int]:
    """Width and height of a stored picture as shown.

    Square pixels are made by widening or heightening it, whichever loses no detail; then it is turned by
    `rotation` degrees.
    """
    if sample_aspect and sample_aspect > 1:
        width = round(width * sample_aspect)
    elif sample_aspect and sample_aspect > 0:
        height = round(height / sample_aspect)
    return (height, width) if rotation % 180 == 90 else (width, height)


def is_text_subtitle(stream: Stream) -> bool:
    """Whether the stream holds subtitles as text; those of discs and broadcasts are often pictures."""
    return (
        stream.type == "subtitle" and stream.codec_context is not None and stream.codec.name in TEXT_SUBTITLES
    )


def probe_video(path: Path) -> Probe:
    """Say what video the file is, after decoding its first frame. Memory does not grow with its length.

    Raises UnreadableVideo, and OSError when the path cannot be read.
    """
    with open_media(path) as container:
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
            duration_ms=_duration_ms(path, container),
            width=width,
            height=height,
            frame_rate=float(rate) if rate else None,
            video_codec=stream.codec_context.name,
            has_audio=any(audio.codec_context is not None for audio in container.streams.audio),
            has_subtitles=any(is_text_subtitle(subtitles) for subtitles in container.streams.subtitles),
        )


def _is_media_signature(head: bytes) -> bool:
    """Whether a file starts like one of `DEMUXERS`: then it is a broken video, not another kind of file."""
    is_riff_avi = head[:4] == b"RIFF" and head[8:11] == b"AVI"
    is_transport_stream = len(head) > 376 and head[0] == head[188] == head[376] == 0x47
    return head.startswith(_SIGNATURES) or head[4:8] in _MP4_BOXES or is_riff_avi or is_transport_stream


def _first_frame(container: av.container.InputContainer, stream: VideoStream) -> VideoFrame:
    for packet in islice(read_packets(container, [stream]), _FIRST_FRAME_PACKETS):
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError:
            continue  # a recording may start in the middle of a group of pictures
        if frames:
            return frames[0]
    raise UnreadableVideo("UNDECODABLE", DAMAGED)


def _duration_ms(path: Path, container: av.container.InputContainer) -> int:
    """Length from point 0 to the end of the last picture or sound that the file holds.

    What the header says is only where to look: recorders that crash or stream leave no length there, a file
    cut short leaves one that is too long. Reads the last seconds, or when nothing is there, all packets (none
    is decoded). Raises UnreadableVideo (UNDECODABLE) for a length that makes no sense.
    """
    start = timeline_start(container)
    end = None
    if container.duration is not None and container.duration > 0:
        end = _end_of_packets(container, seek_us=int(start * 1_000_000) + container.duration - _TAIL_US)
    if end is None:
        with open_media(path) as whole:
            end = _end_of_packets(whole, seek_us=None)
    duration_ms = round((end - start) * 1000) if end is not None else 0
    if not 0 <= duration_ms <= MAX_DURATION_MS:
        raise UnreadableVideo("UNDECODABLE", DAMAGED)
    return max(1, duration_ms)


def _end_of_packets(container: av.container.InputContainer, *, seek_us: int | None) -> Fraction | None:
    if seek_us is not None and seek_us > 0:
        try:
            container.seek(seek_us)
        except av.error.FFmpegError:
            return None
    end = None
    for packet in read_packets(container, [*container.streams.video, *container.streams.audio]):
        at = packet.pts if packet.pts is not None else packet.dts
        if at is not None and packet.time_base:
            packet_end = (at + (packet.duration or 0)) * packet.time_base
            end = packet_end if end is None else max(end, packet_end)
    return end
