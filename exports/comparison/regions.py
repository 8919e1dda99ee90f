"""Rectangles of a picture, and how many of them become few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exports.comparison.changes import Region

MAX_REGIONS = 8
"""Of one picture. More are joined, those first that lie closest together."""

_DIGITS = 4


class Box(NamedTuple):
    """A rectangle in pixels; `right` and `bottom` lie outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def joined(self, other: Box) -> Box:
        """Return the smallest rectangle around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def touches(self, other: Box) -> bool:
        """Return whether the two have a point in common, their edges included."""
        across = self.left <= other.right and other.left <= self.right
        return across and self.top <= other.bottom and other.top <= self.bottom


def few(boxes: Iterable[Box]) -> list[Box]:
    """Return rectangles that do not touch one another, `MAX_REGIONS` at most, which cover the given ones; in the order
    of reading, from the top."""
    kept = list(boxes)
    while pair := _next_pair(kept):
        first, second = pair
        kept = [box for place, box in enumerate(kept) if place not in pair] + [
            kept[first].joined(kept[second])
        ]
    return sorted(kept, key=lambda box: (box.top, box.left))


def _next_pair(boxes: list[Box]) -> tuple[int, int] | None:
    """Return the places of two that touch; else, of too many, of the two that waste least area when they are joined."""
    best: tuple[int, tuple[int, int]] | None = None
    for second in range(1, len(boxes)):
        for first in range(second):
            if boxes[first].touches(boxes[second]):
                return first, second
            waste = boxes[first].joined(boxes[second]).area - boxes[first].area - boxes[second].area
            if best is None or waste < best[0]:
                best = waste, (first, second)
    return best[1] if best and len(boxes) > MAX_REGIONS else None


def as_region(box: Box, size: tuple[int, int]) -> Region:
    """Return a rectangle of a picture of this size as shares, each rounded to four digits, inside of the picture."""
    width, height = size
    x, y = round(box.left / width, _DIGITS), round(box.top / height, _DIGITS)
    return Region(
        x,
        y,
        round(min(box.right / width, 1.0) - x, _DIGITS),
        round(min(box.bottom / height, 1.0) - y, _DIGITS),
    )
