"""The bytes of a picture as they are exported."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from anchors.pixels import eight_bit
from exports.renderers.compose import PlacedPicture
from exports.renderers.metadata import UnreadablePicture, strip_metadata
from exports.renderers.rendered import RenderFailed
from exports.snapshot import ReadPicture

_BIT_DEPTH = 24  # where it stands in a PNG


def exported_bytes(placed: PlacedPicture, read_picture: ReadPicture) -> bytes:
    """Return the picture without metadata.

    Raise AssetMissing, and RenderFailed when the stored bytes are not the frozen ones or cannot be read.
    """
    content = read_picture(placed.picture)
    if hashlib.sha256(content).hexdigest() != placed.picture.sha256:
        raise RenderFailed(f"The stored bytes of {placed.name} have changed since the export was requested.")
    try:
        return strip_metadata(content, placed.picture.mime_type)
    except UnreadablePicture as error:
        raise RenderFailed(f"The picture {placed.name} cannot be read.") from error


def size_of(name: str, content: bytes) -> tuple[int, int]:
    """Return width and height in pixels of a picture; raise RenderFailed when it cannot be read. `name` is for that."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError) as error:
        raise RenderFailed(f"The picture {name} cannot be read.") from error


def with_eight_bits(name: str, content: bytes) -> bytes:
    """Return a PNG of 16 bits a sample with the upper eight of each, as `anchors.pixels` has it, and other pictures as
    they are; raise RenderFailed when it cannot be read. Typst would round, and the PDF would show other pixels than the
    manifest says."""
    if not content.startswith(b"\x89PNG") or content[_BIT_DEPTH] != 16:
        return content
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            picture.load()
            eight_bit(picture).save(out, "PNG", icc_profile=picture.info.get("icc_profile"))
    except (OSError, ValueError, SyntaxError) as error:
        raise RenderFailed(f"The picture {name} cannot be read.") from error
    return out.getvalue()
