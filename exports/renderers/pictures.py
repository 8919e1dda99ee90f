"""The bytes of a picture as they are exported."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from exports.renderers.compose import PlacedPicture
from exports.renderers.metadata import UnreadablePicture, strip_metadata
from exports.renderers.rendered import RenderFailed
from exports.snapshot import ReadPicture


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
