"""Where to crop a picture of a large screen, so that what is acted on and the window that it is in can be read.

All places are shares (0..1) of the picture's width and height.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.media.screen import Region

LARGE_PIXELS = 1_600
"""The width in pixels from which what is shown of a screen becomes small on a page."""

MIN_SHARE = 0.4
"""Of the picture's width and height that a crop keeps at least."""

MAX_SHARE = 0.8
"""Of the picture's area; a crop that keeps more is not worth it."""

_MARGIN = 0.03
_MONITORS_ASPECT = 2.4  # of two screens beside each other; ultra-wide ones have 2.37 at most


def crop_for(size: tuple[int, int], *, shown: Sequence[Region], window: Region | None) -> Region | None:
    """Return the crop of a picture of `size` pixels to a window and what must be shown (a control, a ring), with a
    margin, in the shape of the picture; None when most of the picture would be left.

    Without a window it is the half of a picture of two monitors. All that must be shown is inside.
    """
    width, height = size
    if width <= LARGE_PIXELS:
        return None
    if window:
        part = _grown(_around([*shown, window]))
    elif width / height >= _MONITORS_ASPECT and (monitor := _monitor(_around(shown))):
        part = monitor
    else:
        return None
    return part if part.width * part.height <= MAX_SHARE else None


def _monitor(part: Region) -> Region | None:
    """Return the half that a part is in; None when it is in both."""
    if part.x + part.width <= 0.5:
        return Region(0.0, 0.0, 0.5, 1.0)
    return Region(0.5, 0.0, 0.5, 1.0) if part.x >= 0.5 else None


def _around(parts: Sequence[Region]) -> Region:
    left, top = min(each.x for each in parts), min(each.y for each in parts)
    right = max(each.x + each.width for each in parts)
    bottom = max(each.y + each.height for each in parts)
    return Region(left, top, right - left, bottom - top)


def _grown(part: Region) -> Region:
    """Return a part with a margin, of the picture's shape, and inside the picture."""
    share = min(1.0, max(part.width + 2 * _MARGIN, part.height + 2 * _MARGIN, MIN_SHARE))
    left = min(max(part.x + part.width / 2 - share / 2, 0.0), 1 - share)
    top = min(max(part.y + part.height / 2 - share / 2, 0.0), 1 - share)
    return Region(left, top, share, share)
