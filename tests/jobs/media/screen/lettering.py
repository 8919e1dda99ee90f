"""Letters for pictures in tests, in the font that the project's own pictures use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    path = files("manimgx_fonts").joinpath("NotoSans[wght].ttf")
    return ImageFont.truetype(str(path), size)


def line(
    text: str, size: int = 14, *, ink: str = "#222222", paper: str = "#ffffff", width: int = 420
) -> NDArray[np.uint8]:
    """Return a picture of one line of text."""
    image = Image.new("RGB", (width, 2 * size + 8), paper)
    ImageDraw.Draw(image).text((12, size / 2), text, fill=ink, font=font(size))
    return np.asarray(image)
