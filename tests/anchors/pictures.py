"""Pictures and operations that the tests of annotation share."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from anchors.render import render_annotations

SIZE = (640, 360)
RECT = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.25}
LINE = {"from": {"x": 0.2, "y": 0.5}, "to": {"x": 0.6, "y": 0.5}}
POINTS = {"points": [{"x": 0.2, "y": 0.2}, {"x": 0.4, "y": 0.4}, {"x": 0.6, "y": 0.2}]}
SPOT = {"x": 0.5, "y": 0.5}
RED = (0xE5, 0x48, 0x4D)

MINIMAL: dict[str, dict[str, Any]] = {
    "blur": {"op_type": "blur", "geometry": RECT},
    "arrow": {"op_type": "arrow", "geometry": LINE},
    "marker": {"op_type": "marker", "geometry": RECT},
    "pencil": {"op_type": "pencil", "geometry": POINTS},
    "box": {"op_type": "box", "geometry": RECT},
    "text": {"op_type": "text", "geometry": SPOT, "style": {"text": "Save"}},
    "badge": {"op_type": "badge", "geometry": SPOT, "style": {"label": "1"}},
    "crop": {"op_type": "crop", "geometry": RECT},
}


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(colour: Any = "white", size: tuple[int, int] = SIZE) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def op(op_type: str, geometry: dict[str, Any] | None = None, **style: Any) -> dict[str, Any]:
    minimal = MINIMAL[op_type]
    return {
        "op_type": op_type,
        "geometry": geometry or minimal["geometry"],
        "style": minimal.get("style", {}) | style,
    }


def rendered(operations: list[dict[str, Any]], base: bytes | None = None) -> Image.Image:
    image = Image.open(io.BytesIO(render_annotations(base or plain(), operations)))
    image.load()
    return image


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("RGB"), np.int16)


def changed(before: bytes, after: Image.Image) -> tuple[int, int, int, int]:
    """The box of all pixels that differ."""
    box = ImageChops.difference(Image.open(io.BytesIO(before)).convert("RGB"), after).getbbox()
    assert box is not None
    return box


def screen() -> Image.Image:
    """Text on a light window with a dark bar, as on a screen."""
    image = Image.new("RGB", SIZE, "#F6F7F9")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 640, 40), fill="#24292F")
    for row in range(12):
        pen.text(
            (20, 60 + row * 24),
            f"Row {row}: the quick brown fox jumps over the lazy dog " * 2,
            fill="#1F2328",
        )
    return image


EVERYTHING = [
    op("blur", strength=20),
    op("arrow"),
    op("marker", POINTS),
    op("pencil"),
    op("box"),
    op("text", text="Save → 日本語 👉\nשלום 12", background="#FFF3BF"),
    op("badge"),
    op("crop", {"x": 0.1, "y": 0.1, "width": 0.8, "height": 0.8}),
]
