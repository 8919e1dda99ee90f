"""Where the time of a call goes."""

from __future__ import annotations

import cProfile
import io
import os
import pstats
from collections.abc import Callable

LINES = 14


def profile(call: Callable[[], object], *, times: int = 5) -> list[str]:
    """Return the functions that take most of the time of `call` by themselves, in this thread, as lines."""
    call()
    profiler = cProfile.Profile()
    for _ in range(times):
        profiler.runcall(call)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(LINES)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return [line for line in lines if line and not line.lstrip().startswith(("Ordered", "List reduced"))]


def why(met: bool | None, call: Callable[[], object], *, times: int = 5) -> dict[str, list[str]]:
    """Return the profile as the detail of a result, if its goal is missed or PROFILE=1 asks for each; else nothing."""
    return {"profile": profile(call, times=times)} if met is False or os.environ.get("PROFILE") == "1" else {}
