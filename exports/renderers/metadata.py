"""Strip pictures of metadata: EXIF, GPS, XMP, comments, thumbnails, appended data.

The containers (PNG: W3C PNG, third edition; JPEG: ITU-T T.81 annex B; WebP: RFC 9649) are filtered by lists of
what may stay, so the encoded pixels are not changed. Only a picture with an EXIF orientation is decoded: the
orientation is applied to its pixels before it is stripped.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageOps

# Chunks that affect pixels and colours. Not: text, time, EXIF, suggested palettes, animation, private chunks.
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"pHYs"),
}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_EXIF_AND_XMP_FLAGS = 0x08 | 0x04
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXIF_ORIENTATION = 0x0112
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


class UnreadablePicture(ValueError):
    """The bytes are not a whole picture of the type that they are said to be."""


def strip_metadata(content: bytes, mime_type: str) -> bytes:
    """Return the same picture without its metadata; the same input always gives the same bytes.

    Raise UnreadablePicture for other types than PNG, JPEG and WebP and for broken files.
    """
    if mime_type not in _FORMATS:
        raise UnreadablePicture(f"pictures of the type {mime_type} are not known")
    strip = {"image/png": _strip_png, "image/jpeg": _strip_jpeg, "image/webp": _strip_webp}[mime_type]
    try:
        stripped = strip(content)
        # A file from which nothing was stripped had no orientation.
        if len(stripped) == len(content) or not _is_rotated(content, mime_type):
            return stripped
        return strip(_rotate(content, mime_type))
    except (struct.error, IndexError) as error:
        raise UnreadablePicture("the picture breaks off") from error


def _is_rotated(content: bytes, mime_type: str) -> bool:
    """Return whether the EXIF orientation says that the picture is to be rotated or mirrored."""
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[mime_type]]) as picture:
            return picture.getexif().get(_EXIF_ORIENTATION, 1) in range(2, 9)
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadablePicture("the picture cannot be read") from error


def _rotate(content: bytes, mime_type: str) -> bytes:
    """Return the picture with its EXIF orientation applied to the pixels.

    PNG and WebP are encoded without loss, JPEG with quality 95 and full colour resolution.
    """
    options: dict[str, dict[str, Any]] = {
        "image/png": {},
        "image/jpeg": {"quality": 95, "subsampling": 0},
        "image/webp": {"lossless": True, "quality": 80, "method": 4},
    }
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[mime_type]]) as picture:
            profile = picture.info.get("icc_profile")
            rotated = ImageOps.exif_transpose(picture)
            rotated.save(out, _FORMATS[mime_type], icc_profile=profile, exif=b"", **options[mime_type])
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePicture("the picture cannot be read") from error
    return out.getvalue()


def _strip_png(content: bytes) -> bytes:
    if not content.startswith(_PNG_SIGNATURE):
        raise UnreadablePicture("this is not a PNG file")
    kept = [_PNG_SIGNATURE]
    at = len(_PNG_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise UnreadablePicture("the picture breaks off")
        if kind in _PNG_KEPT:
            kept.append(content[at:end])
        at = end
    return b"".join(kept)


def _strip_jpeg(content: bytes) -> bytes:
    if not content.startswith(b"\xff\xd8"):
        raise UnreadablePicture("this is not a JPEG file")
    return b"\xff\xd8" + b"".join(_kept_jpeg_parts(content)) + b"\xff\xd9"


def _kept_jpeg_parts(content: bytes) -> Iterator[bytes]:
    """Yield the segments that stay and the entropy-coded data of each scan, up to the end of the image."""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise UnreadablePicture("the picture is broken")
        marker = content[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            return
        end = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
        if end > len(content):
            raise UnreadablePicture("the picture breaks off")
        yield _kept_jpeg_segment(marker, content[at:end])
        at = end
        if marker == 0xDA:
            at = _end_of_scan(content, at)
            yield content[end:at]


def _kept_jpeg_segment(marker: int, segment: bytes) -> bytes:
    payload = segment[4:]
    if marker == 0xE0:
        # The thumbnail of a JFIF header is dropped: it may show what was blurred in the picture later.
        is_jfif = payload.startswith(b"JFIF\0") and len(payload) >= 14
        return b"\xff\xe0\x00\x10" + payload[:12] + b"\0\0" if is_jfif else b""
    if marker == 0xE2:
        return segment if payload.startswith(b"ICC_PROFILE\0") else b""
    if marker == 0xEE:
        return segment if payload.startswith(b"Adobe") else b""
    is_application_or_comment = 0xE0 <= marker <= 0xEF or marker == 0xFE
    return b"" if is_application_or_comment else segment


def _end_of_scan(content: bytes, at: int) -> int:
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise UnreadablePicture("the picture breaks off")
        # A stuffed zero and the restart markers belong to the data.
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


def _strip_webp(content: bytes) -> bytes:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise UnreadablePicture("this is not a WebP file")
    declared_end = 8 + struct.unpack_from("<I", content, 4)[0]
    if declared_end > len(content):
        raise UnreadablePicture("the picture breaks off")
    kept = []
    at = 12
    while at + 8 <= declared_end:
        kind, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length
        if end > declared_end:
            raise UnreadablePicture("the picture breaks off")
        if kind in _WEBP_KEPT:
            kept.append(_kept_webp_chunk(kind, content[at:end]) + b"\0" * (length % 2))
        at = end + length % 2
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _kept_webp_chunk(kind: bytes, chunk: bytes) -> bytes:
    if kind != b"VP8X":
        return chunk
    return chunk[:8] + bytes([chunk[8] & ~_WEBP_EXIF_AND_XMP_FLAGS]) + chunk[9:]
