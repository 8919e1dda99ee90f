"""The control under the pointer: a button, a field, a row of a list, a box to tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Light = NDArray[np.float32]
    """The brightness of a part: rows, columns."""

_REACH_ACROSS, _REACH_DOWN = 760, 170  # pixels around the pointer within which a control must end
_EVEN_LEVELS = 5  # by which the ground of a control may differ from where the pointer stands
_SHADED_LEVELS = 3  # by which it may change from one pixel to the next, where it is shaded
_MIN_WIDTH, _MIN_HEIGHT = 10, 9
_MAX_HEIGHT = 150
_MIN_SEEN = 60  # pixels
_ALIKE = 0.8  # correlation
_SAME_WORDS = 0.6  # correlation, of a row that is lit, maybe with a dotted line around it
_AROUND = 30, 4  # pixels around a pointer that must be alike for what it hides to be known
_SAME_LEVELS = 12  # of brightness, by which an encoder may change a pixel
_OFF = 1  # pixel
_ROW_SHAPE, _MAX_ROW_HEIGHT = 2.5, 44  # times its height a row is wide at least; pixels
_ROW_WIDTH, _ROWS = 0.8, 1.3  # of its list's width, and how many of its height a list has at least
_NEAR, _UNDER = 6, 0.15  # pixels around the tip, and how many of these must be of a control's ground
_BY_THE_TIP = (0, 0), (-5, 0), (5, 0), (0, -5), (0, 5)
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
    near = Box(x, y, x + 1, y + 1).grown(_NEAR).common(around).moved(-around.left, -around.top)
    for flags, levels in (even, shaded):
        found: list[Box] = []
        aside: list[Box] = []
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
            aside.append(box.moved(around.left, around.top))
            under = mask[near.top + 1 : near.bottom + 1, near.left + 1 : near.right + 1]
            if np.count_nonzero(under) < _UNDER * near.area:
                continue  # the ground beside what the pointer is on
            box = box.moved(around.left, around.top)
            if box.grown(3).holds(x, y):
                found.append(box)
        if found:
            return _whole(max(found, key=lambda box: box.area), aside, pointer)
    return None


def _whole(found: Box, aside: list[Box], pointer: Box) -> Box:
    """Return a box with what the pointer parts from it: as high, and on its other side."""
    for box in aside:
        is_level = abs(box.top - found.top) <= _OFF and abs(box.bottom - found.bottom) <= _OFF
        if is_level and max(box.left, found.left) - min(box.right, found.right) <= pointer.width + 4:
            found = found.joined(box)
    return found


def _is_cut(box: Box, around: Box, bounds: Box) -> bool:
    """Return whether a box in a part of the picture goes on outside this part."""
    return (
        (box.left <= 0 and around.left > bounds.left)
        or (box.top <= 0 and around.top > bounds.top)
        or (box.right >= around.width and around.right < bounds.right)
        or (box.bottom >= around.height and around.bottom < bounds.bottom)
    )


def unhidden(
    picture: Sample, clear: Sequence[tuple[Sample, Box]], pointer: Box, tip: tuple[int, int]
) -> Sample:
    """Return a picture without its pointer: what this hides is taken from an earlier picture in which it is elsewhere
    and the same is around it, though in other shades, as of what lights up under a pointer.

    `clear` are earlier pictures, the last first, with where the pointer is in them; in `picture` it is at `pointer`.
    The pointer is taken for sure to be out of the way in those that are furthest back.
    """
    part = pointer.grown(*_AROUND).common(picture.bounds)
    control = control_at(picture, tip, pointer)
    lit = control.grown(-2).common(part) if control else part
    for sample, other in reversed(clear):
        if sample.grey.shape != picture.grey.shape or other.grown(3).common(pointer.grown(3)).area:
            continue
        for within in dict.fromkeys((part, lit)):  # a row of a menu may be all that lights up
            if readable := _patched(picture, sample, within, (pointer, other)):
                return readable
    return picture


def _patched(picture: Sample, other: Sample, part: Box, pointers: tuple[Box, Box]) -> Sample | None:
    """Return a picture with what its pointer, the first of `pointers`, hides of a part taken from another one."""
    import numpy as np

    seen = _seen(part, pointers)
    then = _cut(other, part)
    factor = _factor(_cut(picture, part), then, seen)
    if factor is None:
        return None
    hidden = pointers[0].grown(2).common(part)
    rows = slice(hidden.top - part.top, hidden.bottom - part.top)
    if not seen[rows].any(axis=1).all():
        return None
    apart = np.where(seen, _cut(picture, part) - factor * then, np.nan)[rows]
    # By rows: what is above and below a control does not light up with it.
    return picture.patched(other, hidden, factor, np.nanmedian(apart, axis=1))


def row_lit(
    before: Sample, after: Sample | None, control: Box | None, tip: tuple[int, int], pointer: Box
) -> Box | None:
    """Return the row of a list that looks another way after a click, and says the same as before. `control` is what the
    pointer was on before: the list, if this is not larger than a control."""
    import numpy as np

    if after is None or after.grey.shape != before.grey.shape:
        return None
    row = control_at(after, tip, pointer)
    if row is None or not row.width >= _ROW_SHAPE * row.height or row.height > _MAX_ROW_HEIGHT:
        return None
    if control and (row.width < _ROW_WIDTH * control.width or control.height < _ROWS * row.height):
        return None
    inner = row.grown(-2)
    now, then = (_cut(sample, inner) for sample in (after, before))
    # Letters stand out from the ground in both, dark on light or light on dark.
    now, then = (np.abs(pixels - np.median(pixels)) for pixels in (now, then))
    if _factor(now, then, _seen(inner, (pointer,)), least=_SAME_WORDS) is None:
        return None
    return Box(control.left, row.top, control.right, row.bottom) if control else row


def _cut(sample: Sample, part: Box) -> Light:
    import numpy as np

    return sample.grey[part.top : part.bottom, part.left : part.right].astype(np.float32)


def _seen(part: Box, pointers: tuple[Box, ...]) -> NDArray[np.bool_]:
    """Return which pixels of a part no pointer hides."""
    import numpy as np

    seen = np.ones((part.height, part.width), bool)
    for box in pointers:
        hidden = box.grown(3).common(part).moved(-part.left, -part.top)
        seen[hidden.top : hidden.bottom, hidden.left : hidden.right] = False
    return seen


def _factor(now: Light, then: Light, seen: NDArray[np.bool_], *, least: float = _ALIKE) -> float | None:
    """Return by which factor what is seen of a part differs from another picture of it, None when this shows something
    else there. It is negative when what was dark on light is light on dark, as what is chosen may be."""
    import numpy as np

    now, then = now[seen], then[seen]
    if now.size < _MIN_SEEN:
        return None
    if float(np.abs(now - then).max()) <= _SAME_LEVELS:
        return 1.0
    now, then = now - now.mean(), then - then.mean()
    size = float(np.sqrt((now * now).sum() * (then * then).sum()))
    product = float((now * then).sum())
    if not size or abs(product) / size < least:
        return None
    return product / float((then * then).sum()) if product < 0 else 1.0


def is_control_size(box: Box) -> bool:
    """Return whether a box may be that of a control, and is not too large for one."""
    return box.width >= _MIN_WIDTH and _MIN_HEIGHT <= box.height <= _MAX_HEIGHT


def _seeds(tip: tuple[int, int], pointer: Box) -> list[tuple[int, int]]:
    """Return points around the tip, and around the pointer where its own pixels are not."""
    x, y = tip
    return [
        *((x + across, y + down) for across, down in _BY_THE_TIP),
        (x, pointer.top - 3),
        (pointer.left - 3, y),
        (pointer.left - 4, pointer.top - 4),
        (pointer.right + 3, y),
        (x, pointer.bottom + 3),
        (pointer.right + 4, pointer.bottom + 4),
        (pointer.left - 9, y + 1),
        (pointer.right + 9, y + 1),
    ]
