"""Windows, dialogs, menus and pages that open, told from those that close and from what only changes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.media.screen.changes import difference
from jobs.media.screen.frames import new_rectangle
from jobs.media.screen.runs import Run
from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

_COARSE = 16  # pixels of a block
_MIN_SHARE = 0.004  # of the picture
_MIN_WIDTH, _MIN_HEIGHT = 50, 34  # pixels
_PAGE_SHARE = 0.3
_MIN_CHANGED = 0.004  # of the pixels, when other content comes
_CONTENT_SHARE = 0.12
_SAME_AROUND = 0.6  # correlation of what is around the frame of what opened, though it may be dimmed
_LITTLE = 0.03  # of the frame's area
_LARGER_PARTS = 0.15  # of the largest one
_DENSE = 64  # of 255: how much of a block changes where a window covers what was there
_MIN_SIDES = 3
_SIDE_LEVELS, _SIDE_SHARE, _SIDE_PIXELS = 6, 0.6, 20  # of an edge, of its length, and how far it may be off
_LEVEL_STEP, _LEVEL_SHARE = 8, 0.01
_DIMMED_SHARE = 0.02  # of the picture that must change
_REMEMBERED = 6
_REMEMBERED_MS = 120_000
_FRAMED_BACK_SHARE = 0.05
_BACK_SHARE = 0.3  # of the pixels that changed may be other than before, when something closes


@dataclass(frozen=True)
class Opening:
    """What opened or closed: where, how much of the picture (0..1) it changed and how much it
    covers (`area`), and whether it has edges of its own."""

    box: Box
    share: float
    area: float = 0.0
    is_closing: bool = False
    is_framed: bool = False

    @property
    def is_window(self) -> bool:
        """Whether it looks like something that opened, and not like a part that only changed."""
        return not self.is_closing and (self.is_framed or self.share >= _CONTENT_SHARE)

    @property
    def is_page(self) -> bool:
        return self.share >= _PAGE_SHARE


class Windows:
    """Remembers what the screen showed before each opening."""

    def __init__(self) -> None:
        self._before: deque[tuple[int, Grey]] = deque(maxlen=_REMEMBERED)

    def seen_in(self, run: Run) -> Opening | None:
        """Return what opened or closed in a run; None when too little changed for a window."""
        import numpy as np

        before, settled = run.before, run.settled or run.before
        if before.grey.shape != settled.grey.shape:
            self._before.clear()
            return Opening(settled.bounds, 1.0, 1.0)
        changed = difference(before.grey, settled.grey)
        for place in (run.place, run.place_after):
            if place:
                pointer = place.box.grown(4).common(before.bounds)
                changed[pointer.top : pointer.bottom, pointer.left : pointer.right] = 0
        changed = _only_in([part.box.grown(8) for _, part in run.parts], changed)
        share = float(np.count_nonzero(changed)) / changed.size
        box, is_framed = _opened(before.grey, settled.grey, _undimmed(before.grey, settled.grey, changed))
        if box is None or (share < _MIN_CHANGED and not is_framed):
            return None
        covered = max(share, box.area / changed.size)
        is_closing = self._is_back(settled, changed, box, _FRAMED_BACK_SHARE if is_framed else _BACK_SHARE)
        if not is_closing:
            self._before.append((before.at_ms, before.grey))
        return Opening(box, min(1.0, covered), box.area / changed.size, is_closing, is_framed)

    def _is_back(self, settled: Sample, changed: Grey, box: Box, most: float) -> bool:
        """Return whether a part of the screen shows again what it did before an earlier opening. At most so much of
        what changed may be other than then."""
        import numpy as np

        at_ms, now = settled.at_ms, settled.grey
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        pixels = np.count_nonzero(changed[rows, columns])
        for before_ms, before in reversed(self._before):
            if before.shape != now.shape or at_ms - before_ms > _REMEMBERED_MS:
                continue
            other = np.count_nonzero(difference(before[rows, columns], now[rows, columns]))
            if other <= most * pixels:
                return True
        return False


def _only_in(boxes: list[Box], changed: Grey) -> Grey:
    """Return what changed in these boxes: elsewhere it is what changes all the time, or was typed."""
    import numpy as np

    kept = np.zeros_like(changed)
    for box in boxes:
        inside = box.common(Box(0, 0, changed.shape[1], changed.shape[0]))
        rows, columns = slice(inside.top, inside.bottom), slice(inside.left, inside.right)
        kept[rows, columns] = changed[rows, columns]
    return kept


def _opened(before: Grey, after: Grey, changed: Grey) -> tuple[Box | None, bool]:
    """Return the box of what opened, and whether it has edges: first looked for as a frame, then where
    nearly all changed."""

    rectangle = new_rectangle(before, after)
    is_large = rectangle is not None and rectangle.area >= _MIN_SHARE * changed.size
    if rectangle and is_large and _is_same_around(before, after, changed, rectangle):
        return rectangle, True
    for least in (_DENSE, 4):
        box = _largest(changed, least)
        if box is None or box.area < _MIN_SHARE * changed.size:
            continue
        if box.width < _MIN_WIDTH or box.height < _MIN_HEIGHT:
            continue
        framed = _framed(before, after, box)
        if framed or least < _DENSE:
            return framed or box, framed is not None
    return None, False


def _is_same_around(before: Grey, after: Grey, changed: Grey, box: Box) -> bool:
    """Return whether what changed around a box still shows the same, if darker or lighter; else another page came."""
    import cv2
    import numpy as np

    around = changed.copy()
    inside = box.grown(4).common(Box(0, 0, changed.shape[1], changed.shape[0]))
    around[inside.top : inside.bottom, inside.left : inside.right] = 0
    places = cv2.dilate(around, np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(places) < _LITTLE * box.area:
        return True
    details = []
    for picture in (before, after):
        light = picture.astype(np.float32)
        details.append((light - cv2.blur(light, (15, 15)))[places])
    first, second = details
    size = float(np.sqrt(np.dot(first, first) * np.dot(second, second)))
    return not size or float(np.dot(first, second)) / size >= _SAME_AROUND


def _framed(before: Grey, after: Grey, box: Box) -> Box | None:
    """Return a box drawn in or out to the edges that came with it, None with fewer than three. The picture's own edges
    count, but not for all of it."""
    height, width = after.shape
    sides = list(box)
    count = own = 0
    for place, (at, most) in enumerate(zip(box, (width, height, width, height), strict=True)):
        if at <= 2 or at >= most - 2:
            own += 1
            continue
        span = slice(box.left, box.right) if place % 2 else slice(box.top, box.bottom)
        low, high = max(0, at - _SIDE_PIXELS - 1), min(most, at + _SIDE_PIXELS + 1)
        near = slice(low, high)
        now, then = (
            _edges(picture[near, span] if place % 2 else picture[span, near].T) for picture in (after, before)
        )
        if not len(now):
            continue
        fitting = [
            at for at, share in enumerate(now) if share >= _SIDE_SHARE and share - then[at] >= _SIDE_SHARE / 2
        ]
        if fitting:
            count += 1
            sides[place] = low + 1 + (fitting[0] if place < 2 else fitting[-1])
    framed = Box(*sides)
    is_sound = framed.width >= _MIN_WIDTH and framed.height >= _MIN_HEIGHT // 2
    return framed if count >= 2 and count + own >= _MIN_SIDES and is_sound else None


def _edges(rows: Grey) -> NDArray[np.float64]:
    """Return for each two rows which share of their pixels differ."""
    import numpy as np

    if rows.shape[0] < 2 or rows.shape[1] < 1:
        return np.zeros(0)
    return np.asarray((np.abs(np.diff(rows.astype(np.int16), axis=0)) >= _SIDE_LEVELS).mean(axis=1), float)


def _undimmed(before: Grey, after: Grey, changed: Grey) -> Grey:
    """Return what changed, without what only became darker or lighter all over, as behind a dialog."""
    import numpy as np

    if np.count_nonzero(changed) < _DIMMED_SHARE * changed.size:
        return changed
    first, second = before[changed > 0], after[changed > 0]
    levels, medians = [], []
    for level in range(0, 256, _LEVEL_STEP):
        there = second[(first >= level) & (first < level + _LEVEL_STEP)]
        if len(there) >= _LEVEL_SHARE * len(first):
            levels.append(level + _LEVEL_STEP // 2)
            medians.append(float(np.median(there)))
    if not levels or any(later < earlier - 2 for earlier, later in pairwise(medians)):
        return changed  # what was lighter than another thing is so no more
    expected = np.interp(np.arange(256), levels, medians).astype(np.uint8)[before]
    other = np.where(changed > 0, difference(expected, after), 0).astype(np.uint8)
    is_dimmed = np.count_nonzero(other) < 0.5 * np.count_nonzero(changed)
    return other if is_dimmed else changed


def _largest(changed: Grey, least: int) -> Box | None:
    """Return the largest of the parts that changed, made of blocks that changed by at least so much, of 255. With
    little, it is the box around all larger parts."""
    import cv2
    import numpy as np

    height, width = changed.shape
    down, across = max(1, height // _COARSE), max(1, width // _COARSE)
    means = cv2.resize(changed, (across, down), interpolation=cv2.INTER_AREA)
    blocks = (means >= least).astype(np.uint8)
    if least < _DENSE:
        blocks = np.asarray(cv2.dilate(blocks, np.ones((3, 3), np.uint8)), np.uint8)
    number, labels, stats, _ = cv2.connectedComponentsWithStats(blocks)
    if number < 2:
        return None
    areas = stats[1:number, cv2.CC_STAT_AREA]
    least_area = areas.max() if least >= _DENSE else _LARGER_PARTS * areas.max()
    chosen = np.isin(labels, 1 + np.flatnonzero(areas >= least_area)).astype(np.uint8)
    mask = cv2.resize(chosen, (width, height), interpolation=cv2.INTER_NEAREST)
    left, top, wide, high = cv2.boundingRect(np.where(mask > 0, changed, 0).astype(np.uint8))
    return Box(left, top, left + wide, top + high) if wide and high else None
