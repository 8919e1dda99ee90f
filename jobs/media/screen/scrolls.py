"""Scrolling: a large part of the screen that shows the same a little higher or lower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.media.screen.changes import Step, difference
from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGE_SHARE = 0.1
_MIN_SAME, _MIN_INK = 0.55, 150  # of the pixels that changed, and pixels, of letters and lines
_INK_LEVELS = 25
_MIN_SHARE = 0.03  # of the picture
_MIN_PIXELS = 300
_MIN_HEIGHT, _MIN_WIDTH = 90, 80  # pixels
_MAX_GAP = 70
_STRIPS = 24  # columns in which rows are held against each other
_MIN_SHIFT = 3  # pixels
_MIN_STRIPS = 3
_MIN_SCORE = 0.6  # of the difference that must be gone after shifting
_LOW_SCORE = 0.4  # the same, where any other shifting leaves much more of it
_TOLD_LEVELS = 0.4
_PAUSE_MS = 700
_MARK_SHARE, _MARK_OFF = (
    0.1,
    6,
)  # of the pixels of the largest part, and by how many two places of a mark may differ


@dataclass
class Scroll:
    """A stretch of scrolling. `moved` is how far, in pixels, positive when later content came up."""

    before: Sample
    after: Sample
    box: Box
    moved: int
    first_ms: int
    steps: int = 1

    @property
    def end_ms(self) -> int:
        return self.after.at_ms


class Scrolls:
    """Finds the scrolling in the steps of a recording, in order."""

    def __init__(self) -> None:
        self._now: Scroll | None = None

    def add(self, step: Step, found: tuple[Box, int] | None) -> Scroll | None:
        """Take in a step, with what `scrolled` found in it; return a stretch of scrolling that is over."""
        over = self.over(step.after.at_ms)
        if found is None:
            return over
        box, shift = found
        if self._now:
            self._now.after, self._now.box = step.after, self._now.box.joined(box)
            self._now.moved += shift
            self._now.steps += 1
        else:
            self._now = Scroll(step.before, step.after, box, shift, step.after.at_ms)
        return over

    def over(self, at_ms: int | None) -> Scroll | None:
        """Return the stretch that was over before a time; any without one."""
        now = self._now
        if now is None or (at_ms is not None and at_ms - now.end_ms < _PAUSE_MS):
            return None
        self._now = None
        return now


def scrolled(step: Step) -> tuple[Box, int] | None:
    """Return the part of the picture that a step scrolls, and by how many pixels."""
    if sum(part.pixels for part in step.parts) < _MIN_PIXELS:
        return None
    box = _main(step)
    if box.height < _MIN_HEIGHT or box.width < _MIN_WIDTH or box.area < _MIN_SHARE * step.changed.size:
        return None
    if _is_mark_moved(step, box):
        return None
    shift = _shift_in(step, box)
    return None if shift is None else (box, shift)


def _is_mark_moved(step: Step, box: Box) -> bool:
    """Return whether only what marks a row or a field, as its ground or a frame, went from one to another below or
    above it: two parts of one size that stand apart."""
    inside = [part for part in step.parts if part.box.common(box).area]
    least = _MARK_SHARE * max(part.pixels for part in inside)
    parts = [part.box for part in inside if part.pixels >= least]
    if len(parts) != 2:
        return False
    upper, lower = parts
    is_alike = abs(upper.width - lower.width) <= _MARK_OFF and abs(upper.height - lower.height) <= _MARK_OFF
    return is_alike and lower.top > upper.bottom


def _main(step: Step) -> Box:
    """Return the box around those parts that stand below one another without a large gap, and changed most."""
    groups: list[tuple[Box, int]] = []
    for part in step.parts:  # from the top down
        last = groups[-1] if groups else None
        if last and part.box.top - last[0].bottom <= _MAX_GAP:
            groups[-1] = last[0].joined(part.box), last[1] + part.pixels
        else:
            groups.append((part.box, part.pixels))
    return max(groups, key=lambda group: group[1])[0]


def _shift_in(step: Step, box: Box) -> int | None:
    """Return by how many pixels the content of most of a box's columns moved up, None if it did not."""
    import numpy as np

    first, second = (_rows(sample, box) for sample in (step.before, step.after))
    still = np.abs(first - second).mean(axis=0)
    told = still >= _TOLD_LEVELS  # columns in which something changed at all
    if np.count_nonzero(told) < _MIN_STRIPS:
        return None
    first, second, still = first[:, told], second[:, told], still[told]
    weights = np.minimum(still, 3 * np.median(still))  # a scroll bar changes much, and the other way
    scores = {}
    for shift in range(_MIN_SHIFT, int(0.8 * len(first))):
        for signed in (shift, -shift):
            upper, lower = (
                (first[shift:], second[:-shift]) if signed > 0 else (first[:-shift], second[shift:])
            )
            gained = np.clip(1 - np.abs(upper - lower).mean(axis=0) / still, 0, 1)
            scores[signed] = float((gained * weights).sum() / weights.sum())
    best = max(scores, key=lambda shift: (scores[shift], -abs(shift)), default=0)
    others = [score for shift, score in scores.items() if abs(shift - best) > _MIN_SHIFT]
    is_plain = scores.get(best, 0.0) >= _MIN_SCORE
    is_large = box.area >= _LARGE_SHARE * step.changed.size
    stands_out = (
        is_large and scores.get(best, 0.0) >= _LOW_SCORE and scores[best] >= 1.8 * max(others, default=0.0)
    )
    return best if (is_plain or stands_out) and _explains(step, box, best) else None


def _explains(step: Step, box: Box, shift: int) -> bool:
    """Return whether most pixels that changed are those from a little lower or higher."""
    import numpy as np

    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    first, second = step.before.grey[rows, columns], step.after.grey[rows, columns]
    changed = step.changed[rows, columns] > 0
    if shift > 0:
        moved, now, changed = first[shift:], second[:-shift], changed[:-shift]
    else:
        moved, now, changed = first[:shift], second[-shift:], changed[-shift:]
    changed &= (
        np.abs(now.astype(np.int16) - int(np.median(now))) > _INK_LEVELS
    )  # ground is the same everywhere
    same = np.count_nonzero(changed & (difference(moved, now) == 0))
    return bool(same >= max(_MIN_INK, _MIN_SAME * np.count_nonzero(changed)))


def _rows(sample: Sample, box: Box) -> NDArray[np.float32]:
    """Return a part of a picture as its rows, each as few numbers."""
    import cv2
    import numpy as np

    inside = box.common(sample.bounds)
    area = sample.grey[inside.top : inside.bottom, inside.left : inside.right]
    return np.asarray(cv2.resize(area, (_STRIPS, area.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
