"""The hash of what a picture's file shows."""

from __future__ import annotations

import io

from PIL import Image

from anchors import pixels
from exports.renderers.metadata import UnreadablePicture


def pixels_sha256(content: bytes) -> str:
    """Return the SHA-256 (hex) of a picture's pixels (`anchors.pixels`); raise UnreadablePicture."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG", "WEBP"]) as picture:
            return pixels.pixels_sha256(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePicture("the picture cannot be read") from error
