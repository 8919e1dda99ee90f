"""Where the mouse pointer is. What it looks like is learnt from the recording.

A moving pointer shows in one picture and is gone shortly after, when there is again what was there before: such a thing
that is small is taken for a pointer, and once it was seen at two places, it is looked for wherever something changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import TYPE_CHECKING

from jobs.media.screen.changes import Step, difference, parts_of
from jobs.media.screen.sampling import Box
from jobs.media.screen.shapes import (
    MAX_SIZE,
    MIN_HEIGHT,
    MIN_PIXELS,
    Shape,
    has_size_of,
    is_small,
    matched,
    momentary,
    tip_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

LOOK_AHEAD = 4
"""How many pictures before and after one are held against it."""

_MAX_SHAPES = 16
_MAX_AREAS = 3
_VIEWS = 12  # of a shape, until it is known what all of it looks like
_MORE = 1.1  # times the pixels
_SIZES = 1.6  # times the size, by which pointers of one look differ
_REMEMBERED = 10  # pictures
_MAX_PARTS = 8  # of a step in which a pointer is looked for that is not known
_STILL = 2  # pixels that are no move
_STILL_AS_OTHER = 12  # the same from one shape to another, whose tips are not known so well
_AGAIN = 0.3  # how much likelier it is to find the pointer where it was, as a share of pixels
_LARGE = 20_000  # pixels of a change, in which something may look like a pointer by chance
_SURELY_LIKE = 0.88
_SEARCHED = 400_000  # pixels of a change that are searched, else what is around the last place
_REACH = 300  # pixels
_ON_ITS_WAY_MS = 400  # after its last move a pointer may show as another shape elsewhere


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
        self._seen: deque[tuple[Grey, Box]] = deque(maxlen=_REMEMBERED)

    def reset(self) -> None:
        """Forget the place; the pictures that follow are of another size."""
        self.place = None
        self._seen.clear()

    def follow(self, step: Step, past: Sequence[Grey], future: Sequence[Grey]) -> Place | None:
        """Return where the pointer is after a step. `past` and `future` are the pictures around the one after the
        step, the nearest first, at most `LOOK_AHEAD` each."""
        place = self._followed(step, past, future)
        if place:
            self._seen.append((step.after.grey, place.box))
        return place

    def stay(self) -> Place | None:
        """Return where the pointer is after a step that only scrolls: where it was."""
        place = self.place
        self.place = place and _nudged(place, place.box)
        return self.place

    def _followed(self, step: Step, past: Sequence[Grey], future: Sequence[Grey]) -> Place | None:
        place = self.place
        there = _still_at(step, place) if place else None
        is_known = place is not None and place.is_sure and place.shape in self.known()
        if place and there and (is_known or not step.parts):
            is_alone = all(place.box.grown(_STILL_AS_OTHER).holds(*part.box[:2]) for part in step.parts)
            self.place = _nudged(place, there)
            if there != place.box and is_alone:  # it still moves, slowly
                self.place = replace(self.place, since_ms=step.after.at_ms)
            return self.place
        has_left = place is not None and there is None
        found = self._search(step, place)
        found = found and self._refined(found, step, past, future)
        is_on_its_way = place is None or has_left or step.after.at_ms - place.since_ms <= _ON_ITS_WAY_MS
        if found is None and (is_on_its_way or not self.known()):
            found = self._glimpse(step, past, future)
        if found is None and place and has_left and self.known():
            found = self._uncovered(step, place)
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
        """Return what shows for a moment only, and note its looks as those of a pointer. Before any pointer is known,
        it is that only when it is seen again elsewhere."""
        is_first = not self.known()
        seen = self._seen_shortly(step, past, future)
        shapes = [(box, self._learn(step.after.grey, box, mask)) for box, mask, _ in seen]
        if is_first:
            shapes = [(box, shape) for box, shape in shapes if shape.is_known]
        if not shapes:
            return None
        if self.place is None:
            return max(shapes, key=lambda found: found[1].places)
        x, y = self.place.tip
        near = [found for found in shapes if found[1].is_known or found[0].distance(x, y) <= _REACH]
        return min(near, key=lambda found: found[0].distance(x, y), default=None)

    def _refined(
        self, found: tuple[Box, Shape], step: Step, past: Sequence[Grey], future: Sequence[Grey]
    ) -> tuple[Box, Shape]:
        """Return what was found, after a better look at it: what was learnt first may have been a part only."""
        box, shape = found
        shape.views += 1
        if shape.views > _VIEWS:
            return found
        for wider, mask, pixels in self._seen_shortly(step, past, future):
            is_same = wider.grown(2).common(box).area >= 0.8 * box.area
            is_more = pixels > _MORE * shape.size_in_pixels
            if is_same and is_more and max(wider.width, wider.height) <= 2 * shape.size:
                shape.look_again(step.after.grey, wider, mask)
                return wider, shape
        return found

    def _seen_shortly(
        self, step: Step, past: Sequence[Grey], future: Sequence[Grey]
    ) -> list[tuple[Box, Grey, int]]:
        """Return the boxes of what shows for a moment only, which of their pixels do, and how many."""
        small = [part.box for part in step.parts if is_small(part.box) and part.pixels >= MIN_PIXELS]
        if not small or len(step.parts) > _MAX_PARTS:
            return []
        low, high = self._usual_sizes()
        found = []
        for box in small:
            best: tuple[Box, Grey, int] | None = None
            for before, after in zip(past, future, strict=False):
                seen = momentary(before, step.after.grey, after, box.grown(8))
                if seen is None or not low <= max(seen[0].width, seen[0].height) <= high:
                    continue
                if best is None or seen[2] > _MORE * best[2]:
                    best = seen
            if best:
                found.append(best)
        return found

    def _uncovered(self, step: Step, place: Place) -> tuple[Box, Shape] | None:
        """Return what stands where something small changed, and was not there when the pointer was elsewhere."""
        x, y = place.tip
        low, high = self._usual_sizes()
        areas = [part.box.grown(6) for part in step.parts if is_small(part.box) and part.pixels >= MIN_PIXELS]
        reach = _REACH if all(is_small(part.box) for part in step.parts) else MAX_SIZE
        areas = [area for area in areas if area.distance(x, y) <= reach]
        for area in sorted(areas, key=lambda area: area.distance(x, y))[:_MAX_AREAS]:
            inside = area.common(step.after.bounds)
            before = next(
                (grey for grey, box in reversed(self._seen) if not box.grown(3).common(inside).area), None
            )
            if before is None or before.shape != step.changed.shape:
                continue
            rows, columns = slice(inside.top, inside.bottom), slice(inside.left, inside.right)
            other = difference(before[rows, columns], step.after.grey[rows, columns])
            part = max(parts_of(other), key=lambda part: part.pixels, default=None)
            if part is None or part.pixels < MIN_PIXELS or not is_small(part.box):
                continue
            if not low <= max(part.box.width, part.box.height) <= high:
                continue
            mask = other[part.box.top : part.box.bottom, part.box.left : part.box.right]
            box = part.box.moved(inside.left, inside.top)
            return box, self._learn(step.after.grey, box, mask)
        return None

    def _learn(self, picture: Grey, box: Box, mask: Grey) -> Shape:
        import numpy as np

        for shape in self.shapes:
            if has_size_of(box, shape) and matched(picture, shape, box.grown(4)):
                shape.seen(box)
                return shape
        if len(self.shapes) >= _MAX_SHAPES:
            self.shapes.remove(min(self.shapes[: _MAX_SHAPES // 2], key=lambda shape: shape.places))
        pixels = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
        self.shapes.append(Shape(pixels, mask, tip_of(mask > 0), last=box, reach=box))
        return self.shapes[-1]

    def known(self) -> list[Shape]:
        """Return the shapes that were seen at several places, and are of the usual size if there is one."""
        low, high = self._usual_sizes()
        return [shape for shape in self.shapes if shape.is_known and low <= shape.size <= high]

    def _usual_sizes(self) -> tuple[float, float]:
        """Return how large a pointer is at least and at most: about as the one that was seen most."""
        usual = max(self.shapes, key=lambda shape: shape.places, default=None)
        if usual is None or usual.places < 5:
            return MIN_HEIGHT, MAX_SIZE
        return usual.size / _SIZES, usual.size * _SIZES

    def _search(self, step: Step, place: Place | None) -> tuple[Box, Shape] | None:
        """Return where a known shape appeared in a step."""
        best, best_score = None, 0.0
        now = [place.shape] if place and place.shape and not place.shape.is_known else []
        for shape in (*self.known(), *now):
            height, width = shape.pixels.shape
            for part in step.parts:
                around = part.box.grown(width, height)
                if part.box.area > _SEARCHED:
                    if place is None:
                        continue
                    around = place.box.grown(_REACH)
                found = matched(step.after.grey, shape, around)
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
        small = [part.box for part in step.parts if is_small(part.box) and part.pixels >= MIN_PIXELS]
        low, high = self._usual_sizes()
        if not small or not self.known() or not all(is_small(part.box) for part in step.parts):
            return Place(place.box, place.tip, place.since_ms, is_sure=False, shape=place.shape)
        x, y = place.tip
        touching = [box for box in small if box.common(place.box).area > 0.3 * place.box.area]
        others = [box for box in small if box not in touching and low <= max(box.width, box.height) <= high]
        if others:
            box = min(others, key=lambda box: hypot(box.left - x, box.top - y))
            across, down = tip_of(step.changed[box.top : box.bottom, box.left : box.right] > 0)
            tip = box.left + across, box.top + down
        elif touching:  # it moved by less than its size
            across, down = _shift(place.box, touching[0])
            box = place.box.moved(across, down)
            tip = x + across, y + down
        else:
            return Place(place.box, place.tip, place.since_ms, is_sure=False, shape=place.shape)
        return Place(box, tip, step.after.at_ms, is_moving=True, is_sure=False)


def _shift(old: Box, both: Box) -> tuple[int, int]:
    """Return how far a thing moved that was in one box, when another holds what it covers before and after."""
    across = min(0, both.left - old.left) or max(0, both.right - old.right)
    down = min(0, both.top - old.top) or max(0, both.bottom - old.bottom)
    return across, down


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
    found = matched(step.after.grey, place.shape, place.box.grown(2))
    return found[0] if found else None


def _nudged(place: Place, box: Box) -> Place:
    """Return a place with the pointer in another box, which is nearly the same."""
    tip = place.tip[0] + box.left - place.box.left, place.tip[1] + box.top - place.box.top
    return Place(box, tip, place.since_ms, is_sure=place.is_sure, shape=place.shape)
