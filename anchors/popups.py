"""Menus, lists and windows that open and close again: changes after which the screen looks as before another one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = 12
"""From how many levels of brightness (of 255) a pixel is another; an encoder's noise on still text is within 8."""

_PIXELS = 2  # of a cell of 16 by 16; a caret is 1 by 5
_REMEMBERED = 6  # pictures
_REMEMBERED_MS = 30_000
_LEFT_SHARE = 0.5  # of the pixels that opening and closing change: the pointer and what was chosen
_FAR_LEVELS = 32  # what is shown is known to `LEVELS` only, at both times
_MAX_POPUPS = 5_000  # of a recording; about 15 bytes of JSON each


def differing(first: NDArray[np.uint8], second: NDArray[np.uint8], levels: int = LEVELS) -> NDArray[np.bool_]:
    """Return which pixels of two pictures differ."""
    import numpy as np

    other: NDArray[np.bool_] = np.maximum(first, second) - np.minimum(first, second) >= levels
    return other


def cells_of(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return in which cells so many pixels are true that it is no noise, as one row; pixels are as in `activity`."""
    import numpy as np

    cells: NDArray[np.bool_] = np.count_nonzero(pixels, axis=(1, 3)).ravel() >= _PIXELS
    return cells


@dataclass(frozen=True, eq=False)
class _Run:
    """Where something changed, the picture before, and how many pixels are others after."""

    start_ms: int
    before: NDArray[np.uint8]
    pixels: int


class Popups:
    """Remembers the last few pictures before something larger changed, and holds each new still picture against
    them."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []
        self._runs: deque[_Run] = deque(maxlen=_REMEMBERED)
        self._now: tuple[int, NDArray[np.uint8]] | None = None

    def moves(self, start_ms: int, before: NDArray[np.uint8]) -> None:
        """Take in that from `start_ms` on the screen changes, which showed `before`."""
        if self._now is None:
            self._now = start_ms, before.copy()

    def rests(self, picture: NDArray[np.uint8]) -> None:
        """Take in that the screen has come to rest and shows `picture`."""
        if self._now is None:
            return
        now = _Run(*self._now, pixels=_far(self._now[1], picture))
        self._now = None
        while self._runs and self._runs[0].start_ms < now.start_ms - _REMEMBERED_MS:
            self._runs.popleft()
        for run in reversed(self._runs):
            if _far(run.before, picture) <= _LEFT_SHARE * min(now.pixels, run.pixels):
                if len(self.found) < _MAX_POPUPS:
                    self.found.append((run.start_ms, now.start_ms))
                break
        self._runs.append(now)

    def reset(self) -> None:
        """Forget all pictures; those that follow are of another size."""
        self._runs.clear()
        self._now = None


def _far(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    return int(differing(first, second, _FAR_LEVELS).sum())
