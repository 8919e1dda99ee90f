"""Marks that say what a control is: the arrow of a list to choose from, the box to tick before a name."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ink = NDArray[np.uint8]

_INK_LEVELS = 40
_FAINT_LEVELS = 20  # of lines and boxes, which may be drawn in a shade near the ground's
_MIN_CHOICE, _MAX_CHOICE_HEIGHT = 60, 60  # pixels
_INDENT = 18  # pixels at most from the left edge of a list to choose from to what is chosen
_ARROW = 34  # pixels from its right edge, inside or outside, in which its arrow stands
_MIN_FAR = 90  # pixels, the width of one whose mark is far from the text
_AFTER_TEXT = 4  # pixels from what is chosen to the arrow at least
_ARROW_SIZES = (4, 20), (2, 10)  # pixels, across and down
_ARROW_OFF = 6  # pixels from the middle of the list's height
_LOWER = 1.3  # times the height an arrow is wide at least, and a bar twice
_TICK_SIZES = 8, 22  # pixels
_TICK_SQUARE = 0.75  # of its width a box to tick is high at least, or the other way round
_TICK_FULL = 0.72  # of its box; a circle has 0.79, an A half
_CORNER_OFF = 3  # half pixels from the middle of a side to a corner
_TICK_GAP = 4  # pixels from the box to tick to its words at least
_EDGE_LEVELS, _EDGE_SHARE = 12, 0.85  # of brightness at an edge, and of its length
_MARGIN = 4  # pixels around a field for its own edge


def is_choice(sample: Sample, control: Box, words: list[Box]) -> bool:
    """Return whether a control is a list to choose from that is closed: what is chosen at the left, an arrow (or a
    bar, as in Motif) at the right end or in a button of its own beside it, nothing between. Far from the text any small
    mark will do, such as a calendar's."""
    import cv2

    if len(words) != 1 or control.width < _MIN_CHOICE or control.height > _MAX_CHOICE_HEIGHT:
        return False
    text = words[0]
    if text.left - control.left > _INDENT:
        return False
    if _has_mark_at_end(sample, control, text):
        return True
    left = max(text.right + _AFTER_TEXT, control.right - _ARROW)
    end = Box(left, control.top, control.right + _ARROW, control.bottom).common(sample.bounds)
    ink = _ink(sample, end, _INK_LEVELS)
    if not ink.size:
        return False
    number, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    (narrowest, widest), (lowest, highest) = _ARROW_SIZES
    for mark in range(1, number):
        x, y, width, height, pixels = stats[mark].tolist()
        fits = narrowest <= width <= widest and lowest <= height <= highest and x + width < end.width
        is_level = abs(2 * y + height - end.height) <= 2 * _ARROW_OFF
        if fits and is_level and width >= _LOWER * height:
            is_inside = end.left + x + width <= control.right
            is_bar = is_inside and width >= 2 * height and pixels >= 0.4 * width * height
            if is_bar or _is_arrow(labels[y : y + height, x : x + width] == mark):
                return True
    return False


def _has_mark_at_end(sample: Sample, control: Box, text: Box) -> bool:
    """Return whether something small stands at the right end of a control, and nothing between it and the text."""
    import numpy as np

    if control.width < _MIN_FAR or control.right - text.right < 2 * _ARROW:
        return False
    end = Box(text.right + 6, control.top + 4, control.right - 4, control.bottom - 4).common(sample.bounds)
    ink = np.flatnonzero(_ink(sample, end, _INK_LEVELS).any(axis=0))
    if len(ink) < _ARROW_SIZES[0][0]:
        return False
    return int(ink[-1] - ink[0]) < _ARROW and int(ink[0]) >= end.width - _ARROW


def _is_arrow(mark: NDArray[np.bool_]) -> bool:
    """Return whether a mark narrows from row to row, to a point above or below. Its ends may be round."""
    import numpy as np

    widths = [int(np.ptp(np.flatnonzero(row))) + 1 for row in mark if row.any()]
    if widths[0] < widths[-1]:
        widths.reverse()
    if widths[0] < widths[1]:
        del widths[0]
    narrows = all(later <= earlier for earlier, later in pairwise(widths))
    return narrows and widths[-1] <= 0.5 * widths[0]


def after_tick(sample: Sample, line: Box) -> int | None:
    """Return where the words of a line begin that starts with a box to tick or a round one; None without."""
    import cv2
    import numpy as np

    smallest, largest = _TICK_SIZES
    around = line.grown(3).common(sample.bounds)
    ink = _ink(sample, around, _FAINT_LEVELS)
    columns = np.flatnonzero(ink.any(axis=0))
    if not len(columns):
        return None
    first = int(columns[0])
    gaps = columns[:-1][np.diff(columns) > _TICK_GAP]
    if not len(gaps):
        return None
    last = int(gaps[0])
    mark = ink[:, first : last + 1]
    rows = np.flatnonzero(mark.any(axis=1))
    width, height = last + 1 - first, int(rows[-1]) + 1 - int(rows[0])
    is_square = min(width, height) >= _TICK_SQUARE * max(width, height)
    if not (smallest <= width <= largest and is_square):
        return None
    hull = cv2.convexHull(
        np.argwhere(mark)[:, ::-1].astype(np.int32)
    )  # a round one may be drawn in part only
    is_round = cv2.contourArea(hull) >= _TICK_FULL * (width - 1) * (height - 1)
    if not (is_round or _is_diamond(mark[rows[0] : rows[-1] + 1])):
        return None
    begin = int(columns[columns > last][0])
    return around.left + max(begin - 2, last + 1)


def _is_diamond(mark: Ink) -> bool:
    """Return whether a mark has its corners in the middle of its sides, as round boxes to tick in Motif and Tk."""
    import numpy as np

    sides = (mark[0], mark[-1], mark[:, 0], mark[:, -1])
    return all(
        abs(2 * float(np.flatnonzero(side).mean()) - len(side) + 1) <= _CORNER_OFF
        and np.count_nonzero(side) <= len(side) // 2
        for side in sides
    )


def is_parted(sample: Sample, words: Box, field: Box) -> bool:
    """Return whether something is drawn between words and the field right of them, or an edge between words and the
    field below them: they stand in another field, or belong to another control."""
    import numpy as np

    if words.right <= field.left + _MARGIN:
        between = Box(words.right + _MARGIN, words.top + 3, field.left - 2 * _MARGIN, words.bottom - 3)
        return between.area > 0 and bool(_ink(sample, between.common(sample.bounds), _FAINT_LEVELS).any())
    between = Box(words.left, (words.top + words.bottom) // 2, words.right, field.top - _MARGIN)
    between = between.common(sample.bounds)
    if between.width < 2 or between.height < 2:
        return False
    pixels = sample.grey[between.top : between.bottom, between.left : between.right].astype(np.int16)
    steps = np.abs(np.diff(pixels, axis=0)) > _EDGE_LEVELS
    return bool((steps.mean(axis=1) >= _EDGE_SHARE).any())


def _ink(sample: Sample, box: Box, levels: int) -> Ink:
    """Return 1 where a part of the picture is not its ground, else 0."""
    import numpy as np

    pixels = sample.grey[box.top : box.bottom, box.left : box.right].astype(np.int16)
    if not pixels.size:
        return np.zeros(pixels.shape, np.uint8)
    return (np.abs(pixels - int(np.median(pixels))) > levels).astype(np.uint8)
