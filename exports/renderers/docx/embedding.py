"""Pictures as a DOCX can hold them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import NamedTuple

from PIL import Image

from exports.renderers.compose import PlacedPicture
from exports.renderers.metadata import UnreadablePicture, strip_metadata
from exports.renderers.rendered import RenderFailed


class Embedded(NamedTuple):
    """A picture by the name that it has in the file, its bytes there, and its size in pixels."""

    placed: PlacedPicture
    content: bytes
    pixels: tuple[int, int]


def embed(placed: PlacedPicture, content: bytes) -> Embedded:
    """Return the picture as the file holds it; raise RenderFailed for what cannot be read.

    Word shows no WebP before 2021, and older ones call the file broken: it becomes a PNG with the same pixels.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.format != "WEBP":
                return Embedded(_in_media(placed, placed.name), content, picture.size)
            out = io.BytesIO()
            picture.save(out, "PNG", icc_profile=picture.info.get("icc_profile"), exif=b"")
            named = _in_media(placed, placed.name.removesuffix(".webp") + ".png")
            return Embedded(named, strip_metadata(out.getvalue(), "image/png"), picture.size)
    except (OSError, ValueError, SyntaxError, UnreadablePicture, Image.DecompressionBombError) as error:
        raise RenderFailed(f"The picture {placed.name} cannot be read.") from error


def _in_media(placed: PlacedPicture, name: str) -> PlacedPicture:
    return replace(placed, name=f"word/media/{name.removeprefix('images/')}")
