"""How a place in a recording is told."""

from __future__ import annotations


def clock(milliseconds: int) -> str:
    """Return a place in a recording in whole seconds, rounded down: `1:02:03`, `2:03`."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
