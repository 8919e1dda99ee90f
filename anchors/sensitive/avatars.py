"""Whether a line of text stands beside a small picture of a person, as names do in headers, lists and chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

_MIN_SIDE, _MAX_SIDE = 18, 96  # pixels
_GAP = 2.2  # of a line's height, up to which the picture is beside the line
_DIFFERENT = 22  # of 255, from which a pixel is not of the background
_ROUND = (0.70, 0.86)  # the share of its square that a disc fills: pi / 4
_MANY_COLOURS = (
    14.0  # standard deviation of what is in the middle of a photograph or of initials; an icon is plain
)


def avatar_beside(picture: Picture, line: Box) -> tuple[Box, float] | None:
    """Return (box, confidence) of the avatar left of a line, or above it, and how sure it is that it is one."""
    left, top, right, bottom = line
    height, middle = bottom - top, (top + bottom) // 2
    reach = _MAX_SIDE + round(_GAP * height)
    beside = (max(0, left - reach), max(0, middle - _MAX_SIDE), max(0, left - 2), middle + _MAX_SIDE)
    above = (
        max(0, (left + right) // 2 - _MAX_SIDE),
        max(0, top - reach),
        (left + right) // 2 + _MAX_SIDE,
        top - 1,
    )
    for area, anchor in ((beside, (left, middle)), (above, ((left + right) // 2, top))):
        if found := _square_in(picture, area, anchor, round(_GAP * height), is_above=area is above):
            return found
    return None


def _square_in(
    picture: Picture, area: Box, anchor: tuple[int, int], gap: int, *, is_above: bool
) -> tuple[Box, float] | None:
    import cv2
    import numpy as np

    left, top, right, bottom = area
    part = picture[top:bottom, left:right].astype(np.int16)
    if min(part.shape[:2]) < _MIN_SIDE:
        return None
    # What most of the pixels next to the line are is what both stand on.
    edge = part[-2:] if is_above else part[:, -2:]
    background = np.median(edge.reshape(-1, 3), axis=0)
    mask = (np.abs(part - background).max(axis=2) > _DIFFERENT).astype(np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    best: tuple[Box, float] | None = None
    for x, y, width, height, pixels in stats[1:count].tolist():
        box = (left + x, top + y, left + x + width, top + y + height)
        if not (_is_square(width, height) and _is_near(box, anchor, gap, is_above=is_above)):
            continue
        sure = _confidence(part[y : y + height, x : x + width], pixels / (width * height))
        if sure and (best is None or sure > best[1]):
            best = box, sure
    return best


def _is_square(width: int, height: int) -> bool:
    return min(width, height) >= _MIN_SIDE and max(width, height) <= min(_MAX_SIDE, 1.15 * min(width, height))


def _is_near(box: Box, anchor: tuple[int, int], gap: int, *, is_above: bool) -> bool:
    left, top, right, bottom = box
    if is_above:
        return anchor[1] - bottom <= gap and left < anchor[0] < right
    return anchor[0] - right <= gap and top - 4 <= anchor[1] <= bottom + 4


def _confidence(inside: NDArray[np.int16], share: float) -> float:
    """Return how sure it is: most for a disc with something in it, least for a plain square, which is an icon."""
    side = min(inside.shape[:2])
    core = inside[side // 5 : -side // 5, side // 5 : -side // 5].reshape(-1, 3)
    is_many = float(core.std(axis=0).max()) > _MANY_COLOURS
    is_round = _ROUND[0] <= share <= _ROUND[1]
    if not is_many or share < _ROUND[0]:
        return 0.0
    return 0.7 if is_round else 0.55
