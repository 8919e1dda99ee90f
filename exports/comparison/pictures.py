"""Where two pictures of a screen differ for a person who looks at both.

Both are brought to one size, that of the smaller, with at most `WORKING_SIDE` pixels on a side. Around each pixel the
mean difference of a window is taken, and the least of it over moves of the first picture by a pixel or two, so that
what stands that far elsewhere is no change (block matching; the picture as a whole is moved first where that
fits better). A difference counts from `_WEAK.levels` on, and from a share of the contrast in its window: what is left
of edges that were compressed, scaled, or moved by less than a pixel grows with their contrast and stays a small part
of it, while other letters differ by most of it. Places that count are grouped where they lie close together, and a
group is a change if a part of it differs clearly (two thresholds, as Canny 1986 has for edges). Groups that are no
larger than a pointer or a caret are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from anchors.render import decode
from exports.comparison.changes import WHOLE, Region
from exports.comparison.regions import Box, as_region, few

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]

WORKING_SIDE = 1920
_ASPECT = 0.01  # by which the shapes of two pictures may differ
_WINDOWS = 148  # on the longer side; one is as high as a line of small text
_MIN_WINDOW = 7  # pixels
_MARGIN = 16  # pixels; no window and move together reach so far
_MAX_WHOLE_MOVE = 3
_CLIPPED = 48  # levels; what has changed says nothing of how the picture as a whole was moved
_SAMPLED = 4  # every fourth row says it
_TILE = 64
_MOVED_SHARE = 0.1  # of the picture, that differs at least when all of it was moved
_LARGE_SHARE = 0.25  # of the picture: what differs so far is not a matter of small moves
_POINTER_HEIGHT, _POINTER_WIDTH = 34, 30


class _Threshold(NamedTuple):
    """Levels (0..255) of the mean difference in a window, and its share of the contrast there."""

    levels: int
    share: float


_WEAK = _Threshold(9, 0.22)
_CLEAR = _Threshold(20, 0.42)


def read_screen(content: bytes) -> Plane:
    """Return a picture as rows of pixels (luma and two differences of colour), made smaller to `WORKING_SIDE`.

    Raise ImageUnreadable for bytes that are no whole PNG, JPEG or WebP of 40 megapixels at most.
    """
    import cv2
    import numpy as np

    pixels = np.asarray(decode(content))
    height, width = pixels.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(width, height))
    smaller = _resized(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))
    return np.asarray(cv2.cvtColor(smaller, cv2.COLOR_RGB2YCrCb), np.uint8)


def _resized(pixels: Plane, size: tuple[int, int]) -> Plane:
    import cv2
    import numpy as np

    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def changed_regions(before: Plane, after: Plane) -> list[Region]:
    """Return where the picture after, as `read_screen` gives it, is another; empty when the two are the same.

    Pictures of another shape (by over 1 %) have changed as a whole.
    """
    shapes = [pixels.shape[1] / pixels.shape[0] for pixels in (before, after)]
    if abs(shapes[0] / shapes[1] - 1) > _ASPECT:
        return [WHOLE]
    smaller = min(before, after, key=lambda pixels: pixels.shape[1])
    size = smaller.shape[1], smaller.shape[0]
    first, second = _resized(before, size), _resized(after, size)
    window = max(_MIN_WINDOW, max(size) // _WINDOWS) | 1
    suspects = _suspects(first, second, window)
    if not suspects:
        return []
    if _share(suspects, size) >= _MOVED_SHARE and (move := _whole_move(first, second)) != (0, 0):
        first = _moved(first, *move)
        suspects = _suspects(first, second, window)
    differs, is_clear = _looked_at(first, second, suspects, window)
    if not is_clear.any():
        return []
    boxes = [box for box in _groups(differs, is_clear, window) if not _is_pointer(box)]
    return [as_region(box, size) for box in few(boxes)]


def _difference(first: Plane, second: Plane, window: int) -> Plane:
    """Return for each pixel the mean over its window of the difference of brightness or colour, whichever is more."""
    import cv2
    import numpy as np

    luma, red, blue = cv2.split(cv2.absdiff(first, second))
    most = cv2.max(luma, cv2.max(red, blue))
    return np.asarray(cv2.blur(most, (window, window), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _contrast(pixels: Plane, window: int) -> Plane:
    """Return for each pixel the mean over its window of how far brightness varies among neighbouring pixels."""
    import cv2
    import numpy as np

    luma, kernel = np.ascontiguousarray(pixels[..., 0]), np.ones((3, 3), np.uint8)
    varies = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, kernel)
    return np.asarray(cv2.blur(varies, (window, window), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _suspects(first: Plane, second: Plane, window: int) -> list[Box]:
    """Return the parts that differ when nothing is moved, in whole tiles."""
    import cv2
    import numpy as np

    height, width = first.shape[:2]
    differs = (_difference(first, second, window) >= _WEAK.levels).astype(np.uint8)
    padded = np.pad(differs, ((0, -height % _TILE), (0, -width % _TILE)))
    tiles = padded.reshape(padded.shape[0] // _TILE, _TILE, -1, _TILE).max(axis=(1, 3))
    _, _, stats, _ = cv2.connectedComponentsWithStats(tiles, connectivity=8)
    return [
        Box(left * _TILE, top * _TILE, min(width, (left + across) * _TILE), min(height, (top + down) * _TILE))
        for left, top, across, down, _ in stats[1:].tolist()
    ]


def _share(suspects: list[Box], size: tuple[int, int]) -> float:
    """Return how much of a picture of this size the parts take."""
    return sum(box.area for box in suspects) / (size[0] * size[1])


def _whole_move(first: Plane, second: Plane) -> tuple[int, int]:
    """Return by how many pixels (across, down) the first picture fits the second best; the smallest of equal moves."""
    import cv2
    import numpy as np

    reach = _MAX_WHOLE_MOVE
    height, width = first.shape[:2]
    if min(height, width) <= 4 * reach:
        return 0, 0
    still = np.ascontiguousarray(second[reach : height - reach : _SAMPLED, reach : width - reach, 0])

    def misfit(move: tuple[int, int]) -> tuple[float, int]:
        across, down = move
        rows = slice(reach - down, height - reach - down, _SAMPLED)
        moved = np.ascontiguousarray(first[rows, reach - across : width - reach - across, 0])
        clipped = cv2.min(cv2.absdiff(moved, still), _CLIPPED)  # type: ignore[call-overload]
        return round(cv2.mean(clipped)[0], 3), abs(across) + abs(down)

    moves = [(across, down) for down in range(-reach, reach + 1) for across in range(-reach, reach + 1)]
    return min(moves, key=misfit)


def _moved(pixels: Plane, across: int, down: int) -> Plane:
    """Return a picture moved by less than `_MARGIN` pixels, with what is at its edges repeated."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    wider = cv2.copyMakeBorder(pixels, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE)
    top, left = _MARGIN - down, _MARGIN - across
    return np.asarray(wider[top : top + height, left : left + width], np.uint8)


