"""Made-up recordings of a screen: a page on which windows open, text is typed, spinners turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tests.anchors.videos import write_video

SIZE = (640, 352)
FPS = 10
Draw = Callable[[ImageDraw.ImageDraw], None]
CLICKED_MS = 4_000


def page(*parts: Draw, title: str = "Invoices", scrolled: int = 0) -> Image.Image:
    image = empty_page(title).crop((0, scrolled, SIZE[0], scrolled + SIZE[1]))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], 20), fill="navy")
    for part in parts:
        part(draw)
    return image


@cache
def empty_page(title: str) -> Image.Image:
    image = Image.new("RGB", (SIZE[0], 3 * SIZE[1]), "white")
    draw = ImageDraw.Draw(image)
    for line in range(50):
        draw.text((20, 30 + 20 * line), f"{title} {line} " * 6, fill="black")
    return image


def window(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((120, 60, 520, 300), fill="gainsboro", outline="black", width=2)
    draw.text((140, 80), "Send the invoice now?", fill="black")


def menu(draw: ImageDraw.ImageDraw, chosen: int = -1) -> None:
    draw.rectangle((400, 100, 540, 220), fill="dimgray")
    for item in range(6):
        draw.rectangle(
            (404, 104 + 19 * item, 536, 120 + 19 * item), fill="blue" if item == chosen else "white"
        )


def typed(text: str) -> Draw:
    def draw_text(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((100, 300, 500, 330), fill="white", outline="black")
        draw.text((110, 308), text, fill="black")

    return draw_text


def caret(frame: int) -> Draw:
    return lambda draw: draw.rectangle((300, 305, 301, 322), fill="white" if frame // 5 % 2 else "black")


def spinner(frame: int, at: tuple[int, int] = (310, 170)) -> Draw:
    box = (at[0], at[1], at[0] + 28, at[1] + 28)
    return lambda draw: draw.arc(box, frame * 77, frame * 77 + 200, fill="black", width=6)


def clock(frame: int) -> Draw:
    return spinner(frame, (600, 320))


def pointer(x: int, y: int) -> Draw:
    return lambda draw: draw.polygon([(x, y), (x, y + 14), (x + 9, y + 9)], fill="red")


def blend(first: Image.Image, second: Image.Image, share: float) -> Image.Image:
    return Image.blend(first, second, share)


def record(path: Path, frames: Iterable[Image.Image], **options: Any) -> Path:
    """Write pictures, 10 a second unless `pts` says when."""
    pictures = [np.asarray(image) for image in frames]
    options = {"options": {"preset": "ultrafast"}} | options
    pts = options.pop("pts", [number * 1000 // FPS for number in range(len(pictures))])
    return write_video(path, pictures=pictures, pts=pts, **options)
