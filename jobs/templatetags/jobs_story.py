"""How times are told on a job's page."""

from __future__ import annotations

from datetime import timedelta

from django import template

from jobs.media.clock import clock

register = template.Library()
register.filter(clock)
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


@register.filter
def shortly(took: timedelta) -> str:
    """Return a time in its two largest units: `2 d 3 h`, `4 min 5 s`, `0.25 s`."""
    seconds = took.total_seconds()
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    left, parts = int(seconds), list[str]()
    for size, unit in (*_UNITS, (1, "s")):
        if left >= size or parts:
            parts.append(f"{left // size} {unit}")
        left %= size
    return " ".join(parts[:2])
