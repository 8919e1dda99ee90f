"""Draw smooth shapes on a picture of any size, in little memory.

A shape is rasterised four times as large and averaged down, in tiles and only in those that it touches. All
parts of a shape go into one mask before any ink is laid, so that places where parts overlap are no darker
than others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import ceil, hypot
from typing import Protocol

from PIL import Image, ImageDraw

Point = tuple[float, float]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels, the last two exclusive."""

Ink = Callable[[Image.Image, Box, Image.Image], None]
"""A function that changes a picture inside a box, weighted by a mask of the box's size."""

TILE = 128
SCALE = 4
# After so many parts in a tile it is looked whether the tile is full.
_LOOK_EVERY = 16


class Part(Protocol):
    """A piece of a shape, in pixels of the picture."""

    def reach(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of what the part covers."""

    def reach_within(self, top: int, bottom: int) -> tuple[float, float]:
        """Return left and right of what the part covers between two rows of pixels."""

    def touches(self, box: Box) -> bool:
        """Return whether the part may cover something in the box."""

    def is_crisp(self, box: Box) -> bool:
        """Return whether all edges within the box run along whole pixels, so that they need no smoothing."""

    def draw(self, pen: ImageDraw.ImageDraw, origin: tuple[int, int], scale: int) -> None:
        """Fill the part with 255 on a tile that is `scale` times as large and begins at `origin` of the picture."""


@dataclass(frozen=True)
class Segment:
    """A straight stroke with round ends; a disc when both ends are the same."""

    start: Point
    end: Point
    radius: float

    def reach(self) -> tuple[float, float, float, float]:
        (x0, y0), (x1, y1), r = self.start, self.end, self.radius
        return min(x0, x1) - r, min(y0, y1) - r, max(x0, x1) + r, max(y0, y1) + r

    def reach_within(self, top: int, bottom: int) -> tuple[float, float]:
        """Return left and right of the piece of the stroke that may cover pixels of these rows."""
        (x0, y0), (x1, y1), room = self.start, self.end, self.radius + 2
        if y0 > y1:
            (x0, y0), (x1, y1) = (x1, y1), (x0, y0)
        if y1 - y0 > 1:
            begin = min(max((top - room - y0) / (y1 - y0), 0.0), 1.0)
            end = min(max((bottom + room - y0) / (y1 - y0), 0.0), 1.0)
            x0, x1 = x0 + (x1 - x0) * begin, x0 + (x1 - x0) * end
        return min(x0, x1) - room, max(x0, x1) + room

    def touches(self, box: Box) -> bool:
        """Return whether the box comes within the stroke's radius of the infinite line along its middle."""
        (x0, y0), (x1, y1) = self.start, self.end
        length = hypot(x1 - x0, y1 - y0)
        if not length:
            return True
        across_x, across_y = (y0 - y1) / length, (x1 - x0) / length
        width, height = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
        distance = abs((box[0] + width - x0) * across_x + (box[1] + height - y0) * across_y)
        return distance <= self.radius + 1 + abs(across_x) * width + abs(across_y) * height

    def is_crisp(self, box: Box) -> bool:
        return False

    def draw(self, pen: ImageDraw.ImageDraw, origin: tuple[int, int], scale: int) -> None:
        (x0, y0), (x1, y1) = _on_tile(self.start, origin, scale), _on_tile(self.end, origin, scale)
        r = self.radius * scale
        side = TILE * scale + 1
        for x, y in {(x0, y0), (x1, y1)}:
            if -r - 1 <= x <= side + r and -r - 1 <= y <= side + r:
                pen.ellipse([round(x - r), round(y - r), round(x + r), round(y + r)], fill=255)
        length = hypot(x1 - x0, y1 - y0)
        if length:
            across_x, across_y = (y0 - y1) / length * r, (x1 - x0) / length * r
            corners = [
                (x0 + across_x, y0 + across_y),
                (x1 + across_x, y1 + across_y),
                (x1 - across_x, y1 - across_y),
                (x0 - across_x, y0 - across_y),
            ]
            pen.polygon([(round(x), round(y)) for x, y in corners], fill=255)


@dataclass(frozen=True)
class Polygon:
    """A filled polygon with sharp corners. Segments along its edges make them round."""

    corners: tuple[Point, ...]

    def reach(self) -> tuple[float, float, float, float]:
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def reach_within(self, top: int, bottom: int) -> tuple[float, float]:
        left, _, right, _ = self.reach()
        return left, right

    def touches(self, box: Box) -> bool:
        return True

    def is_crisp(self, box: Box) -> bool:
        return False

    def draw(self, pen: ImageDraw.ImageDraw, origin: tuple[int, int], scale: int) -> None:
        corners = [_on_tile(corner, origin, scale) for corner in self.corners]
        pen.polygon([(round(x), round(y)) for x, y in corners], fill=255)


@dataclass(frozen=True)
class Panel:
    """A filled rectangle with round corners, or, with a `frame`, a band of that width inside its edge."""

    box: Box
    radius: float
    frame: int | None = None

    def reach(self) -> tuple[float, float, float, float]:
        return self.box

    def reach_within(self, top: int, bottom: int) -> tuple[float, float]:
        return self.box[0], self.box[2]

    def touches(self, box: Box) -> bool:
        if self.frame is None:
            return True
        left, top, right, bottom = self._inner(self.frame + ceil(self.radius))
        return not (box[0] >= left and box[1] >= top and box[2] <= right and box[3] <= bottom)

    def is_crisp(self, box: Box) -> bool:
        """Return whether the box is clear of the corners."""
        left, top, right, bottom = self._inner(ceil(self.radius))
        return (box[0] >= left and box[2] <= right) or (box[1] >= top and box[3] <= bottom)

    def draw(self, pen: ImageDraw.ImageDraw, origin: tuple[int, int], scale: int) -> None:
        for inset, value in ((0, 255), (self.frame or 0, 0 if self.frame else 255)):
            left, top, right, bottom = self._inner(inset)
            if right > left and bottom > top:
                radius = max(0, min(self.radius - inset, (right - left) / 2, (bottom - top) / 2))
                radius = 0 if scale == 1 else radius  # a crisp tile is clear of the corners, which take long
                x0, y0, x1, y1 = left - origin[0], top - origin[1], right - origin[0], bottom - origin[1]
                edges = (x0 * scale, y0 * scale, x1 * scale - 1, y1 * scale - 1)
                pen.rounded_rectangle(edges, radius=radius * scale, fill=value)

    def _inner(self, inset: int) -> Box:
        left, top, right, bottom = self.box
        return left + inset, top + inset, right - inset, bottom - inset


def paint(image: Image.Image, parts: Iterable[Part], ink: Ink) -> None:
    """Lay ink on the picture, in place, wherever any of the parts is."""
    tiles: dict[Box, list[Part]] = defaultdict(list)
    for part in parts:
        for tile in _tiles(image.size, part):
            if part.touches(tile):
                tiles[tile].append(part)
    for tile in sorted(tiles):
        scale = 1 if all(part.is_crisp(tile) for part in tiles[tile]) else SCALE
        mask = Image.new("L", ((tile[2] - tile[0]) * scale, (tile[3] - tile[1]) * scale))
        pen = ImageDraw.Draw(mask)
        for number, part in enumerate(tiles[tile], start=1):
            part.draw(pen, tile[:2], scale)
            if number % _LOOK_EVERY == 0 and mask.getextrema() == (255, 255):
                break  # parts only fill: nothing is left for the others
        if filled := mask.getbbox():
            # Most of a tile is often empty, and no ink need be laid there.
            left, top, right, bottom = _whole_pixels(filled, scale)
            small = mask.reduce(scale, box=(left * scale, top * scale, right * scale, bottom * scale))
            ink(image, (tile[0] + left, tile[1] + top, tile[0] + right, tile[1] + bottom), small)


def _whole_pixels(box: Box, scale: int) -> Box:
    """Return the pixels of a tile that a box of its mask, which is `scale` times as large, has a part of."""
    left, top, right, bottom = box
    return left // scale, top // scale, ceil(right / scale), ceil(bottom / scale)


def flat(colour: str, opacity: float = 1) -> Ink:
    """Return an ink that covers what is below."""
    thinned = [round(value * opacity) for value in range(256)]

    def lay(image: Image.Image, box: Box, mask: Image.Image) -> None:
        image.paste(colour, box, mask if opacity == 1 else mask.point(thinned))

    return lay


def _tiles(size: tuple[int, int], part: Part) -> Iterator[Box]:
    """Yield the tiles of a picture that a part may overlap, or would with one more pixel on each side."""
    reach = part.reach()
    top, bottom = max(0, int(reach[1]) - 1), min(size[1], int(reach[3]) + 2)
    for y in range(top // TILE * TILE, bottom, TILE):
        within = part.reach_within(y, y + TILE)
        left = max(0, int(max(reach[0], within[0])) - 1)
        right = min(size[0], int(min(reach[2], within[1])) + 2)
        for x in range(left // TILE * TILE, right, TILE):
            yield x, y, min(x + TILE, size[0]), min(y + TILE, size[1])


def _on_tile(point: Point, origin: tuple[int, int], scale: int) -> Point:
    """Return the point in pixels of the tile, half a pixel up and left: Pillow's coordinates are pixel centres."""
    return (point[0] - origin[0]) * scale - 0.5, (point[1] - origin[1]) * scale - 0.5