def _looked_at(first: Plane, second: Plane, suspects: list[Box], window: int) -> tuple[Plane, Plane]:
    """Return two masks: where the pictures differ, small moves allowed, and where they do so clearly."""
    import numpy as np

    height, width = first.shape[:2]
    differs, is_clear = np.zeros((2, height, width), np.uint8)
    reach = 0 if _share(suspects, (width, height)) > _LARGE_SHARE else window // 6
    for box in suspects:
        # With a margin, as windows at the edge reach beyond it.
        left, top = max(0, box.left - _MARGIN), max(0, box.top - _MARGIN)
        around = np.s_[top : box.bottom + _MARGIN, left : box.right + _MARGIN]
        inside = np.s_[box.top - top : box.bottom - top, box.left - left : box.right - left]
        least, contrast = _least_difference(first[around], second[around], reach, window)
        for mask, threshold in ((differs, _WEAK), (is_clear, _CLEAR)):
            counts = (least >= threshold.levels) & (least >= threshold.share * contrast)
            mask[box.top : box.bottom, box.left : box.right] = counts[inside]
    return differs, is_clear


def _least_difference(first: Plane, second: Plane, reach: int, window: int) -> tuple[Plane, Plane]:
    """Return the difference of two parts where the first is moved so that it fits best, and their contrast."""
    import cv2
    import numpy as np

    least = _difference(first, second, window)
    moves = range(-reach, reach + 1)
    for across, down in ((across, down) for down in moves for across in moves if across or down):
        least = np.minimum(least, _difference(_moved(first, across, down), second, window))
    return least, np.asarray(cv2.max(_contrast(first, window), _contrast(second, window)), np.uint8)


def _groups(differs: Plane, is_clear: Plane, window: int) -> Iterator[Box]:
    """Yield the rectangles of what lies close together and differs clearly somewhere."""
    import cv2
    import numpy as np

    height, width = differs.shape
    reach = max(3, max(height, width) // 48)
    grown = cv2.dilate(differs, np.ones((reach, reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    clear = set(np.unique(labels[is_clear > 0]).tolist())
    for label, (left, top, across, down, _) in enumerate(stats.tolist()):
        if label == 0 or label not in clear:
            continue
        part = np.s_[top : top + down, left : left + across]
        rows, columns = np.nonzero((labels[part] == label) & (differs[part] > 0))
        box = Box(left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1)
        yield _without_window(box, window)


def _without_window(box: Box, window: int) -> Box:
    """Return a rectangle without what windows add to letters; flat colours keep a margin of some pixels."""
    across = min(window // 4, (box.right - box.left - 1) // 2)
    down = min(window // 4, (box.bottom - box.top - 1) // 2)
    return Box(int(box.left + across), int(box.top + down), int(box.right - across), int(box.bottom - down))


def _is_pointer(box: Box) -> bool:
    """Return whether a rectangle is no larger than a pointer or a caret, and no wider than high, as words are."""
    width, height = box.right - box.left, box.bottom - box.top
    return height <= _POINTER_HEIGHT and width <= min(_POINTER_WIDTH, 1.3 * height + 4)
