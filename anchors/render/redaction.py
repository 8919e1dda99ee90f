"""Make parts of a picture unreadable.

Of what lies under a bar nothing is left in the file, and of what lies under a mosaic a few coarse averages. A
mosaic that averages every block can be undone by drawing candidate texts and comparing. Here the blocks only
look like that: they are coloured from at most 3 x 3 averages of large zones, rounded to a few levels, and
speckled by a pattern that depends only on their place.
"""

from __future__ import annotations

from math import ceil, floor

from PIL import Image, ImageChops, ImageFilter

from anchors.render.canvas import Box

BAR = "#4B5563"
"""The colour of a bar, visible on light and dark. It is always the same, as a colour taken from the picture
would give information about it."""

MAX_ZONES = 3
_ZONE_PIXELS, _ZONE_SHARE = 48, 1 / 24
_BLOCK_PIXELS, _BLOCK_SHARE = 8, 1 / 120

# Brightness comes in 8 levels from 40 to 224, to leave a margin for the speckle, colour in
# steps of 32 around grey.
_LEVELS, _DARKEST, _LIGHTEST = 8, 40, 224
_COLOUR_STEP = 32
_SPECKLE = 28
_GAUSSIAN_SHARE = 0.02


def redact(image: Image.Image, geometry: dict[str, float], *, mode: str, strength: float) -> None:
    """Overwrite a rectangle of the picture, in place, rounded outwards to whole pixels.

    `mode` is `pixelate` (strength 1..100: larger blocks, fewer zones), `solid` (strength does not matter) or
    `gaussian`, which only softens: it is no redaction.
    """
    box = _outward(image, geometry)
    if mode == "solid":
        image.paste(BAR, box)
    elif mode == "pixelate":
        image.paste(_mosaic(image, box, strength), box)
    else:
        radius = max(1.0, strength / 100 * _GAUSSIAN_SHARE * max(image.size))
        image.paste(image.crop(box).filter(ImageFilter.GaussianBlur(radius)), box)


def _outward(image: Image.Image, rectangle: dict[str, float]) -> Box:
    left, top = floor(rectangle["x"] * image.width), floor(rectangle["y"] * image.height)
    right = ceil((rectangle["x"] + rectangle["width"]) * image.width)
    bottom = ceil((rectangle["y"] + rectangle["height"]) * image.height)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    return left, top, min(max(right, left + 1), image.width), min(max(bottom, top + 1), image.height)


def _mosaic(image: Image.Image, box: Box, strength: float) -> Image.Image:
    width, height = box[2] - box[0], box[3] - box[1]
    block = _block_size(image, box, strength)
    columns, rows = ceil(width / block), ceil(height / block)
    tint = _zones(image, box, strength).resize((columns, rows), Image.Resampling.BILINEAR)
    bright, blue, red = tint.split()
    speckle = Image.new("L", (columns, rows))
    speckle.putdata([_speckle(x, y) for y in range(rows) for x in range(columns)])
    speckled = ImageChops.add(bright, speckle, offset=-_SPECKLE // 2)
    blocks = Image.merge("YCbCr", (speckled, blue, red)).convert("RGB")
    large = blocks.resize((columns * block, rows * block), Image.Resampling.NEAREST)
    return large.crop((0, 0, width, height))


def _block_size(image: Image.Image, box: Box, strength: float) -> int:
    """Return the pixels along a block: from a tenth of the smaller side to half of it, with a minimum."""
    smaller = min(box[2] - box[0], box[3] - box[1])
    least = max(_BLOCK_PIXELS, round(max(image.size) * _BLOCK_SHARE))
    return max(least, round(smaller * (0.1 + 0.4 * (strength - 1) / 99)))


def _zones(image: Image.Image, box: Box, strength: float) -> Image.Image:
    """Return the averages as YCbCr, a pixel each.

    Zones are much larger than letters. If the rectangle is small, they extend into what stays visible.
    """
    least = max(_ZONE_PIXELS, round(max(image.size) * _ZONE_SHARE))
    left, right = _at_least(box[0], box[2], least, image.width)
    top, bottom = _at_least(box[1], box[3], least, image.height)
    most = MAX_ZONES - int(strength >= 34) - int(strength >= 67)
    count = min(most, (right - left) // least) or 1, min(most, (bottom - top) // least) or 1
    averages = image.resize(count, Image.Resampling.BOX, box=(left, top, right, bottom)).convert("YCbCr")
    return averages.point([*map(_level, range(256)), *(_tone(value) for _ in "br" for value in range(256))])


def _level(value: int) -> int:
    share = round(value * (_LEVELS - 1) / 255) / (_LEVELS - 1)
    return _DARKEST + round(share * (_LIGHTEST - _DARKEST))


def _tone(value: int) -> int:
    return 128 + round((value - 128) / _COLOUR_STEP) * _COLOUR_STEP


def _at_least(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    missing = max(0, length - (end - start))
    start = max(0, min(start - missing // 2, limit - length))
    return start, min(limit, max(end, start + length))


def _speckle(column: int, row: int) -> int:
    """Return a number from 0 to _SPECKLE, spread evenly and without visible order.

    The multipliers are large primes.
    """
    mixed = (column * 0x9E3779B1 ^ row * 0x85EBCA77) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    return (mixed ^ mixed >> 13) % (_SPECKLE + 1)
