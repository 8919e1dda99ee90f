"""How well the steps of a guide fit those that were labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    """Return pairs of positions in the two: as many as can be had, each position once, at most `near_ms` apart; of
    several ways to have as many, that in which they are least apart in all."""
    found = sorted(range(len(found_ms)), key=lambda at: found_ms[at])
    labelled = sorted(range(len(labelled_ms)), key=lambda at: labelled_ms[at])
    # The best chains of the first so many found and the first so many labelled.
    best: list[list[_Chain]] = [[_Chain(0, 0, None)] * (len(labelled) + 1)]
    for found_at in found:
        row = [_Chain(0, 0, None)]
        for number, label_at in enumerate(labelled, 1):
            row.append(max(row[-1], best[-1][number], key=_Chain.worth))
            apart = abs(found_ms[found_at] - labelled_ms[label_at])
            if apart <= near_ms:
                before = best[-1][number - 1]
                pair = _Chain(before.pairs + 1, before.apart + apart, ((found_at, label_at), before))
                row[-1] = max(row[-1], pair, key=_Chain.worth)
        best.append(row)
    pairs, chain = [], best[-1][-1]
    while chain.last:
        pair_at, chain = chain.last
        pairs.append(pair_at)
    return pairs[::-1]


class _Chain(NamedTuple):
    pairs: int
    apart: int
    last: tuple[tuple[int, int], _Chain] | None

    def worth(self) -> tuple[int, int]:
        return self.pairs, -self.apart


def score(found_ms: Sequence[int], labelled_ms: Sequence[int], *, near_ms: int = NEAR_MS) -> Score:
    """Return how well times (ms) fit labelled ones."""
    pairs = matches(found_ms, labelled_ms, near_ms=near_ms)
    return Score(len(found_ms), len(labelled_ms), len(pairs))
