"""Look at a picture that somebody has uploaded: what it is, by its bytes, and whether all of it can be decoded."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from anchors.containers import Container, PictureRefused, damaged, read_container
from anchors.render import MAX_PIXELS
from anchors.render.engine import MAX_SIDE

# What Pillow raises on damaged files. A profile or text that unpacks to over 1 MiB is a ValueError of its own.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
PIECE = 2**20  # bytes that are unpacked at once
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
# What another reader would take the same file for: a page, a PDF, an archive (all of whose signatures are there).
_OTHER_KINDS = ((b"<script",), (b"<html",), (b"<!doctype",), (b"%pdf-",), (b"pk\x05\x06", b"pk\x01\x02"))


@dataclass(frozen=True)
class Picture:
    """The type of a picture, and its width and height in pixels as they are stored: EXIF may turn what is shown."""

    mime_type: str
    width: int
    height: int


def inspect_picture(content: bytes) -> Picture:
    """Return what a file is; raise PictureRefused for one that is no picture, or is more than one.

    Nothing is decoded of a file that says it has over `MAX_PIXELS`; all of the others is, once.
    """
    container = read_container(content)
    width, height = container.width, container.height
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        message = f"The picture has {width} x {height} pixels; {MAX_PIXELS:,} are taken."
        raise PictureRefused("TOO_MANY_PIXELS", message)
    beside = container.beside.lower()
    if any(all(mark in beside for mark in marks) for marks in _OTHER_KINDS):
        raise PictureRefused(
            "OTHER_FILE_INSIDE", "The file holds a page, a PDF or an archive beside its picture."
        )
    _decode(content, container)
    return Picture(container.mime_type, width, height)


def _decode(content: bytes, container: Container) -> None:
    """Raise PictureRefused unless the file has all the pixels that its header says."""
    try:
        with Image.open(io.BytesIO(content), formats=(_FORMATS[container.mime_type],)) as image:
            if image.size != (container.width, container.height):
                raise damaged()
            image.load()
        _require_rows(container)
    except PictureRefused:
        raise
    except _DAMAGE as error:
        raise damaged() from error


def _require_rows(container: Container) -> None:
    """Raise PictureRefused for a PNG with fewer rows than it says: Pillow takes it, and leaves the others black."""
    unpacker, size, rest = zlib.decompressobj(), 0, container.packed
    while size < container.unpacked_size:
        piece = unpacker.decompress(rest, PIECE)
        if not piece:
            raise damaged("The picture breaks off.")
        size, rest = size + len(piece), unpacker.unconsumed_tail
