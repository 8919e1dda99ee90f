"""Make parts of a picture unreadable.

Nothing of what lies under a bar or a mosaic is left in the file. A mosaic that averages what it hides can be undone by
drawing candidate texts and comparing, also when its averages are few and coarse. Here the blocks only look like
that: they are coloured from the strips of pixels along the rectangle's four sides, which stay visible in the result,
and speckled by a pattern that depends only on their place. Whatever is changed under the rectangle, the result is the
same byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageStat

from anchors.render.canvas import Box

BAR = "#4B5563"
"""The colour of a bar, visible on light and dark. It is always the same, as a colour taken from the picture
would give information about it."""

MAX_ZONES = 3
_BLOCK_PIXELS, _BLOCK_SHARE = 8, 1 / 120

# Brightness comes in 8 levels from 40 to 224, to leave a margin for the speckle, colour in
# steps of 32 around grey.
_LEVELS, _DARKEST, _LIGHTEST = 8, 40, 224
_COLOUR_STEP = 32
_SPECKLE = 28
_GAUSSIAN_SHARE = 0.02
_NOTHING_AROUND = (128.0, 128.0, 128.0)

Colour = tuple[float, ...]


def redact(image: Image.Image, blurs: Iterable[dict[str, Any]], *, within: Box | None = None) -> None:
    """Overwrite the rectangles of blurs, normalised operations, in place, rounded outwards to whole pixels.

    Their `mode` is `pixelate` (strength 1..100: larger blocks, fewer zones), `solid` (strength does not matter) or
    `gaussian`, which only softens: it is no redaction. It comes after the other two, wherever it stands: before them
    it would carry what they hide over their edges. `within` is the part of the picture that is kept, all if None.
    """
    boxes = [(_outward(image, each["geometry"]), each["style"]) for each in blurs]
    visible = _visible(image, [box for box, style in boxes if style["mode"] != "gaussian"], within)
    for box, style in boxes:
        if style["mode"] == "solid":
            image.paste(BAR, box)
        elif style["mode"] == "pixelate":
            image.paste(_mosaic(image, visible, box, style["strength"]), box)
    for box, style in boxes:
        if style["mode"] == "gaussian":
            radius = max(1.0, style["strength"] / 100 * _GAUSSIAN_SHARE * max(image.size))
            image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(radius)), box)


def _visible(image: Image.Image, hidden: list[Box], within: Box | None) -> Image.Image:
    """Return a mask of what nothing hides and no crop takes away."""
    mask = Image.new("L", image.size, 0)
    mask.paste(255, within or (0, 0, *image.size))
    for box in hidden:
        mask.paste(0, box)
    return mask


def _outward(image: Image.Image, rectangle: dict[str, float]) -> Box:
    left, top = floor(rectangle["x"] * image.width), floor(rectangle["y"] * image.height)
    right = ceil((rectangle["x"] + rectangle["width"]) * image.width)
    bottom = ceil((rectangle["y"] + rectangle["height"]) * image.height)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    return left, top, min(max(right, left + 1), image.width), min(max(bottom, top + 1), image.height)


def _mosaic(image: Image.Image, visible: Image.Image, box: Box, strength: float) -> Image.Image:
    width, height = box[2] - box[0], box[3] - box[1]
    block = _block_size(image, box, strength)
    columns, rows = ceil(width / block), ceil(height / block)
    tint = _zones(image, visible, box, strength).resize((columns, rows), Image.Resampling.BILINEAR)
    bright, blue, red = tint.split()
    speckle = Image.new("L", (columns, rows))
    speckle.putdata([_speckle(x, y) for y in range(rows) for x in range(columns)])
    speckled = ImageChops.add(bright, speckle, offset=-_SPECKLE // 2)
    blocks = Image.merge("YCbCr", (speckled, blue, red)).convert("RGB")
    large = blocks.resize((columns * block, rows * block), Image.Resampling.NEAREST)
    return large.crop((0, 0, width, height))


def _least(image: Image.Image) -> int:
    return max(_BLOCK_PIXELS, round(max(image.size) * _BLOCK_SHARE))


def _block_size(image: Image.Image, box: Box, strength: float) -> int:
    """Return the pixels along a block: from a tenth of the smaller side to half of it, with a minimum."""
    smaller = min(box[2] - box[0], box[3] - box[1])
    return max(_least(image), round(smaller * (0.1 + 0.4 * (strength - 1) / 99)))


def _zones(image: Image.Image, visible: Image.Image, box: Box, strength: float) -> Image.Image:
    """Return the colours of 1 x 1 to 3 x 3 zones as YCbCr, a pixel each: of the strips along the four sides, the
    nearer the more. Where nothing is visible along any side they are grey."""
    count = MAX_ZONES - int(strength >= 34) - int(strength >= 67)
    left, top, right, bottom = box
    deep = _least(image)
    xs = [left + (right - left) * i // count for i in range(count + 1)]
    ys = [top + (bottom - top) * i // count for i in range(count + 1)]

    def seen(x0: int, y0: int, x1: int, y1: int) -> Colour | None:
        return _average(image, visible, (x0, y0, x1, y1))

    above = [seen(x0, top - deep, x1, top) for x0, x1 in zip(xs, xs[1:], strict=False)]
    below = [seen(x0, bottom, x1, bottom + deep) for x0, x1 in zip(xs, xs[1:], strict=False)]
    before = [seen(left - deep, y0, left, y1) for y0, y1 in zip(ys, ys[1:], strict=False)]
    behind = [seen(right, y0, right + deep, y1) for y0, y1 in zip(ys, ys[1:], strict=False)]
    zones = Image.new("RGB", (count, count))
    for x in range(count):
        for y in range(count):
            sides = [(above[x], y), (below[x], count - 1 - y), (before[y], x), (behind[y], count - 1 - x)]
            zones.putpixel((x, y), _mixed([(colour, 1 / (far + 0.5)) for colour, far in sides if colour]))
    return zones.convert("YCbCr").point(
        [*map(_level, range(256)), *(_tone(value) for _ in "br" for value in range(256))]
    )


def _average(image: Image.Image, visible: Image.Image, box: Box) -> Colour | None:
    """Return the mean colour of what is visible in a box, which may reach out of the picture; None if nothing is."""
    inside = max(box[0], 0), max(box[1], 0), min(box[2], image.width), min(box[3], image.height)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return None
    mask = visible.crop(inside)
    return tuple(ImageStat.Stat(image.crop(inside), mask).mean) if mask.getbbox() else None


def _mixed(colours: list[tuple[Colour, float]]) -> tuple[int, ...]:
    """Return the mean of colours by their weights, in whole numbers."""
    if not colours:
        return tuple(map(round, _NOTHING_AROUND))
    total = sum(weight for _, weight in colours)
    return tuple(round(sum(colour[band] * weight for colour, weight in colours) / total) for band in range(3))


def _level(value: int) -> int:
    share = round(value * (_LEVELS - 1) / 255) / (_LEVELS - 1)
    return _DARKEST + round(share * (_LIGHTEST - _DARKEST))


def _tone(value: int) -> int:
    return 128 + round((value - 128) / _COLOUR_STEP) * _COLOUR_STEP


def _speckle(column: int, row: int) -> int:
    """Return a number from 0 to _SPECKLE, spread evenly and without visible order.

    The multipliers are large primes.
    """
    mixed = (column * 0x9E3779B1 ^ row * 0x85EBCA77) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    return (mixed ^ mixed >> 13) % (_SPECKLE + 1)
