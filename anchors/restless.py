"""Which parts of a screen keep changing on their own: carets, clocks, spinners, pictures that move."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_MS = 3_000
"""How far before and after a moment is looked at."""

_SECONDS_OF_BLINKING = 5  # of the 6 in a window
_SPINNING_MS = 750  # before and after
_SPINNING_SHARE = 0.7
_MAX_RESTLESS_SHARE = 0.06  # more is a scroll, a drag or a film: that is no small thing on a still screen
_PAUSE_MS = 3_000
_MIN_LOADING_MS, _MAX_LOADING_MS = 700, 15_000
_FROM_THE_START_MS = 1_500
_MAX_LOADINGS = 5_000  # of a recording; about 15 bytes of JSON each
_EDGE_MS = 300  # until a spinner is taken for one


@dataclass(frozen=True, eq=False)
class Step:
    """From one picture to the next one looked at. `changed` has a truth value for each cell, None for no cell."""

    start_ms: int
    end_ms: int
    changed: NDArray[np.bool_] | None


class Restless:
    """Follows the cells of a recording. A cell is restless while it changes in all but one of the seconds around (it
    blinks), or in most pictures around (it spins). What spins for some seconds only is a sign of loading."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._loading: list[tuple[int, int]] = []
        self._since: NDArray[np.int64] | None = None
        self._until: NDArray[np.int64] | None = None

    def reset(self) -> None:
        """Begin anew, with cells of another number."""
        self._end_runs(None)
        self._steps.clear()
        self._since = self._until = None

    def add(self, step: Step) -> None:
        self._steps.append(step)

    def settled(self, step: Step) -> NDArray[np.bool_] | None:
        """Return which cells changed in a step without being restless; None when none changed.

        Steps are asked for in order, each when those of the following `WINDOW_MS` were added.
        """
        while self._steps and self._steps[0].end_ms < step.end_ms - WINDOW_MS:
            self._steps.popleft()
        if step.changed is None:
            return None
        spinning = self._spinning(step)
        restless = spinning | self._blinking(step)
        if restless.mean() > _MAX_RESTLESS_SHARE:
            return step.changed
        self._follow(step, spinning)
        return step.changed & ~restless

    def finish(self) -> list[tuple[int, int]]:
        """Return the stretches of loading, in order, apart from each other."""
        self._end_runs(None)
        self._loading = _joined(self._loading)
        return self._loading

    def _spinning(self, step: Step) -> NDArray[np.bool_]:
        import numpy as np

        assert step.changed is not None  # nosec B101
        moved_ms = np.zeros(len(step.changed), np.int64)
        for other in self._steps:
            if other.changed is not None and abs(other.end_ms - step.end_ms) <= _SPINNING_MS:
                moved_ms += other.changed * (other.end_ms - other.start_ms)
        spinning: NDArray[np.bool_] = moved_ms >= _SPINNING_SHARE * 2 * _SPINNING_MS
        return spinning

    def _blinking(self, step: Step) -> NDArray[np.bool_]:
        import numpy as np

        assert step.changed is not None  # nosec B101
        seconds = np.zeros((2 * WINDOW_MS // 1000, len(step.changed)), bool)
        seen = set()
        for other in self._steps:
            second = (other.end_ms - step.end_ms + WINDOW_MS) // 1000
            if 0 <= second < len(seconds):
                seen.add(second)
                if other.changed is not None:
                    seconds[second] |= other.changed
        blinking: NDArray[np.bool_] = seconds.sum(axis=0) >= _SECONDS_OF_BLINKING
        return blinking

    def _follow(self, step: Step, spinning: NDArray[np.bool_]) -> None:
        import numpy as np

        if self._since is None or self._until is None:
            self._since = np.full(len(spinning), -1, np.int64)
            self._until = np.full(len(spinning), -1, np.int64)
        self._end_runs(step.start_ms - _PAUSE_MS)
        self._since[spinning & (self._since < 0)] = step.start_ms
        self._until[spinning] = step.end_ms

    def _end_runs(self, before_ms: int | None) -> None:
        """Note the runs of cells that last spun before a time; all without one."""
        if self._since is None or self._until is None:
            return
        over = self._since >= 0
        if before_ms is not None:
            over &= self._until < before_ms
        if not over.any():
            return
        runs = set(zip(self._since[over].tolist(), self._until[over].tolist(), strict=True))
        for start, end in sorted(runs):
            if before_ms is None and start <= _FROM_THE_START_MS:
                continue  # a clock, as it turns through the whole of a short recording
            if _MIN_LOADING_MS <= end - start <= _MAX_LOADING_MS:
                self._loading.append((max(0, start - _EDGE_MS), end + _EDGE_MS))
        if len(self._loading) > 2 * _MAX_LOADINGS:
            self._loading = _joined(self._loading)[:_MAX_LOADINGS]
        self._since[over] = -1


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
