"""What an operator's command has done, counted as it goes. Of failures the first are kept: memory stays flat."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MAX_LISTED = 100


@dataclass
class Report:
    """Outcomes by format, and what went wrong. `ended_as` is `finished`, `interrupted`, or why it gave up."""

    command: str
    run_id: str
    is_dry: bool = False
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (format, outcome)
    reasons: Counter[str] = field(default_factory=Counter)  # how many exports have this code
    left_off: int = 0  # exports with codes that are not listed, as MAX_LISTED are
    listed: list[dict[str, Any]] = field(default_factory=list)
    ended_as: str = "finished"
    began: float = field(default_factory=time.monotonic)

    def count(self, format: str, outcome: str, *codes: str, **facts: Any) -> None:
        """Count one export; with codes it is listed with its facts, too."""
        self.counts[format, outcome] += 1
        self.reasons.update(codes)
        if codes and len(self.listed) < MAX_LISTED:
            self.listed.append({"format": format, "outcome": outcome, "codes": list(codes), **facts})
        elif codes:
            self.left_off += 1

    def total(self, *outcomes: str) -> int:
        """Return how many had one of these outcomes; all of them without any."""
        return sum(number for (_, found), number in self.counts.items() if not outcomes or found in outcomes)

    def by_format(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (format, outcome), number in sorted(self.counts.items()):
            found.setdefault(format, {})[outcome] = number
        return found

    def to_json(self) -> dict[str, Any]:
        totals: Counter[str] = Counter()
        for (_, outcome), number in self.counts.items():
            totals[outcome] += number
        return {
            "command": self.command,
            "run_id": self.run_id,
            "dry_run": self.is_dry,
            "ended_as": self.ended_as,
            "seconds": round(time.monotonic() - self.began, 1),
            "totals": dict(sorted(totals.items())),
            "formats": self.by_format(),
            "reasons": dict(sorted(self.reasons.items())),
            "listed": self.listed,
            "left_off": self.left_off,
            "listed_at_most": MAX_LISTED,
        }
