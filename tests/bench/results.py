"""What a measurement gives: a value, the goal that it has to reach, and whether it does.

A module of `tests/bench` that measures has `ROWS`, the names that `make bench ROWS="…"` takes, and
`measure(rows)`, which yields the results of those rows; a module without `ROWS` is one row, `measure()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """One line of the table. `value` is None when it cannot be measured here, and `details["why"]` says why."""

    name: str
    value: float | None
    unit: str  # "× bare DRF view", "ms", "MiB", "s", …
    goal: str  # "at most 0.5"; empty for a figure without a goal
    met: bool | None  # None without a value or a goal
    details: dict[str, Any] = field(default_factory=dict)


def at_most(name: str, value: float, limit: float, unit: str, **details: Any) -> Result:
    """Return the result of a value that may be `limit` at most."""
    return Result(name, value, unit, f"at most {limit:g}", value <= limit, details)


def at_least(name: str, value: float, limit: float, unit: str, **details: Any) -> Result:
    """Return the result of a value that must be `limit` at least."""
    return Result(name, value, unit, f"at least {limit:g}", value >= limit, details)


def figure(name: str, value: float, unit: str, **details: Any) -> Result:
    """Return a result that has no goal."""
    return Result(name, value, unit, "", None, details)


def not_measured(name: str, unit: str, goal: str, why: str) -> Result:
    """Return the line of what cannot be measured on this machine."""
    return Result(name, None, unit, goal, None, {"why": why})
