"""The frame of a window, dialog or menu: lines that were not there before, and make a rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

Line = tuple[int, int, int]
"""Where a level line starts and ends, and in which row; or an upright one, in which column."""

_GAP = 40  # pixels
_LEVELS = 5  # from one side of a line to the other
_MIN_ACROSS, _MIN_DOWN = 70, 34  # pixels
_MAX_LINES = 40
_OFF = 14  # pixels by which the ends of lines may differ: corners are rounded
_COVERED = 0.5  # of a side must be a line


def new_rectangle(before: Grey, after: Grey) -> Box | None:
    """Return the largest rectangle of which two sides opposite one another are new lines, and one that joins them is
    for the better part; None without any."""
    level, upright = _lines(before, after, _MIN_ACROSS), _lines(before.T, after.T, _MIN_DOWN)
    found = [
        *_between(level, upright, _MIN_DOWN),
        *(Box(box.top, box.left, box.bottom, box.right) for box in _between(upright, level, _MIN_ACROSS)),
    ]
    return max(found, key=lambda box: box.area, default=None)


def _between(lines: list[Line], sides: list[Line], least: int) -> list[Box]:
    """Return the boxes between two of the lines, as if these were level ones, with a side."""
    found = []
    for number, (left, right, top) in enumerate(lines):
        for other_left, other_right, bottom in lines[number + 1 :]:
            if abs(left - other_left) > _OFF or abs(right - other_right) > _OFF or bottom - top < least:
                continue
            box = Box(min(left, other_left), top, max(right, other_right), bottom)
            first, second = (_side(box, edge, sides) for edge in (box.left, box.right))
            if (
                first is not None or second is not None
            ):  # lines end before a round corner, sides are where they are
                first, second = (
                    edge if at is None else at for edge, at in ((box.left, first), (box.right, second))
                )
                found.append(Box(first, top, second, bottom))
    return found


def _side(box: Box, edge: int, sides: list[Line]) -> int | None:
    """Return where the line at one edge of a box is, if it is for the better part there."""
    near = [
        (max(0, min(end, box.bottom) - max(start, box.top)), at)
        for start, end, at in sides
        if abs(at - edge) <= _OFF
    ]
    covered = sum(length for length, _ in near)
    return max(near)[1] if near and covered >= _COVERED * box.height else None


def _lines(before: Grey, after: Grey, least: int) -> list[Line]:
    """Return the longest new level lines, from the top down. What hides a piece of one does not part it."""
    import cv2
    import numpy as np

    now, then = (np.ascontiguousarray(_steps(picture)) for picture in (after, before))
    new = cv2.bitwise_and(now, cv2.bitwise_not(cv2.dilate(then, np.ones((3, 1), np.uint8))))
    long = cv2.morphologyEx(new, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    number, _, stats, _ = cv2.connectedComponentsWithStats(long, connectivity=4)
    lines: list[Line] = []
    for left, top, wide, _, _ in sorted(stats[1:number].tolist(), key=lambda row: (row[1], row[0])):
        near = next(
            (line for line in lines[-4:] if abs(line[2] - top - 1) <= 2 and 0 <= left - line[1] <= _GAP), None
        )
        if near:
            lines.remove(near)
            lines.append((near[0], left + wide, near[2]))
        else:
            lines.append((left, left + wide, top + 1))
    longest = sorted(lines, key=lambda line: line[0] - line[1])[:_MAX_LINES]
    return sorted(longest, key=lambda line: line[2])


def _steps(picture: Grey) -> Grey:
    """Return 255 where a pixel differs from the one below."""
    import cv2
    import numpy as np

    apart = cv2.absdiff(picture[:-1], picture[1:])
    return np.asarray(cv2.threshold(apart, _LEVELS - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)
