"""Two functions that take turns in this process, and the CPU that each takes."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TURNS = 9


@dataclass(frozen=True)
class Compared:
    """The median over the pairs of turns, and the median of each side in ms of CPU, all threads together."""

    ratio: float
    ours_ms: float
    bare_ms: float

    def facts(self) -> dict[str, Any]:
        return {"ours_ms": self.ours_ms, "bare_ms": self.bare_ms}


def compare_calls(
    ours: Callable[[], object],
    bare: Callable[[], object],
    *,
    before: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.process_time,
    turns: int = TURNS,
) -> Compared:
    """Call both in turns, which begin with `before`; neither that nor the first pair counts."""
    taken: dict[Callable[[], object], list[float]] = {ours: [], bare: []}
    for turn in range(turns + 1):
        for side in (ours, bare) if turn % 2 else (bare, ours):
            before()
            gc.collect()  # what one side leaves is not the other's to pick up
            began = clock()
            side()
            taken[side].append((clock() - began) * 1000)
    pairs = list(zip(taken[ours], taken[bare], strict=True))[1:]
    return Compared(
        ratio=round(statistics.median(a / b for a, b in pairs), 3),
        ours_ms=round(statistics.median(a for a, _ in pairs), 2),
        bare_ms=round(statistics.median(b for _, b in pairs), 2),
    )
