"""How PNG, JPEG and WebP files are put together, read strictly and without decoding a pixel.

PNG: W3C PNG, third edition; JPEG: ITU-T T.81 annex B, with JFIF (T.871) and MPF (CIPA DC-007); WebP: RFC 9649. What
readers differ about is refused: bytes after the end, several pictures in one file, colours for print.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

MAX_SCANS = 100  # of a JPEG; encoders write 10. Each costs a pass over all pixels, and takes a few bytes.

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the type of its colours
# Adam7: where each pass begins, and how far its pixels are apart.
_PNG_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP")
_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ICCP")
# The frames of T.81 that browsers show: baseline, extended and progressive, of Huffman codes.
_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)
_JPEG_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {0xC4, 0xC8, 0xCC}
# The end of a scan: a marker that is neither a stuffed zero nor a restart.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")


class PictureRefused(ValueError):
    """The file is not taken as a picture. `code` is for programs, the message for users."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Container:
    """What a file says of its picture: type, width and height in pixels as they are stored, before any rotation by
    EXIF. `beside` is all that is neither pixels nor colours. Of a PNG, `packed` are its compressed rows, which unpack
    to `unpacked_size` bytes at least."""

    mime_type: str
    width: int
    height: int
    beside: bytes
    packed: bytes = b""
    unpacked_size: int = 0


def read_container(content: bytes) -> Container:
    """Return what the file says of its picture; raise PictureRefused."""
    for begins, read in _READERS:
        if begins(content):
            try:
                return read(content)
            except (struct.error, IndexError) as error:
                raise damaged("The picture breaks off.") from error
    raise PictureRefused("NOT_A_PICTURE", "The file is no PNG, JPEG or WebP.")


def damaged(message: str = "The picture is damaged.") -> PictureRefused:
    return PictureRefused("UNDECODABLE", message)


def _animated() -> PictureRefused:
    return PictureRefused("SEVERAL_PICTURES", "The file holds several pictures, or one that moves.")


def _trailing(count: int) -> PictureRefused:
    return PictureRefused("TRAILING_DATA", f"{count} bytes follow the end of the picture.")


def _read_png(content: bytes) -> Container:
    at, kind = len(_PNG_SIGNATURE), b""
    head = b""
    beside, packed = [], []
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise damaged("The picture breaks off.")
        is_first = at == len(_PNG_SIGNATURE)
        if zlib.crc32(content[at + 4 : end - 4]) != struct.unpack_from(">I", content, end - 4)[0]:
            raise damaged("A checksum inside the picture is wrong.")
        if is_first != (kind == b"IHDR"):
            raise damaged()
        if is_first:
            head = content[at + 8 : end - 4]
        elif kind in _PNG_ANIMATION:
            raise _animated()
        elif kind == b"IDAT":
            packed.append(content[at + 8 : end - 4])
        elif kind not in _PNG_PIXELS:
            beside.append(content[at + 8 : end - 4])
        at = end
    if at < len(content):
        raise _trailing(len(content) - at)
    width, height, depth, colours, *_, interlace = struct.unpack(">IIBBBBB", head)
    if colours not in _PNG_CHANNELS:
        raise damaged()
    return Container(
        "image/png",
        width,
        height,
        b"\n".join(beside),
        b"".join(packed),
        _size_of_rows(width, height, depth * _PNG_CHANNELS[colours], is_interlaced=interlace == 1),
    )


