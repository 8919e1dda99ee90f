"""Draw texts and badges. Latin, Cyrillic and Greek come from Noto Sans, other characters from the first font
of the family that has them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont, features

from anchors.render.canvas import Box, Panel, Part, Segment, flat, paint

LAYOUT = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
"""Raqm needs a library of the operating system (FriBiDi) to shape Arabic and Indic text; without it letters
stand side by side. The two place letters differently, so the renderer's version names the one in use."""

DARK, LIGHT = "#1F2328", "#FFFFFF"
REGULAR, BOLD = 500, 700

_FONTS = (
    ("manimgx_fonts", "NotoSans[wght].ttf"),
    ("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
    ("manimgx_fonts", "NotoSansSymbols[wght].ttf"),
    ("manimgx_fonts", "NotoEmoji[wght].ttf"),
    *(
        ("manimgx_fonts", f"NotoSans{script}[wght].ttf")
        for script in (
            *("Arabic", "Hebrew", "Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Kannada", "Malayalam"),
            *("Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Lao", "Khmer", "Myanmar", "Armenian"),
            *("Georgian", "Ethiopic"),
        )
    ),
)
_JOINING = ("Mn", "Mc", "Me", "Cf")
_NO_CHARACTER = "\U0010fffe"
_VARIATION_SELECTORS = dict.fromkeys(range(0xFE00, 0xFE10))

# Type is set larger and averaged down, so that letters are spaced evenly. Large type needs less of it.
_FINE_BELOW = ((100, 4), (200, 2))
_LINE_HEIGHT = 1.3
_PADDING, _PILL_RADIUS = (0.5, 0.22), 0.35
_OUTLINE = 0.07
_BADGE_TYPE, _BADGE_ROOM = 0.58, 0.7

Run = tuple[ImageFont.FreeTypeFont, str]


def draw_text(image: Image.Image, geometry: dict[str, float], style: dict[str, Any]) -> None:
    """Draw a text whose top left corner (of its background, if it has one) is at x, y.

    Lines that are wider than the picture are broken, and what would leave the picture is moved inside. Without
    a background the text has an outline.
    """
    size = type_size(image.size, style["size"])
    background = style["background"]
    across, down = (round(size * share) if background else 0 for share in _PADDING)
    lines = _wrap(style["text"], size, max(size, image.width - 2 * across))
    width = max(round(_width(line, size)) for line in lines) + 2 * across
    line_height = round(size * _LINE_HEIGHT)
    height = line_height * len(lines) + 2 * down
    left = _inside(round(geometry["x"] * image.width), width, image.width)
    top = _inside(round(geometry["y"] * image.height), height, image.height)
    if background:
        box: Box = left, top, left + width, top + height
        paint(image, [Panel(box, radius=size * _PILL_RADIUS)], flat(background))
    outline = None if background else contrasting(style["color"])
    for number, line in enumerate(lines):
        place = left + across, top + down + number * line_height
        if place[1] < image.height:
            _write(image, line, size, place, colour=style["color"], outline=outline)


def draw_badge(image: Image.Image, geometry: dict[str, float], style: dict[str, Any]) -> None:
    """Draw a disc with a light ring and a short label in its middle, moved to be inside the picture."""
    diameter = min(style["size"] * max(image.size), min(image.size))
    radius, ring = diameter / 2, max(1.0, diameter * 0.06)
    room = radius + ring
    x, y = (
        min(max(geometry[axis] * length, room), max(room, length - room))
        for axis, length in zip("xy", image.size, strict=True)
    )
    for grown, colour in ((ring, LIGHT), (0, style["color"])):
        disc: list[Part] = [Segment((x, y), (x, y), radius + grown)]
        paint(image, disc, flat(colour))
    label = style["label"]
    size = max(1, round(diameter * _BADGE_TYPE))
    size = max(1, round(size * min(1, diameter * _BADGE_ROOM / max(1, _width(label, size, weight=BOLD)))))
    mask, _ = _mask(label, size, weight=BOLD, outline=0)
    ink = mask.getbbox()
    if ink:
        mask = mask.crop(ink)
        place = round(x - mask.width / 2), round(y - mask.height / 2)
        image.paste(contrasting(style["color"]), place, mask)


def contrasting(colour: str) -> str:
    """Return white if its contrast to the colour is 3:1 (WCAG 2.2, 1.4.3, large type), else a near black."""
    channels = [value / 255 for value in ImageColor.getrgb(colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return LIGHT if 1.05 / (luminance + 0.05) >= 3 else DARK


def type_size(size: tuple[int, int], share: float) -> int:
    """Return the height of type in pixels on a picture of a size."""
    return max(4, round(min(share * max(size), min(size))))


def fineness(size: int) -> int:
    """Return how many times as large type of a size is set."""
    return next((factor for below, factor in _FINE_BELOW if size < below), 1)


def _inside(start: int, length: int, limit: int) -> int:
    return max(0, min(start, limit - length))


def _write(
    image: Image.Image, line: str, size: int, place: tuple[int, int], *, colour: str, outline: str | None
) -> None:
    margin = max(1, round(size * _OUTLINE)) if outline else 0
    if outline:
        mask, origin = _mask(line, size, outline=margin)
        image.paste(outline, (place[0] - origin[0], place[1] - origin[1]), mask)
    mask, origin = _mask(line, size, outline=0)
    image.paste(colour, (place[0] - origin[0], place[1] - origin[1]), mask)


def _mask(
    line: str, size: int, *, weight: int = REGULAR, outline: int
) -> tuple[Image.Image, tuple[int, int]]:
    """Return the mask of a line of type, and where in the mask the line's top left corner is."""
    fine = fineness(size)
    runs = _runs(line, size * fine, weight)
    margin = (outline + size // 4) * fine
    widths = [font.getlength(text) for font, text in runs]
    height = round(size * _LINE_HEIGHT) * fine
    mask = Image.new("L", (round(sum(widths)) + 2 * margin + fine, height + 2 * margin))
    pen = ImageDraw.Draw(mask)
    x, baseline = float(margin), margin + size * fine * 0.98
    for (font, text), width in zip(runs, widths, strict=True):
        pen.text((x, baseline), text, fill=255, font=font, anchor="ls", stroke_width=outline * fine)
        x += width
    return mask.reduce(fine), (margin // fine, margin // fine)


def _width(line: str, size: int, *, weight: int = REGULAR, known: dict[Run, float] | None = None) -> float:
    """Return the width in pixels, measured at four times the size, where rounding to whole pixels weighs less.

    `known` keeps the widths of pieces for a line that is measured again and again, a character longer.
    """
    known = {} if known is None else known
    total = 0.0
    for run in _runs(line, size * 4, weight):
        if run not in known:
            known[run] = run[0].getlength(run[1])
        total += known[run]
    return total / 4


def _wrap(text: str, size: int, width: float) -> list[str]:
    """Return lines of at most this width, broken at spaces, or within a word that is too long by itself."""
    lines = []
    known: dict[Run, float] = {}
    for paragraph in text.translate(_VARIATION_SELECTORS).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if _width(longer, size, known=known) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            while word and _width(word, size, known=known) > width:
                widths = ((n, _width(word[:n], size, known=known)) for n in range(1, len(word)))
                fits = max((n for n, wide in widths if wide <= width), default=1)
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return lines


def _runs(line: str, size: int, weight: int) -> list[Run]:
    """Return the line in pieces of one font each, in their order from left to right."""
    pieces: list[tuple[int, str]] = []
    for character in line:
        joins = pieces and (character.isspace() or unicodedata.category(character) in _JOINING)
        chosen = pieces[-1][0] if joins else _font_for(character)
        if pieces and pieces[-1][0] == chosen:
            pieces[-1] = chosen, pieces[-1][1] + character
        else:
            pieces.append((chosen, character))
    _free_spaces(pieces)
    directions = (unicodedata.bidirectional(character) for character in line)
    first_strong = next((direction for direction in directions if direction in ("L", "R", "AL")), "L")
    ordered = pieces if first_strong == "L" else pieces[::-1]
    return [(_font(number, size, weight), text) for number, text in ordered]


def _free_spaces(pieces: list[tuple[int, str]]) -> None:
    """Move spaces at the end of a right-to-left piece to the next piece: they would be drawn at its left."""
    for i, (number, text) in enumerate(pieces[:-1]):
        if unicodedata.bidirectional(text[0]) in ("R", "AL"):
            bare = text.rstrip()
            pieces[i] = number, bare
            pieces[i + 1] = pieces[i + 1][0], text[len(bare) :] + pieces[i + 1][1]


@lru_cache(maxsize=4096)
def _font_for(character: str) -> int:
    """Return the number of the first font that has the character, else 0, whose font shows a box."""
    for number in range(len(_FONTS)):
        font = _font(number, 24, REGULAR)
        if bytes(font.getmask(character)) != _box_of(number):
            return number
    return 0


@lru_cache(maxsize=len(_FONTS))
def _box_of(number: int) -> bytes:
    """Return what a font shows for a character that it has not."""
    return bytes(_font(number, 24, REGULAR).getmask(_NO_CHARACTER))


@lru_cache(maxsize=128)
def _font(number: int, size: int, weight: int) -> ImageFont.FreeTypeFont:
    package, name = _FONTS[number]
    font = ImageFont.truetype(str(files(package) / name), size, layout_engine=LAYOUT)
    font.set_variation_by_axes([weight])
    return font
