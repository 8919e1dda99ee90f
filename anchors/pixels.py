"""The hash of what a picture shows, which does not depend on how its pixels are encoded.

The rule, which spec/verify.md gives to readers of a manifest: decode the picture; write each pixel as four bytes, red,
green, blue and alpha (255 where the picture has none), row by row from the top, each row from the left, with nothing
between; take the SHA-256. Of samples with 16 bits it is the upper eight. Gamma and colour profiles are not applied.
"""

from __future__ import annotations

import hashlib

from PIL import Image

_ROWS = 64  # that are written out at once: a picture of 40 megapixels would take 160 MB


def pixels_sha256(picture: Image.Image) -> str:
    """Return the SHA-256 (hex) of a picture's pixels; decode them first if that has not been done.

    Raise what Pillow raises for a damaged file.
    """
    picture.load()
    whole = eight_bit(picture)
    digest = hashlib.sha256()
    for top in range(0, whole.height, _ROWS):
        rows = whole.crop((0, top, whole.width, min(top + _ROWS, whole.height)))
        digest.update(rows.convert("RGBA").tobytes())
    return digest.hexdigest()


def eight_bit(picture: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with the upper eight of each; Pillow itself would clip them at 255."""
    if not picture.mode.startswith("I;16"):
        return picture
    upper = slice(0, None, 2) if picture.mode == "I;16B" else slice(1, None, 2)
    return Image.frombytes("L", picture.size, picture.tobytes()[upper])
