"""How well the steps of a guide fit those that were labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NEAR_MS = 3_000


@dataclass(frozen=True)
class Score:
    """How many steps were found, labelled, and both; the shares are 1 where there was nothing to find."""

    found: int
    labelled: int
    matched: int

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else float(not self.labelled)

    @property
    def recall(self) -> float:
        return self.matched / self.labelled if self.labelled else float(not self.found)

    @property
    def f1(self) -> float:
        total = self.found + self.labelled
        return 2 * self.matched / total if total else 1.0


def matches(
    found_ms: Sequence[int], labelled_ms: Sequence[int], *, near_ms: int = NEAR_MS
) -> list[tuple[int, int]]:
    """Return pairs of positions in the two: as many as can be had, each position once, at most `near_ms` apart.

    All tolerances are the same, so taking the earliest that fits gives the most pairs.
    """
    found = sorted(range(len(found_ms)), key=lambda at: found_ms[at])
    labelled = sorted(range(len(labelled_ms)), key=lambda at: labelled_ms[at])
    pairs, next_found = [], 0
    for label in labelled:
        while next_found < len(found) and found_ms[found[next_found]] < labelled_ms[label] - near_ms:
            next_found += 1
        if next_found < len(found) and found_ms[found[next_found]] <= labelled_ms[label] + near_ms:
            pairs.append((found[next_found], label))
            next_found += 1
    return pairs


def score(found_ms: Sequence[int], labelled_ms: Sequence[int], *, near_ms: int = NEAR_MS) -> Score:
    """Return how well times (ms) fit labelled ones."""
    pairs = matches(found_ms, labelled_ms, near_ms=near_ms)
    return Score(len(found_ms), len(labelled_ms), len(pairs))
