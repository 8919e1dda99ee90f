"""Small files that ask for much: written by hand, as no muxer writes them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from PIL import Image

SECOND = 1000  # ticks of the files below


# Matroska: elements of an id and a length (RFC 8794, RFC 9559).


def element(identifier: str, content: bytes) -> bytes:
    return bytes.fromhex(identifier) + struct.pack(">Q", 1 << 56 | len(content)) + content


def number(identifier: str, value: int) -> bytes:
    return element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def track(index: int, kind: int, codec: str, *more: bytes) -> bytes:
    fields = number("d7", index) + number("73c5", index) + number("83", kind) + element("86", codec.encode())
    return element("ae", fields + b"".join(more))


PICTURE, SOUND, SUBTITLES = 1, 2, 17
VIDEO_TRACK = track(1, PICTURE, "V_MJPEG", element("e0", number("b0", 64) + number("ba", 48)))
# Content compression by zlib, of all of a block.
COMPRESSED = element("6d80", element("6240", element("5034", number("4254", 0))))
SUBTITLE_TRACK = track(2, SUBTITLES, "S_TEXT/UTF8", COMPRESSED)


def sound_track(rate: int = 8000, channels: int = 1) -> bytes:
    audio = element("b5", struct.pack(">d", rate)) + number("9f", channels) + number("6264", 8)
    return track(2, SOUND, "A_PCM/INT/LIT", element("e1", audio))


def block(index: int, at: int, content: bytes) -> bytes:
    """A simple block `at` ticks after the beginning of its cluster, at most 32,767."""
    return element("a3", bytes([0x80 | index]) + struct.pack(">hB", at, 0x80) + content)


def lasting_block(index: int, at: int, ticks: int, content: bytes) -> bytes:
    inner = element("a1", bytes([0x80 | index]) + struct.pack(">hB", at, 0) + content)
    return element("a0", inner + number("9b", ticks))


def cluster(at: int, *blocks: bytes) -> bytes:
    return element("1f43b675", number("e7", at) + b"".join(blocks))


def write_matroska(path: Path, tracks: Sequence[bytes], clusters: Iterable[bytes], *, ticks: int) -> Path:
    head = element("4282", b"matroska") + number("4287", 4) + number("4285", 2)
    information = number("2ad7b1", 1_000_000) + element("4489", struct.pack(">d", ticks))
    content = element("1549a966", information) + element("1654ae6b", b"".join(tracks)) + b"".join(clusters)
    path.write_bytes(element("1a45dfa3", head) + element("18538067", content))
    return path


@lru_cache
def still(size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG")
    return out.getvalue()


def one_picture(path: Path, size: tuple[int, int]) -> Path:
    picture = element("e0", number("b0", size[0]) + number("ba", size[1]))
    video = track(1, PICTURE, "V_MJPEG", picture)
    return write_matroska(path, [video], [cluster(0, block(1, 0, still(size)))], ticks=SECOND)


def one_large_subtitle(path: Path, text: str) -> Path:
    subtitle = lasting_block(2, 0, SECOND, zlib.compress(text.encode(), 9))
    return write_matroska(
        path, [VIDEO_TRACK, SUBTITLE_TRACK], [cluster(0, block(1, 0, still()), subtitle)], ticks=SECOND
    )


def many_subtitles(path: Path, count: int, text: str) -> Path:
    packed = zlib.compress(text.encode(), 9)
    clusters = [
        cluster(begin, *(lasting_block(2, at, 1, packed) for at in range(min(10_000, count - begin))))
        for begin in range(0, count, 10_000)
    ]
    clusters.insert(0, cluster(0, block(1, 0, still())))
    return write_matroska(path, [VIDEO_TRACK, SUBTITLE_TRACK], clusters, ticks=count)


def many_packets(path: Path, count: int) -> Path:
    """Sound of 8 kHz, a sample of a byte in each packet."""
    clusters = [
        cluster(begin // 8, *(block(2, at // 8, b"\x80") for at in range(min(80_000, count - begin))))
        for begin in range(0, count, 80_000)
    ]
    clusters.insert(0, cluster(0, block(1, 0, still())))
    return write_matroska(path, [VIDEO_TRACK, sound_track()], clusters, ticks=count // 8)


def sounds_far_apart(path: Path, hours: float) -> Path:
    far = int(hours * 3600 * SECOND)
    tone = (np.sin(np.arange(8000) / 3) * 100 + 128).astype(np.uint8).tobytes()
    clusters = [cluster(0, block(1, 0, still()), block(2, 0, tone)), cluster(far, block(2, 0, tone))]
    return write_matroska(path, [VIDEO_TRACK, sound_track()], clusters, ticks=far + SECOND)


def many_channels(path: Path, channels: int) -> Path:
    """Sound of more channels than a layout has names for."""
    clusters = [cluster(0, block(1, 0, still()), block(2, 0, b"\x80" * channels * 800))]
    return write_matroska(path, [VIDEO_TRACK, sound_track(channels=channels)], clusters, ticks=SECOND)


# QuickTime and MP4: boxes of a length and a name (ISO/IEC 14496-12).


def box(name: bytes, *content: bytes) -> bytes:
    joined = b"".join(content)
    return struct.pack(">I", 8 + len(joined)) + name + joined


def full_box(name: bytes, *content: bytes) -> bytes:
    return box(name, b"\0" * 4, *content)


def packed_zeros(size: int) -> bytes:
    """So many zeros (whole MiB) in the format of zlib (RFC 1950), without packing them all."""
    packer = zlib.compressobj(9, wbits=-15)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Adler-32 of zeros: the first sum stays 1, the second counts them.
    checksum = struct.pack(">2H", size % 65_521, 1)
    return b"\x78\xda" + first + again * (size // 2**20 - 1) + packer.flush() + checksum


def compressed_header(path: Path, size: int) -> Path:
    """A QuickTime movie whose header is compressed (`cmov`): so many zeros."""
    packed = packed_zeros(size)
    moov = box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", size), packed)))
    path.write_bytes(box(b"ftyp", b"qt  ", b"\0" * 4, b"qt  ") + moov + box(b"mdat", b"\0" * 16))
    return path


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def claimed_samples(path: Path, count: int) -> Path:
    """A movie of one picture, whose index says that there are `count` of it."""
    ftyp = box(b"ftyp", b"isom", b"\0" * 4, b"isom", b"mp42", b"\0" * 4)
    times = struct.pack(">4I", 0, 0, SECOND, count)
    size = struct.pack(">2I", 64 << 16, 48 << 16)
    heads = full_box(b"mvhd", times, b"\0\1\0\0", b"\0" * 12, _MATRIX, b"\0" * 28)
    track_head = box(b"tkhd", b"\0\0\0\7", struct.pack(">5I", 0, 0, 1, 0, count), b"\0" * 16, _MATRIX, size)
    entry = [b"\0" * 6, b"\0\1", b"\0" * 16, struct.pack(">2H", 64, 48), b"\0\x48\0\0" * 2]
    entry += [b"\0" * 4, b"\0\1", b"\0" * 32, b"\0\x18\xff\xff"]
    table = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), box(b"jpeg", *entry)),
        full_box(b"stts", struct.pack(">3I", 1, count, 1)),
        full_box(b"stsc", struct.pack(">4I", 1, 1, count, 1)),
        full_box(b"stsz", struct.pack(">2I", len(still()), count)),
        full_box(b"stco", struct.pack(">2I", 1, len(ftyp) + 8)),
    )
    reference = full_box(b"dref", struct.pack(">I", 1), box(b"url ", b"\0\0\0\1"))
    media = box(
        b"mdia",
        full_box(b"mdhd", times, b"\x55\xc4\0\0"),
        full_box(b"hdlr", b"\0" * 4, b"vide", b"\0" * 13),
        box(b"minf", full_box(b"vmhd", b"\0" * 8), box(b"dinf", reference), table),
    )
    moov = box(b"moov", heads, box(b"trak", track_head, media))
    path.write_bytes(ftyp + box(b"mdat", still()) + moov)
    return path


def huge_frames(path: Path, size: tuple[int, int], *, codec: str, count: int) -> Path:
    """Frames without content, which hardly take room."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "100", "refs": "4"} if codec == "libx264" else {}
        frame = av.VideoFrame(*size, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for at in range(count):
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
