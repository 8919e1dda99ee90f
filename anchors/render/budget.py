"""How much work operations are on a picture of a size: found before anything is drawn, from numbers alone.

A unit is about 10 ns of one core: what it takes to lay flat ink on a pixel. The weights were measured on pictures of
1920 x 1080, 3840 x 2160 and 7000 x 5000, each with the operations that cost most for what they ask: what is just
allowed takes 0.4 to 5.5 s of one core, with decoding and encoding. Some that nobody draws are overrated threefold,
such as a thick stroke that covers the whole picture many times over.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from anchors.render.canvas import TILE
from anchors.render.checks import OperationsInvalid
from anchors.render.lettering import fineness, type_size

MAX_WORK = 500_000_000
"""The most work of one request, in pixels: some five seconds, decoding and encoding included. Fifty operations that
people draw on a picture of 3840 x 2160 need a tenth of it, one blur of the whole picture too."""

Size = tuple[int, int]
Fields = dict[str, Any]

# Of each pixel: to decode and encode it, and what is drawn on it. Of a mosaic, what is looked at around it.
_BARE, _GAUSSIAN, _MARKER, _MOSAIC, _AREA = 3.5, 8, 3, 1.3, 1
_TEXT, _BADGE = 3.5, 10.5
_AROUND = 300_000
# A piece of a stroke in a tile, the discs at the ends of thick ones by the share of a tile that they cover, a tile of
# any shape, a round corner by its tiles across; a character that the first
# font may lack, for which others are asked, and a character by the length of its text, which is measured where it may
# be broken.
_PIECE, _TILE, _CORNER = 2_000, 30_000, 25_000
_DISC = 4 * _PIECE
_FOREIGN, _CHARACTER = 300_000, 1_200


def check_work(operations: list[dict[str, Any]], size: Size) -> None:
    """Raise OperationsInvalid, code `too_complex`, when normalised operations are over `MAX_WORK` for the size."""
    work = predicted_work(operations, size)
    if work > MAX_WORK:
        message = (
            f"On {size[0]} x {size[1]} pixels these operations are the work of {work / 1e6:,.0f} million pixels, "
            f"and {MAX_WORK / 1e6:.0f} million is the most."
        )
        hint = "Draw fewer at once, smaller ones, or with fewer points."
        raise OperationsInvalid(
            [{"field": "operations", "code": "too_complex", "message": message, "hint": hint}]
        )


def predicted_work(operations: list[dict[str, Any]], size: Size) -> float:
    """Return the work of normalised operations on a picture of a size, with its decoding and encoding."""
    drawn = sum(_WORK[each["op_type"]](each["geometry"], each["style"], size) for each in operations)
    return _BARE * size[0] * size[1] + drawn


def _area(geometry: Fields, size: Size) -> float:
    return (geometry["width"] * size[0] + 1) * (geometry["height"] * size[1] + 1)


def _blur(geometry: Fields, style: Fields, size: Size) -> float:
    weight = {"gaussian": _GAUSSIAN, "pixelate": _MOSAIC, "solid": _AREA}[style["mode"]]
    return _area(geometry, size) * weight + (_AROUND if style["mode"] == "pixelate" else 0)


def _arrow(geometry: Fields, style: Fields, size: Size) -> float:
    """Twice: with its halo and without."""
    width = _tiles_across(style, size)
    shaft = (_way([geometry["from"], geometry["to"]], size) + 1) * (width + 1.5)
    return 2 * (shaft + (5 * width + 1) ** 2) * (_TILE + 6 * _PIECE)


def _marker(geometry: Fields, style: Fields, size: Size) -> float:
    if "points" in geometry:
        return _stroke(geometry, style, size)
    return _area(geometry, size) * _MARKER + _TILE


def _stroke(geometry: Fields, style: Fields, size: Size) -> float:
    points, thick = geometry["points"], _tiles_across(style, size)
    width = thick + 1.5
    way = _way(points, size)
    tiles = min((size[0] / TILE + 1) * (size[1] / TILE + 1), (way + 2) * (width + 1))
    ends = len(points) * (thick + 1) ** 2 * (_PIECE + _DISC * min(thick, 1))
    return way * width * (1 + thick) * _PIECE + ends + tiles * _TILE


def _box(geometry: Fields, style: Fields, size: Size) -> float:
    width = _tiles_across(style, size)
    around = 2 * (geometry["width"] * size[0] + geometry["height"] * size[1]) / TILE + 4
    corner = style["radius"] * max(size) / TILE + width / 3 + 1
    return around * (width + 1.5) * _TILE + 4 * corner**4 * _CORNER


def _text(geometry: Fields, style: Fields, size: Size) -> float:
    high = type_size(size, style["size"])
    inked = min(len(style["text"]) * high**2, size[0] * size[1])
    return _characters(style["text"]) + inked * (
        _TEXT * fineness(high) ** 2 + (style["background"] is not None)
    )


def _badge(geometry: Fields, style: Fields, size: Size) -> float:
    across = min(style["size"] * max(size), min(size))
    return _BADGE * across**2 + 8 * _TILE + _characters(style["label"])


def _crop(geometry: Fields, style: Fields, size: Size) -> float:
    return _area(geometry, size)


def _tiles_across(style: Fields, size: Size) -> float:
    return style["thickness"] * max(size) / TILE


def _way(points: Iterable[Fields], size: Size) -> float:
    """Return how long a line is, across and down, in tiles."""
    across, down = size[0] / TILE, size[1] / TILE
    return sum(
        abs(one["x"] - two["x"]) * across + abs(one["y"] - two["y"]) * down for one, two in pairwise(points)
    )


def _characters(text: str) -> float:
    return _CHARACTER * len(text) ** 2 + _FOREIGN * sum(
        1 for character in set(text) if not character.isascii()
    )


_WORK = {
    "blur": _blur, "arrow": _arrow, "marker": _marker, "pencil": _stroke, "box": _box, "text": _text,
    "badge": _badge, "crop": _crop,
}  # fmt: skip
