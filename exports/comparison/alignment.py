"""Put the items of two sequences together that stand for one another, in the order of both.

A global alignment by dynamic programming (Needleman and Wunsch, "A general method applicable to the search for
similarities in the amino acid sequence of two proteins", 1970). A pair scores by how alike its items are, what stays
alone scores nothing: so an item that was put in between shifts nothing. Items that were moved to another place are not
put together, as a pair would cross the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

MIN_LIKENESS = 0.5
"""The likeness from which two items may be a pair. Steps about something else share frequent words, and half of their
letters by chance."""

Place = tuple[int | None, int | None]


def align(old: Sequence[Item], new: Sequence[Item], likeness: Callable[[Item, Item], float]) -> list[Place]:
    """Return the places of both sequences in one order: pairs, places of `old` alone, and of `new` alone.

    The pairs have the highest sum of `likeness` (0..1) over `MIN_LIKENESS` of all that keep the order; of equal sums,
    the one whose pairs stand first. What is of `old` alone stands behind what it stood behind, before what is of `new`
    alone. Takes time and memory as the product of the lengths.
    """
    scores = [[likeness(one, other) - MIN_LIKENESS for other in new] for one in old]
    # By place: the best sum of what follows it.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for row in range(len(old) - 1, -1, -1):
        for column in range(len(new) - 1, -1, -1):
            pair = best[row + 1][column + 1] + scores[row][column]
            best[row][column] = max(best[row + 1][column], best[row][column + 1], pair)
    return _walk(scores, best)


def _walk(scores: list[list[float]], best: list[list[float]]) -> list[Place]:
    rows, columns = len(best) - 1, len(best[0]) - 1
    places: list[Place] = []
    row = column = 0
    while row < rows and column < columns:
        if best[row][column] == best[row + 1][column + 1] + scores[row][column]:
            places.append((row, column))
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            places.append((row, None))
            row += 1
        else:
            places.append((None, column))
            column += 1
    places += [(left, None) for left in range(row, rows)]
    places += [(None, left) for left in range(column, columns)]
    return places