def _size_of_rows(width: int, height: int, bits: int, *, is_interlaced: bool) -> int:
    """Return how many bytes the rows of a PNG have, each with the byte of its filter, at so many bits a pixel."""
    passes = _PNG_PASSES if is_interlaced else ((0, 0, 1, 1),)
    size = 0
    for x, y, step_x, step_y in passes:
        columns, rows = max(0, -(-(width - x) // step_x)), max(0, -(-(height - y) // step_y))
        size += rows * (1 + -(-columns * bits // 8)) if columns else 0
    return size


def _read_jpeg(content: bytes) -> Container:
    at, scans = 2, 0
    size: tuple[int, int] | None = None
    beside = []
    while (marker := _marker(content, at)) != 0xD9:
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        end = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
        segment = content[at + 4 : end]
        if end > len(content) or end < at + 4:
            raise damaged("The picture breaks off.")
        if marker in _JPEG_FRAMES or marker in _JPEG_OTHER_FRAMES:
            if size:
                raise damaged()
            size = _jpeg_size(marker, segment)
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            _check_application(marker, segment)
            if not segment.startswith(b"ICC_PROFILE\0"):
                beside.append(segment)
        at = end
        if marker == 0xDA:
            scans += 1
            at = _end_of_scan(content, at, scans)
    if at + 2 < len(content):
        raise _trailing(len(content) - at - 2)
    if not (size and scans):
        raise damaged()
    return Container("image/jpeg", *size, b"\n".join(beside))


def _marker(content: bytes, at: int) -> int:
    marker = content[at + 1]
    if content[at] != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD8:
        raise damaged()
    return marker


def _jpeg_size(marker: int, segment: bytes) -> tuple[int, int]:
    """Return width and height of a frame header."""
    precision, height, width, components = struct.unpack_from(">BHHB", segment)
    if marker not in _JPEG_FRAMES or precision != 8 or components not in (1, 3):
        message = "The JPEG has colours for print, over 8 bits, or a rare coding: save it as RGB."
        raise PictureRefused("UNSUPPORTED_JPEG", message)
    return width, height


def _check_application(marker: int, segment: bytes) -> None:
    """Refuse an index of several pictures (MPF), and a JFIF header of another length than its thumbnail has: what
    follows in it may be a program."""
    if marker == 0xE2 and segment.startswith(b"MPF\0"):
        raise _animated()
    if marker == 0xE0 and segment.startswith(b"JFIF\0"):
        if len(segment) < 14 or len(segment) != 14 + 3 * segment[12] * segment[13]:
            raise damaged("The header of the JPEG is wrong.")
    elif marker == 0xE0 and not segment.startswith((b"JFXX\0", b"AVI1")):
        raise damaged("The header of the JPEG is wrong.")


def _end_of_scan(content: bytes, at: int, scans: int) -> int:
    if scans > MAX_SCANS:
        raise PictureRefused("MEDIA_TOO_COMPLEX", f"The JPEG has over {MAX_SCANS} scans.")
    found = _END_OF_SCAN.search(content, at)
    if not found:
        raise damaged("The picture breaks off.")
    return found.start()


def _read_webp(content: bytes) -> Container:
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise damaged("The picture breaks off.")
    if end < len(content):
        raise _trailing(len(content) - end)
    at, sizes, pictures = 12, set[tuple[int, int]](), 0
    beside = []
    while at < end:
        kind, length = struct.unpack_from("<4sI", content, at)
        payload = content[at + 8 : at + 8 + length]
        if at + 8 + length > end:
            raise damaged("The picture breaks off.")
        if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and payload[0] & 0x02):
            raise _animated()
        if kind in _WEBP_SIZES:
            sizes.add(_WEBP_SIZES[kind](payload))
        pictures += kind in (b"VP8 ", b"VP8L")
        if kind not in _WEBP_PIXELS:
            beside.append(payload)
        at += 8 + length + length % 2
    if at != end or pictures != 1 or len(sizes) != 1:
        raise damaged()
    return Container("image/webp", *sizes.pop(), b"\n".join(beside))


def _vp8_size(payload: bytes) -> tuple[int, int]:
    start, width, height = struct.unpack_from("<3sHH", payload, 3)
    if start != b"\x9d\x01\x2a":
        raise damaged()
    return width & 0x3FFF, height & 0x3FFF


def _vp8l_size(payload: bytes) -> tuple[int, int]:
    signature, bits = struct.unpack_from("<BI", payload)
    if signature != 0x2F:
        raise damaged()
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _vp8x_size(payload: bytes) -> tuple[int, int]:
    width, height = payload[4:7], payload[7:10]
    return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1


_WEBP_SIZES: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": _vp8_size,
    b"VP8L": _vp8l_size,
    b"VP8X": _vp8x_size,
}
_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Container]], ...] = (
    (lambda content: content.startswith(_PNG_SIGNATURE), _read_png),
    (lambda content: content.startswith(b"\xff\xd8"), _read_jpeg),
    (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _read_webp),
)
