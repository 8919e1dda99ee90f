"""The control under the pointer: a button, a field, a row of a list, a box to tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REACH_ACROSS, _REACH_DOWN = 520, 170  # pixels around the pointer within which a control must end
_EVEN_LEVELS = 5  # by which the ground of a control may differ from where the pointer stands
_SHADED_LEVELS = 3  # by which it may change from one pixel to the next, where it is shaded
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
    even = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8), _EVEN_LEVELS
    shaded = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8), _SHADED_LEVELS
    for flags, levels in (even, shaded):
        best: Box | None = None
        for seed in _seeds(tip, pointer):
            if not around.holds(*seed):
                continue
            mask: NDArray[np.uint8] = np.zeros((area.shape[0] + 2, area.shape[1] + 2), np.uint8)
            point = seed[0] - around.left, seed[1] - around.top
            filled = cv2.floodFill(area, mask, point, (0,), (levels,), (levels,), flags)
            left, top, width, height = filled[3]
            box = Box(left, top, left + width, top + height)
            is_cut = _is_cut(box, around, sample.bounds)
            if is_cut or filled[0] < _FILLED * box.area or not is_control_size(box):
                continue
            box = box.moved(around.left, around.top)
            if box.grown(3).holds(x, y) and (best is None or box.area > best.area):
                best = box
        if best:
            return best
    return None


def _is_cut(box: Box, around: Box, bounds: Box) -> bool:
    """Return whether a box in a part of the picture goes on outside this part."""
    return (
        (box.left <= 0 and around.left > bounds.left)
        or (box.top <= 0 and around.top > bounds.top)
        or (box.right >= around.width and around.right < bounds.right)
        or (box.bottom >= around.height and around.bottom < bounds.bottom)
    )


def unhidden(picture: Sample, clear: Sequence[tuple[Sample, Box]], around: Box, pointer: Box) -> Sample:
    """Return the picture to read a part from: an earlier one, with the pointer elsewhere, if it shows the same there.

    `clear` are earlier pictures, the last first, with where the pointer is in them; in `picture` it is at `pointer`.
    """
    if not pointer.common(around.grown(2)).area:
        return picture
    for sample, other in clear:
        is_free = not other.grown(3).common(around.grown(2)).area
        if (
            is_free
            and sample.grey.shape == picture.grey.shape
            and _is_alike(picture, sample, around, pointer)
        ):
            return sample
    return picture


def _is_alike(picture: Sample, clear: Sample, around: Box, pointer: Box) -> bool:
    """Return whether two pictures show the same in a part, the place of the pointer left out."""
    import numpy as np

    part = around.common(picture.bounds)
    rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
    seen = np.ones((part.height, part.width), bool)
    hidden = pointer.grown(3).common(part).moved(-part.left, -part.top)
    seen[hidden.top : hidden.bottom, hidden.left : hidden.right] = False
    now, then = (sample.grey[rows, columns][seen].astype(np.float32) for sample in (picture, clear))
    if now.size < _MIN_SEEN:
        return False
    now, then = now - now.mean(), then - then.mean()
    size = float(np.sqrt((now * now).sum() * (then * then).sum()))
    # What is chosen may be light on dark where it was dark on light.
    return bool(size) and abs(float((now * then).sum())) / size >= _ALIKE


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
