"""What a measurement gives: a value, the goal that it has to reach, and whether it does.

A module of `tests/bench` that measures is named in `rows.GROUPS`, and has `measure(rows)`, which yields the results of
these of its rows; a module with one row has `measure()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """One line of the table. `value` is None when it cannot be measured here, and `details["why"]` says why."""

    name: str
    value: float | None
    unit: str  # "× a bare DRF view", "ms", "MiB", "s", …
    goal: str  # "at most 0.5"; empty for a figure without a goal
    met: bool | None  # None without a value or a goal
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> str:
        """Return the value with its unit, to three digits."""
        if self.value is None:
            return f"not measured: {self.details['why']}"
        number = f"{self.value:,.0f}" if abs(self.value) >= 100 else f"{self.value:.3g}"
        return f"{number} {self.unit}".rstrip()

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: ""}[self.met]


def at_most(name: str, value: float, limit: float, unit: str, **details: Any) -> Result:
    """Return the result of a value that may be `limit` at most."""
    return Result(name, value, unit, f"at most {limit:g}", value <= limit, details)


def at_least(name: str, value: float, limit: float, unit: str, **details: Any) -> Result:
    """Return the result of a value that must be `limit` at least."""
    return Result(name, value, unit, f"at least {limit:g}", value >= limit, details)


def figure(name: str, value: float, unit: str, **details: Any) -> Result:
    """Return a result that has no goal."""
    return Result(name, value, unit, "", None, details)


def not_measured(name: str, why: str, goal: str = "") -> Result:
    """Return the line of what cannot be measured on this machine."""
    return Result(name, None, "", goal, None, {"why": why})


def of_figures(name: str, figures: dict[str, Any]) -> Iterator[Result]:
    """Yield the results of a measurement that gives numbers by name, and under `goals` the most that some may be."""
    goals = figures.get("goals", {})
    for key, value in figures.items():
        if key in goals:
            yield at_most(f"{name}: {key}", value, goals[key], "")
        elif isinstance(value, int | float):
            yield figure(f"{name}: {key}", value, "")


HEADINGS = ("what", "measured", "goal", "")


def lines(results: Iterable[Result]) -> list[tuple[str, str, str, str]]:
    """Return the cells of the table under HEADINGS, a line a result."""
    return [(result.name, result.measured, result.goal, result.verdict) for result in results]


def table(results: Iterable[Result]) -> str:
    """Return the table for a terminal."""
    cells = [HEADINGS, *lines(results)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
    return "\n".join(rows)
