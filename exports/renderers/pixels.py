"""The hash of what a picture shows, which does not depend on how its pixels are encoded.

The rule, which spec/verify.md gives to readers of a manifest: decode the picture; write each pixel as four bytes, red,
green, blue and alpha (255 where the picture has none), row by row from the top, each row from the left, with nothing
between; take the SHA-256. Of samples with 16 bits it is the upper eight. Gamma and colour profiles are not applied.
"""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from exports.renderers.metadata import UnreadablePicture


def pixels_sha256(content: bytes) -> str:
    """Return the SHA-256 (hex) of a picture's pixels; raise UnreadablePicture."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG", "WEBP"]) as picture:
            return hashlib.sha256(_eight_bit(picture).convert("RGBA").tobytes()).hexdigest()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePicture("the picture cannot be read") from error


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with the upper eight of each; Pillow itself would clip them at 255."""
    if not picture.mode.startswith("I;16"):
        return picture
    upper = slice(0, None, 2) if picture.mode == "I;16B" else slice(1, None, 2)
    return Image.frombytes("L", picture.size, picture.tobytes()[upper])
