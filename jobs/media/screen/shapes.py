"""What a mouse pointer looks like, and where in a picture something looks like one."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from jobs.media.screen.changes import difference, parts_of
from jobs.media.screen.sampling import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

MAX_SIZE = 160  # pixels; some people have theirs drawn very large
MIN_HEIGHT = 6
MIN_PIXELS = 18
_MIN_WIDTH = 4
_APART = 12  # pixels between two places, so that it is no thing that blinks
_FAR, _ASIDE = 40, 5
_LIKE_LEVELS = 48  # of a pixel of the pointer, which is drawn smoothly and compressed
_LIKE_SHARE = 0.78


@dataclass(eq=False)
class Shape:
    """What a pointer looks like: its pixels, where they count (255), and where its tip is in them."""

    pixels: Grey
    mask: Grey
    tip: tuple[int, int]
    places: int = 1
    views: int = 0
    last: Box | None = None
    reach: Box | None = None

    @property
    def is_bar(self) -> bool:
        """Whether it is the bar that a pointer is over text and fields."""
        return _is_bar(self.mask > 0)

    @property
    def is_known(self) -> bool:
        """Whether it was seen at places so far from one another that it is no thing that turns or blinks."""
        reach = self.reach
        if self.places < 2 or reach is None:
            return False
        height, width = self.pixels.shape
        across, down = reach.width - width, reach.height - height
        return max(across, down) >= _FAR and min(across, down) >= _ASIDE  # a list that scrolls goes straight

    @property
    def size(self) -> int:
        return max(self.pixels.shape)

    @property
    def size_in_pixels(self) -> int:
        import numpy as np

        return int(np.count_nonzero(self.mask))

    def look_again(self, picture: Grey, box: Box, mask: Grey) -> None:
        """Take its looks anew from where it is in a picture."""
        import numpy as np

        self.pixels = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
        self.mask, self.tip = mask, tip_of(mask > 0)

    def seen(self, box: Box) -> None:
        """Take in that it was seen at a place."""
        last = self.last or box
        if hypot(last.left - box.left, last.top - box.top) >= _APART:
            self.places += 1
        self.last = box
        self.reach = box if self.reach is None else self.reach.joined(box)


def is_small(box: Box) -> bool:
    return MIN_HEIGHT <= box.height <= MAX_SIZE and _MIN_WIDTH <= box.width <= MAX_SIZE


def has_size_of(box: Box, shape: Shape) -> bool:
    height, width = shape.pixels.shape
    return abs(width - box.width) <= 6 and abs(height - box.height) <= 6


def momentary(before: Grey, now: Grey, after: Grey, around: Box) -> tuple[Box, Grey, int] | None:
    """Return what is in a part of a picture and neither before nor after: its box, which pixels of it, how many."""
    import cv2
    import numpy as np

    if not before.shape == now.shape == after.shape:
        return None
    inside = around.common(Box(0, 0, now.shape[1], now.shape[0]))
    rows, columns = slice(inside.top, inside.bottom), slice(inside.left, inside.right)
    came = difference(before[rows, columns], now[rows, columns])
    went = difference(now[rows, columns], after[rows, columns])
    stays = difference(before[rows, columns], after[rows, columns])
    seen = np.asarray(cv2.bitwise_and(cv2.bitwise_and(came, went), cv2.bitwise_not(stays)), np.uint8)
    part = max(parts_of(seen), key=lambda part: part.pixels, default=None)
    if part is None or part.pixels < MIN_PIXELS or not is_small(part.box):
        return None
    box = part.box
    # Other things that changed there show that it is no pointer: a letter beside others that stay.
    other = np.count_nonzero(stays[box.top : box.bottom, box.left : box.right])
    if other > 0.2 * part.pixels:
        return None
    mask = np.ascontiguousarray(seen[box.top : box.bottom, box.left : box.right])
    return box.moved(inside.left, inside.top), mask, part.pixels


def tip_of(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where a pointer's tip is: the middle of a bar for text, else its topmost pixel, as of an arrow or hand."""
    import numpy as np

    height, width = mask.shape
    if _is_bar(mask):
        return width // 2, height // 2
    rows = np.flatnonzero(mask.any(axis=1))
    return (int(np.flatnonzero(mask[rows[0]]).mean()), int(rows[0])) if len(rows) else (0, 0)


def _is_bar(mask: NDArray[np.bool_]) -> bool:
    import numpy as np

    height, width = mask.shape
    alike_across, alike_down = float(np.mean(mask == mask[:, ::-1])), float(np.mean(mask == mask[::-1]))
    return int(height) >= 1.6 * int(width) and alike_across > 0.72 and alike_down > 0.68


def matched(picture: Grey, shape: Shape, around: Box) -> tuple[Box, float] | None:
    """Return where in a part of a picture a shape is, and which share of its pixels is alike; None if nowhere."""
    import cv2
    import numpy as np

    height, width = shape.pixels.shape
    inside = around.common(Box(0, 0, picture.shape[1], picture.shape[0]))
    if inside.width < width or inside.height < height:
        return None
    area = picture[inside.top : inside.bottom, inside.left : inside.right]
    distance = cv2.matchTemplate(area, shape.pixels, cv2.TM_SQDIFF, mask=shape.mask)
    _, _, (left, top), _ = cv2.minMaxLoc(distance)
    there = area[top : top + height, left : left + width].astype(np.int16)
    alike = np.abs(there - shape.pixels.astype(np.int16)) < _LIKE_LEVELS
    share = float(np.mean(alike[shape.mask > 0]))
    if share < _LIKE_SHARE:
        return None
    left, top = left + inside.left, top + inside.top
    return Box(left, top, left + width, top + height), share
