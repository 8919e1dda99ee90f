"""The frame of a window, dialog or menu: lines that were not there before, and make a rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

_LEVELS = 5  # from one side of a line to the other
_MIN_ACROSS, _MIN_DOWN = 70, 34  # pixels
_MAX_LINES = 40
_OFF = 14  # pixels by which the ends of lines may differ: corners are rounded
_COVERED = 0.5  # of a side must be a line


def new_rectangle(before: Grey, after: Grey) -> Box | None:
    """Return the largest rectangle with a new line above, one below and one at a side; None without any."""
    levels = _lines(before, after)
    columns = _lines(before.T, after.T, least=_MIN_DOWN)
    best: Box | None = None
    for number, (left, right, top) in enumerate(levels):
        for other_left, other_right, bottom in levels[number + 1 :]:
            if abs(left - other_left) > _OFF or abs(right - other_right) > _OFF or bottom - top < _MIN_DOWN:
                continue
            box = Box(min(left, other_left), top, max(right, other_right), bottom)
            if (best is None or box.area > best.area) and _has_side(box, columns):
                best = box
    return best


def _has_side(box: Box, columns: list[tuple[int, int, int]]) -> bool:
    for edge in (box.left, box.right):
        covered = sum(
            max(0, min(bottom, box.bottom) - max(top, box.top))
            for top, bottom, x in columns
            if abs(x - edge) <= _OFF
        )
        if covered >= _COVERED * box.height:
            return True
    return False


def _lines(before: Grey, after: Grey, *, least: int = _MIN_ACROSS) -> list[tuple[int, int, int]]:
    """Return the longest new level lines (left, right, row), from the top down."""
    import cv2
    import numpy as np

    now, then = (np.ascontiguousarray(_steps(picture)) for picture in (after, before))
    new = cv2.bitwise_and(now, cv2.bitwise_not(cv2.dilate(then, np.ones((3, 1), np.uint8))))
    long = cv2.morphologyEx(new, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    number, _, stats, _ = cv2.connectedComponentsWithStats(long, connectivity=4)
    rows = [(left, left + wide, top + 1) for left, top, wide, _, _ in stats[1:number].tolist()]
    return sorted(sorted(rows, key=lambda row: row[0] - row[1])[:_MAX_LINES], key=lambda row: row[2])


def _steps(picture: Grey) -> Grey:
    """Return 255 where a pixel differs from the one below."""
    import cv2
    import numpy as np

    apart = cv2.absdiff(picture[:-1], picture[1:])
    return np.asarray(cv2.threshold(apart, _LEVELS - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)
