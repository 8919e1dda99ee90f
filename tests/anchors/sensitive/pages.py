"""Small pages with text on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.anchors.sensitive.screens import font

WIDTH, HEIGHT = 640, 360
Picture = NDArray[np.uint8]

MAIL = (200, 100, "amara.ekholt@example.com")


def page(*lines: tuple[int, int, str], pointer: tuple[int, int] | None = None) -> Picture:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((40, 20), "Customers", fill="black", font=font("sans", 16))
    for x, y, text in lines:
        draw.text((x, y), text, fill="black", font=font("sans", 14))
    if pointer:
        draw.polygon(
            [pointer, (pointer[0], pointer[1] + 18), (pointer[0] + 12, pointer[1] + 12)], fill="black"
        )
    return np.asarray(image)
