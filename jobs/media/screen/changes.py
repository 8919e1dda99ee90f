"""What differs between one picture and the next: as pixels, and as boxes around those that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

LEVELS = 18
"""From how many levels of brightness (of 255) a pixel is another; an encoder's noise on still text is within 8."""

_BLOCK = 8  # pixels; what is less than about this far apart belongs together
_PIXELS = 2  # of a block; a caret is 1 wide
_MIN_PIXELS = 8  # of a part; an encoder's noise is less
_THIN = 2
_PEAK_LEVELS = 36  # by which at least one pixel of a part changes, if only few of them do
_FULL = 0.25  # of a part's pixels
_THINLY = 0.08  # the same
_MANY_THIN = 3  # parts of which few pixels changed are noise; of a frame that lights up there are one or two


def is_caret(box: Box) -> bool:
    """Return whether a box may be around the bar where the next letter comes."""
    return 9 <= box.height <= 60 and box.width <= max(4, box.height / 5.5)


@dataclass(frozen=True)
class Part:
    """A part of the picture that changed: where, and how many of its pixels did."""

    box: Box
    pixels: int


@dataclass(frozen=True, eq=False)
class Step:
    """From one picture looked at to the next. `changed` is 255 where a pixel is another, else 0."""

    before: Sample
    after: Sample
    changed: Grey
    parts: tuple[Part, ...]

    @property
    def share(self) -> float:
        """How much of the picture the boxes of the parts cover, 0..1."""
        return min(1.0, sum(part.box.area for part in self.parts) / self.changed.size)


def difference(first: Grey, second: Grey) -> Grey:
    """Return 255 where two pictures differ, else 0."""
    import cv2
    import numpy as np

    return np.asarray(
        cv2.threshold(cv2.absdiff(first, second), LEVELS - 1, 255, cv2.THRESH_BINARY)[1], np.uint8
    )


def step_between(before: Sample, after: Sample) -> Step:
    """Return what changed from one picture to the next of the same size. What an encoder draws anew, as it does from
    time to time, is left out: few pixels of a part, and by little."""
    import numpy as np

    changed = difference(before.grey, after.grey)
    parts = parts_of(changed)
    noise = [part for part in parts if _is_noise(part, before, after)]
    thin = [part for part in parts if part.pixels < _THINLY * part.box.area]
    if len(thin) >= _MANY_THIN and 2 * len(thin) > len(parts):
        noise = [part for part in parts if part in noise or part in thin]
    if noise:
        changed = np.array(changed)
        for box in (part.box for part in noise):
            changed[box.top : box.bottom, box.left : box.right] = 0
        parts = tuple(part for part in parts if part not in noise)
    return Step(before, after, changed, parts)


def _is_noise(part: Part, before: Sample, after: Sample) -> bool:
    import cv2

    box = part.box
    if part.pixels >= _FULL * box.area:
        return False
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    return int(cv2.absdiff(before.grey[rows, columns], after.grey[rows, columns]).max()) < _PEAK_LEVELS


def without(step: Step, boxes: list[Box]) -> Step:
    """Return a step as if nothing changed in these boxes."""
    if not boxes or not step.parts:
        return step
    changed = step.changed.copy()
    for box in boxes:
        inside = box.common(step.after.bounds)
        changed[inside.top : inside.bottom, inside.left : inside.right] = 0
    return Step(step.before, step.after, changed, parts_of(changed))


def parts_of(changed: Grey) -> tuple[Part, ...]:
    """Return boxes around pixels that are 255, those near one another together, from the top down."""
    import cv2
    import numpy as np

    if not changed.any():
        return ()
    height, width = changed.shape
    down, across = -(-height // _BLOCK), -(-width // _BLOCK)
    padded = changed
    if (down * _BLOCK, across * _BLOCK) != (height, width):
        padded = np.zeros((down * _BLOCK, across * _BLOCK), np.uint8)
        padded[:height, :width] = changed
    means = cv2.resize(padded, (across, down), interpolation=cv2.INTER_AREA)
    blocks = (means >= 255 * _PIXELS // _BLOCK**2).astype(np.uint8)
    number, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(blocks, np.ones((2, 2), np.uint8)))
    found = []
    for left, top, wide, high, _ in stats[1:number].tolist():
        area = changed[top * _BLOCK : (top + high) * _BLOCK, left * _BLOCK : (left + wide) * _BLOCK]
        x, y, w, h = cv2.boundingRect(area)
        pixels = int(np.count_nonzero(area))
        is_line = min(w, h) <= _THIN and not is_caret(Box(0, 0, w, h))  # the edge of something, encoded anew
        if pixels >= _MIN_PIXELS and not is_line:
            box = Box(left * _BLOCK + x, top * _BLOCK + y, left * _BLOCK + x + w, top * _BLOCK + y + h)
            found.append(Part(box, pixels))
    return tuple(sorted(found, key=lambda part: (part.box.top, part.box.left)))
