"""Smooth boxes, text, shadows and the pointer, drawn with Pillow for the scene of the sample recording."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import manimgx_fonts
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Rect = tuple[int, int, int, int]

INK = "#1f2430"

FINER = 4
"""Shapes are drawn this many times larger and reduced, which smooths their edges."""

_FONT_FILE = Path(manimgx_fonts.__file__).parent / "NotoSans[wght].ttf"
_POINTER = ((0, 0), (0, 17), (4, 13.4), (6.8, 19.6), (9.6, 18.4), (6.9, 12.3), (12.2, 12.3))


@lru_cache(maxsize=64)
def font(size: int, weight: int = 400) -> ImageFont.FreeTypeFont:
    """Noto Sans at a size in pixels; 400 is regular, 600 half bold, 700 bold."""
    face = ImageFont.truetype(str(_FONT_FILE), size)
    face.set_variation_by_axes([weight])
    return face


@lru_cache(maxsize=512)
def _round_mask(width: int, height: int, radius: int) -> Image.Image:
    mask = Image.new("L", (width * FINER, height * FINER), 0)
    edge = (0, 0, width * FINER - 1, height * FINER - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edge, radius * FINER, fill=255)
    return mask.reduce(FINER)


def box(
    image: Image.Image, rect: Rect, fill: str, *, radius: int = 0, outline: str = "", opacity: float = 1.0
) -> None:
    """A filled box with round corners; `outline` adds a line of one pixel inside its edge."""
    left, top, right, bottom = rect
    mask = _round_mask(right - left, bottom - top, radius)
    if opacity < 1.0:
        mask = mask.point([round(level * opacity) for level in range(256)])
    image.paste(outline or fill, rect, mask)
    if outline:
        box(image, (left + 1, top + 1, right - 1, bottom - 1), fill, radius=max(0, radius - 1))


def shadow(image: Image.Image, rect: Rect, *, radius: int, spread: int = 18, opacity: float = 0.35) -> None:
    """A soft dark shadow under a box that is drawn afterwards."""
    left, top, right, bottom = rect
    size = (right - left + 4 * spread, bottom - top + 4 * spread)
    mask = Image.new("L", size, 0)
    mask.paste(
        round(255 * opacity), (2 * spread, 2 * spread), _round_mask(right - left, bottom - top, radius)
    )
    mask = mask.filter(ImageFilter.GaussianBlur(spread / 2))
    place = (left - 2 * spread, top - 2 * spread + spread // 3)
    image.paste("#000000", (*place, place[0] + size[0], place[1] + size[1]), mask)


@lru_cache(maxsize=1024)
def _words_mask(words: str, size: int, weight: int) -> Image.Image:
    """Text as a mask with its origin 2 pixels from the left, its middle half way down.

    Set large and reduced like the shapes: the letters then keep their true distances, which setting small
    text directly would round to whole pixels.
    """
    face = font(size * FINER, weight)
    wide = round(face.getlength(words) / FINER) + 4
    mask = Image.new("L", (wide * FINER, 2 * size * FINER), 0)
    ImageDraw.Draw(mask).text((2 * FINER, size * FINER), words, font=face, fill=255, anchor="lm")
    return mask.reduce(FINER)


def text(
    image: Image.Image,
    place: tuple[int, int],
    words: str,
    *,
    size: int = 14,
    weight: int = 400,
    fill: str = INK,
    anchor: str = "l",
) -> int:
    """One line of text, its middle at the height of `place`; answers its width in pixels.

    `anchor` says which part of the text stands at `place`: its left end, middle or right end (l, m, r).
    """
    if not words:
        return 0
    mask = _words_mask(words, size, weight)
    width = mask.width - 4
    left = place[0] - {"l": 0, "m": width // 2, "r": width}[anchor] - 2
    image.paste(fill, (left, place[1] - size, left + mask.width, place[1] + size), mask)
    return width


def lines(image: Image.Image, points: list[tuple[float, float]], fill: str, *, width: float = 1.6) -> None:
    """A smooth line through points given in pixels."""
    left = int(min(x for x, _ in points)) - 3
    top = int(min(y for _, y in points)) - 3
    wide = int(max(x for x, _ in points)) + 4 - left
    high = int(max(y for _, y in points)) + 4 - top
    mask = Image.new("L", (wide * FINER, high * FINER), 0)
    inside = [((x - left) * FINER, (y - top) * FINER) for x, y in points]
    ImageDraw.Draw(mask).line(inside, fill=255, width=round(width * FINER), joint="curve")
    image.paste(fill, (left, top, left + wide, top + high), mask.reduce(FINER))


def gradient(size: tuple[int, int], first: tuple[int, int, int], last: tuple[int, int, int]) -> Image.Image:
    """A picture that goes from one colour at the top left to another at the bottom right."""
    across, down = Image.linear_gradient("L").rotate(90).resize(size), Image.linear_gradient("L").resize(size)
    return Image.composite(
        Image.new("RGB", size, last), Image.new("RGB", size, first), Image.blend(across, down, 0.6)
    )


def pointer(image: Image.Image, x: float, y: float, *, pressed: bool) -> None:
    """The mouse pointer with its tip at a place in pixels; a little smaller while a button is pressed."""
    scale = 1.15 if pressed else 1.3
    left, top, side = int(x) - 4, int(y) - 4, 40
    for colour, line in (("#ffffff", 3.2), ("#12141a", 0.0)):
        mask = Image.new("L", (side * FINER, side * FINER), 0)
        shape = [((x - left + px * scale) * FINER, (y - top + py * scale) * FINER) for px, py in _POINTER]
        draw = ImageDraw.Draw(mask)
        draw.polygon(shape, fill=255)
        if line:
            draw.line([*shape, shape[0], shape[1]], fill=255, width=round(line * FINER), joint="curve")
        image.paste(colour, (left, top, left + side, top + side), mask.reduce(FINER))


def ripple(image: Image.Image, x: float, y: float, share: float) -> None:
    """The ring that a click sends out; `share` of its life, 0 to 1, has passed."""
    radius = 7 + 19 * (1 - (1 - share) ** 2)
    left, top, side = int(x) - 32, int(y) - 32, 65
    mask = Image.new("L", (side * FINER, side * FINER), 0)
    centre = ((x - left) * FINER, (y - top) * FINER)
    draw = ImageDraw.Draw(mask)
    draw.circle(centre, radius * FINER, fill=round(70 * (1 - share)))
    draw.circle(centre, radius * FINER, outline=round(255 * (1 - share)), width=round(2.6 * FINER))
    image.paste("#ff7a1a", (left, top, left + side, top + side), mask.reduce(FINER))
