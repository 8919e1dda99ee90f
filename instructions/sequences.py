"""What two sequences have in common, in the same order."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, sqrt

from rapidfuzz.distance import LCSseq

MAX_CELLS = 2**27  # of the table of one alignment, a bit each: 16 MiB

Pair = tuple[int, int]  # a place in the first sequence, and one in the second


def same_lines(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Return pairs of places where both have the same line, in ascending order: what a diff leaves standing.

    Lines that each has once are put together first, the longest run of them that is in order in both ("patience
    diff", Bram Cohen); between them the longest common subsequence is taken. The result is not always the longest.
    """
    numbers: dict[str, int] = {}
    left = [numbers.setdefault(line, len(numbers)) for line in old]
    right = [numbers.setdefault(line, len(numbers)) for line in new]
    times, new_times = Counter(left), Counter(right)
    places = {number: place for place, number in enumerate(right) if new_times[number] == 1}
    once = [
        (place, places[number])
        for place, number in enumerate(left)
        if times[number] == 1 and number in places
    ]
    fixed = [once[index] for index in heaviest_increasing([place for _, place in once], [1] * len(once))]
    pairs: list[Pair] = []
    line = new_line = 0
    for same, new_same in [*fixed, (len(left), len(right))]:
        pairs += [
            (line + place, new_line + new_place)
            for place, new_place in _aligned(left[line:same], right[new_line:new_same])
        ]
        if same < len(left):
            pairs.append((same, new_same))
        line, new_line = same + 1, new_same + 1
    return pairs


def _aligned(left: Sequence[int], right: Sequence[int]) -> list[Pair]:
    """Return the places of a longest common subsequence; of long ones that are cut into parts, of each part."""
    common = {*left} & {*right}
    kept = [place for place, number in enumerate(left) if number in common]
    new_kept = [place for place, number in enumerate(right) if number in common]
    parts = ceil(sqrt(len(kept) * len(new_kept) / MAX_CELLS))
    pairs: list[Pair] = []
    for part, new_part in zip(_cut(kept, parts), _cut(new_kept, parts), strict=True):
        opcodes = LCSseq.opcodes([left[place] for place in part], [right[place] for place in new_part])
        for run in opcodes.as_matching_blocks():
            pairs += zip(part[run.a : run.a + run.size], new_part[run.b : run.b + run.size], strict=True)
    return pairs


def _cut(items: Sequence[int], parts: int) -> list[Sequence[int]]:
    """Return the items in so many runs of equal length."""
    bounds = [len(items) * part // parts for part in range(parts + 1)] if parts else []
    return [items[start:end] for start, end in pairwise(bounds)]


def heaviest_increasing(values: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Return the indices of an increasing subsequence whose weights have the greatest sum.

    The values differ from one another, and the weights are positive. Takes O(n log n): for each value it is known
    what the heaviest subsequence up to it weighs, without those that a heavier one of smaller values beats
    (Fredman 1975, "On computing the length of longest increasing subsequences", with weights).
    """
    ends: list[int] = []  # the last values of subsequences that no other beats, in order; so are their sums
    sums: list[int] = []
    indices: list[int] = []
    before = [-1] * len(values)
    for index, value in enumerate(values):
        place = bisect_left(ends, value)
        if place:
            before[index] = indices[place - 1]
        total = weights[index] + (sums[place - 1] if place else 0)
        beaten = place
        while beaten < len(ends) and sums[beaten] <= total:
            beaten += 1
        ends[place:beaten], sums[place:beaten], indices[place:beaten] = [value], [total], [index]
    found = []
    index = indices[-1] if indices else -1
    while index >= 0:
        found.append(index)
        index = before[index]
    return found[::-1]
