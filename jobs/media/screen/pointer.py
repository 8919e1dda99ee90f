"""Where the mouse pointer is. What it looks like is learnt from the recording.

A moving pointer shows in one picture and is gone shortly after, when there is again what was there before: such a thing
that is small is taken for a pointer, and once it was seen at two places, it is looked for wherever something changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from jobs.media.screen.changes import Step, difference, parts_of
from jobs.media.screen.sampling import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

LOOK_AHEAD = 4
"""How many pictures before and after one are held against it."""

MAX_SIZE = 160  # pixels; some people have theirs drawn very large
_MIN_HEIGHT, _MIN_WIDTH = 6, 4
_MIN_PIXELS = 18
_MAX_SHAPES = 16
_MAX_PARTS = 12  # of a step in which a pointer is looked for that is not known
_STILL, _STILL_AS_OTHER = (
    2,
    6,
)  # pixels between two places that are one: another shape's tip is not known so well
_AGAIN = 0.3  # how much likelier it is to find the pointer where it was, as a share of pixels
_APART = 12  # pixels between two places, so that it is no thing that blinks
_LIKE_LEVELS = 48  # of a pixel of the pointer, which is drawn smoothly and compressed
_LIKE_SHARE = 0.78
_LARGE = 20_000  # pixels of a change, in which something may look like a pointer by chance
_SURELY_LIKE = 0.88
_SEARCHED = 400_000  # pixels of a change that are searched, else what is around the last place
_REACH = 300  # pixels
_ON_ITS_WAY_MS = 400  # after its last move a pointer may show as another shape elsewhere


@dataclass(eq=False)
class Shape:
    """What a pointer looks like: its pixels, where they count (255), and where its tip is in them."""

    pixels: Grey
    mask: Grey
    tip: tuple[int, int]
    places: int = 1
    last: Box | None = None

    @property
    def is_bar(self) -> bool:
        """Whether it is the bar that a pointer is over text and fields."""
        return _is_bar(self.mask > 0)

    @property
    def size(self) -> int:
        return max(self.pixels.shape)

    def seen(self, box: Box) -> None:
        """Take in that it was seen at a place."""
        last = self.last or box
        if hypot(last.left - box.left, last.top - box.top) >= _APART:
            self.places += 1
        self.last = box


@dataclass(frozen=True)
class Place:
    """Where the pointer is in a picture. `tip` is what it points with; `since_ms` is when it came there."""

    box: Box
    tip: tuple[int, int]
    since_ms: int
    is_moving: bool = False
    is_sure: bool = True
    shape: Shape | None = None


class Pointer:
    """Follows the pointer through the steps of a recording, in order."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.shapes: list[Shape] = []

    def reset(self) -> None:
        """Forget the place; the pictures that follow are of another size."""
        self.place = None

    def follow(self, step: Step, past: Sequence[Grey], future: Sequence[Grey]) -> Place | None:
        """Return where the pointer is after a step. `past` and `future` are the pictures around the one after the
        step, the nearest first, at most `LOOK_AHEAD` each."""
        place = self.place
        there = _still_at(step, place) if place else None
        if place and there and (not step.parts or (place.is_sure and self._known())):
            self.place = _nudged(place, there)
            return self.place
        has_left = place is not None and there is None
        found = self._search(step, place)
        is_on_its_way = place is None or has_left or step.after.at_ms - place.since_ms <= _ON_ITS_WAY_MS
        if found is None and (is_on_its_way or not self._known()):
            found = self._glimpse(step, past, future)
        if found is not None:
            box, shape = found
            shape.seen(box)
            tip = box.left + shape.tip[0], box.top + shape.tip[1]
            still = _STILL if place and place.shape is shape else _STILL_AS_OTHER
            moved = place is None or hypot(tip[0] - place.tip[0], tip[1] - place.tip[1]) > still
            since_ms = step.after.at_ms if moved or place is None else place.since_ms
            self.place = Place(box, tip, since_ms, is_moving=moved, shape=shape)
        elif place and has_left:
            self.place = self._guessed(step, place)
        elif place:
            self.place = _nudged(place, there or place.box)
        return self.place

    def _glimpse(self, step: Step, past: Sequence[Grey], future: Sequence[Grey]) -> tuple[Box, Shape] | None:
        """Return what shows for a moment only, and note its looks as those of a pointer."""
        small = [part.box for part in step.parts if _is_small(part.box) and part.pixels >= _MIN_PIXELS]
        if not small or len(step.parts) > _MAX_PARTS:
            return None
        low, high = self._usual_sizes()
        best: tuple[Box, Grey] | None = None
        best_pixels = 0
        for box in small:
            for before, after in zip(past, future, strict=False):
                seen = _momentary(before, step.after.grey, after, box.grown(8))
                if (
                    seen
                    and low <= max(seen[0].width, seen[0].height) <= high
                    and seen[2] > 1.05 * best_pixels
                ):
                    best, best_pixels = seen[:2], seen[2]
        if best is None:
            return None
        return best[0], self._learn(step.after.grey, *best)

    def _learn(self, picture: Grey, box: Box, mask: Grey) -> Shape:
        import numpy as np

        for shape in self.shapes:
            if _has_size_of(box, shape) and _matched(picture, shape, box.grown(4)):
                shape.seen(box)
                return shape
        if len(self.shapes) >= _MAX_SHAPES:
            self.shapes.remove(min(self.shapes[: _MAX_SHAPES // 2], key=lambda shape: shape.places))
        pixels = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
        self.shapes.append(Shape(pixels, mask, _tip_of(mask > 0), last=box))
        return self.shapes[-1]

    def _known(self) -> list[Shape]:
        """Return the shapes that were seen at several places, and are of the usual size if there is one."""
        low, high = self._usual_sizes()
        return [shape for shape in self.shapes if shape.places > 1 and low <= shape.size <= high]

    def _usual_sizes(self) -> tuple[float, float]:
        """Return how large a pointer is at least and at most: about as the one that was seen most."""
        usual = max(self.shapes, key=lambda shape: shape.places, default=None)
        if usual is None or usual.places < 5:
            return _MIN_HEIGHT, MAX_SIZE
        return usual.size / 2, usual.size * 2

    def _search(self, step: Step, place: Place | None) -> tuple[Box, Shape] | None:
        """Return where a known shape appeared in a step."""
        best, best_score = None, 0.0
        now = [place.shape] if place and place.shape and place.shape.places < 2 else []
        for shape in (*self._known(), *now):
            height, width = shape.pixels.shape
            for part in step.parts:
                around = part.box.grown(width, height)
                if part.box.area > _SEARCHED:
                    if place is None:
                        continue
                    around = place.box.grown(_REACH)
                found = _matched(step.after.grey, shape, around)
                if found is None or not _appeared(step, shape, found[0], place):
                    continue
                if part.box.area > _LARGE and found[1] < _SURELY_LIKE:
                    continue
                score = found[1] + 0.02 * min(shape.places, 10)
                x, y = found[0].left + shape.tip[0], found[0].top + shape.tip[1]
                if place and hypot(x - place.tip[0], y - place.tip[1]) <= _STILL_AS_OTHER:
                    score += _AGAIN
                if score > best_score:
                    best, best_score = (found[0], shape), score
        return best

    def _guessed(self, step: Step, place: Place) -> Place:
        """Return the place of a pointer that went and is of a shape not known: the nearest small change."""
        small = [part.box for part in step.parts if _is_small(part.box) and part.pixels >= _MIN_PIXELS]
        low, high = self._usual_sizes()
        if not small or not self._known() or not all(_is_small(part.box) for part in step.parts):
            return Place(place.box, place.tip, place.since_ms, is_sure=False, shape=place.shape)
        x, y = place.tip
        touching = [box for box in small if box.common(place.box).area > 0.3 * place.box.area]
        others = [box for box in small if box not in touching and low <= max(box.width, box.height) <= high]
        if others:
            box = min(others, key=lambda box: hypot(box.left - x, box.top - y))
            across, down = _tip_of(step.changed[box.top : box.bottom, box.left : box.right] > 0)
            tip = box.left + across, box.top + down
        elif touching:  # it moved by less than its size
            across, down = _shift(place.box, touching[0])
            box = Box(*(side + move for side, move in zip(place.box, (across, down) * 2, strict=True)))
            tip = x + across, y + down
        else:
            return Place(place.box, place.tip, place.since_ms, is_sure=False, shape=place.shape)
        return Place(box, tip, step.after.at_ms, is_moving=True, is_sure=False)


def _shift(old: Box, both: Box) -> tuple[int, int]:
    """Return how far a thing moved that was in one box, when another holds what it covers before and after."""
    across = min(0, both.left - old.left) or max(0, both.right - old.right)
    down = min(0, both.top - old.top) or max(0, both.bottom - old.bottom)
    return across, down


def _is_small(box: Box) -> bool:
    return _MIN_HEIGHT <= box.height <= MAX_SIZE and _MIN_WIDTH <= box.width <= MAX_SIZE


def _has_size_of(box: Box, shape: Shape) -> bool:
    height, width = shape.pixels.shape
    return abs(width - box.width) <= 6 and abs(height - box.height) <= 6


def _momentary(before: Grey, now: Grey, after: Grey, around: Box) -> tuple[Box, Grey, int] | None:
    """Return what is in a part of a picture and neither before nor after: its box, which pixels of it, how many."""
    import cv2
    import numpy as np

    if not before.shape == now.shape == after.shape:
        return None
    inside = around.common(Box(0, 0, now.shape[1], now.shape[0]))
    rows, columns = slice(inside.top, inside.bottom), slice(inside.left, inside.right)
    came = difference(before[rows, columns], now[rows, columns])
    went = difference(now[rows, columns], after[rows, columns])
    stays = difference(before[rows, columns], after[rows, columns])
    seen = np.asarray(cv2.bitwise_and(cv2.bitwise_and(came, went), cv2.bitwise_not(stays)), np.uint8)
    part = max(parts_of(seen), key=lambda part: part.pixels, default=None)
    if part is None or part.pixels < _MIN_PIXELS or not _is_small(part.box):
        return None
    box = part.box
    # Other things that changed there show that it is no pointer: a letter beside others that stay.
    other = np.count_nonzero(stays[box.top : box.bottom, box.left : box.right])
    if other > 0.2 * part.pixels:
        return None
    mask = np.ascontiguousarray(seen[box.top : box.bottom, box.left : box.right])
    shifted = Box(
        box.left + inside.left, box.top + inside.top, box.right + inside.left, box.bottom + inside.top
    )
    return shifted, mask, part.pixels


def _tip_of(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where a pointer's tip is: the middle of a bar for text, else its topmost pixel, as of an arrow or hand."""
    import numpy as np

    height, width = mask.shape
    if _is_bar(mask):
        return width // 2, height // 2
    rows = np.flatnonzero(mask.any(axis=1))
    return (int(np.flatnonzero(mask[rows[0]]).mean()), int(rows[0])) if len(rows) else (0, 0)


def _is_bar(mask: NDArray[np.bool_]) -> bool:
    import numpy as np

    height, width = mask.shape
    alike_across, alike_down = float(np.mean(mask == mask[:, ::-1])), float(np.mean(mask == mask[::-1]))
    return int(height) >= 1.6 * int(width) and alike_across > 0.8 and alike_down > 0.75


def _appeared(step: Step, shape: Shape, box: Box, place: Place | None) -> bool:
    """Return whether a shape that is found in the picture after a step came there in it, or is where it was."""
    import numpy as np

    changed = step.changed[box.top : box.bottom, box.left : box.right]
    pixels = np.count_nonzero(shape.mask)
    if np.count_nonzero(changed[shape.mask > 0]) >= 0.35 * pixels:
        return True
    return place is not None and place.box.common(box).area >= 0.5 * box.area


def _still_at(step: Step, place: Place) -> Box | None:
    """Return where the pointer still is, within a few pixels; None if it can no longer be seen there."""
    import numpy as np

    box = place.box.common(step.after.bounds)
    changed = step.changed[box.top : box.bottom, box.left : box.right]
    if place.shape is None or changed.shape != place.shape.mask.shape:
        return place.box if np.count_nonzero(changed) <= 0.1 * box.area else None
    pixels = np.count_nonzero(place.shape.mask)
    if np.count_nonzero(changed[place.shape.mask > 0]) < 0.1 * pixels:
        return place.box
    found = _matched(step.after.grey, place.shape, place.box.grown(2))
    return found[0] if found else None


def _nudged(place: Place, box: Box) -> Place:
    """Return a place with the pointer in another box, which is nearly the same."""
    tip = place.tip[0] + box.left - place.box.left, place.tip[1] + box.top - place.box.top
    return Place(box, tip, place.since_ms, is_sure=place.is_sure, shape=place.shape)


def _matched(picture: Grey, shape: Shape, around: Box) -> tuple[Box, float] | None:
    """Return where in a part of a picture a shape is, and which share of its pixels is alike; None if nowhere."""
    import cv2
    import numpy as np

    height, width = shape.pixels.shape
    inside = around.common(Box(0, 0, picture.shape[1], picture.shape[0]))
    if inside.width < width or inside.height < height:
        return None
    area = picture[inside.top : inside.bottom, inside.left : inside.right]
    distance = cv2.matchTemplate(area, shape.pixels, cv2.TM_SQDIFF, mask=shape.mask)
    _, _, (left, top), _ = cv2.minMaxLoc(distance)
    there = area[top : top + height, left : left + width].astype(np.int16)
    alike = np.abs(there - shape.pixels.astype(np.int16)) < _LIKE_LEVELS
    share = float(np.mean(alike[shape.mask > 0]))
    if share < _LIKE_SHARE:
        return None
    left, top = left + inside.left, top + inside.top
    return Box(left, top, left + width, top + height), share
