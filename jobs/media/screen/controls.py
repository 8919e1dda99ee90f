"""The control under the pointer: a button, a field, a row of a list, a box to tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REACH_ACROSS, _REACH_DOWN = 520, 170  # pixels around the pointer within which a control must end
_LEVELS = 3  # by which the ground of a control may change from one pixel to the next
_MIN_WIDTH, _MIN_HEIGHT = 10, 9
_MAX_HEIGHT = 150
_MIN_SEEN = 60  # pixels
_ALIKE = 0.8  # correlation
_FILLED = 0.4  # of a control's box that its ground must cover


def control_at(sample: Sample, tip: tuple[int, int], pointer: Box) -> Box | None:
    """Return the box around the even ground on which the pointer stands, when this is no larger than a control."""
    import cv2
    import numpy as np

    x, y = tip
    around = Box(x, y, x, y).grown(_REACH_ACROSS, _REACH_DOWN).common(sample.bounds)
    if around.width < _MIN_WIDTH or around.height < _MIN_HEIGHT:
        return None
    area = np.ascontiguousarray(sample.grey[around.top : around.bottom, around.left : around.right])
    best: Box | None = None
    for seed in _seeds(tip, pointer):
        if not around.holds(*seed):
            continue
        mask: NDArray[np.uint8] = np.zeros((area.shape[0] + 2, area.shape[1] + 2), np.uint8)
        point = seed[0] - around.left, seed[1] - around.top
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8)
        pixels, _, _, (left, top, width, height) = cv2.floodFill(
            area, mask, point, (0,), (_LEVELS,), (_LEVELS,), flags
        )
        box = Box(left, top, left + width, top + height)
        if _is_cut(box, around, sample.bounds) or pixels < _FILLED * box.area or not is_control_size(box):
            continue
        box = box.moved(around.left, around.top)
        if box.grown(3).holds(x, y) and (best is None or box.area > best.area):
            best = box
    return best


def _is_cut(box: Box, around: Box, bounds: Box) -> bool:
    """Return whether a box in a part of the picture goes on outside this part."""
    return (
        (box.left <= 0 and around.left > bounds.left)
        or (box.top <= 0 and around.top > bounds.top)
        or (box.right >= around.width and around.right < bounds.right)
        or (box.bottom >= around.height and around.bottom < bounds.bottom)
    )


def unhidden(picture: Sample, clear: Sample | None, around: Box, pointers: list[Box]) -> Sample:
    """Return the one of two pictures to read a part from: the earlier one, in which no pointer is in the way, if it
    shows the same there. `pointers` are the places at which one of both shows a pointer."""
    import numpy as np

    if clear is None or clear.grey.shape != picture.grey.shape:
        return picture
    part = around.common(picture.bounds)
    rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
    seen = np.ones((part.height, part.width), bool)
    for pointer in pointers:
        hidden = pointer.grown(3).common(part)
        seen[
            hidden.top - part.top : hidden.bottom - part.top,
            hidden.left - part.left : hidden.right - part.left,
        ] = 0
    now, then = (sample.grey[rows, columns][seen].astype(np.float32) for sample in (picture, clear))
    if now.size < _MIN_SEEN:
        return picture
    now, then = now - now.mean(), then - then.mean()
    size = float(np.sqrt((now * now).sum() * (then * then).sum()))
    return clear if size and float((now * then).sum()) / size >= _ALIKE else picture


def is_control_size(box: Box) -> bool:
    """Return whether a box may be that of a control, and is not too large for one."""
    return box.width >= _MIN_WIDTH and _MIN_HEIGHT <= box.height <= _MAX_HEIGHT


def _seeds(tip: tuple[int, int], pointer: Box) -> list[tuple[int, int]]:
    """Return points around the pointer, where its own pixels are not."""
    x, y = tip
    return [
        (x, pointer.top - 3),
        (pointer.left - 3, y),
        (pointer.left - 4, pointer.top - 4),
        (pointer.right + 3, y),
        (x, pointer.bottom + 3),
        (pointer.right + 4, pointer.bottom + 4),
        (pointer.left - 9, y + 1),
        (pointer.right + 9, y + 1),
    ]
