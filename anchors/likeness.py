"""How alike two texts are, and which of thousands of texts is most alike to one, at a cost that has a limit.

The score is the ratio of matching characters (difflib: Ratcliff and Obershelp, 1988). Computing it takes time that
grows with the cube of the length at worst; here each text is compared with few others, chosen by the pairs of
neighbouring characters that they share, and steps are counted. No clock decides: equal texts get equal answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import Match, SequenceMatcher
from functools import cached_property
from heapq import nsmallest
from itertools import accumulate, pairwise
from math import ceil, floor

MIN_SCORE = 0.6
"""The score from which a block counts as the same."""

MAX_CHARACTERS = 400
"""The number of first characters by which blocks are compared."""

MAX_COMPARED = 16
"""The number of blocks that a lost text is compared with, those that share most with it."""

MAX_STEPS_BY_HAND = 600_000
"""The number of steps that are taken when a person asks which blocks are like one lost text: some 60 ms."""

MAX_STEPS = 60_000
"""The number of steps (a character here held against the same character there, about 100 ns) that are taken for a
lost text. Two English texts of 400 characters take 15,000 to 25,000. What is not reached counts as not alike.
With this, 500 lost anchors in a text of 5,000 blocks take some 4 s at worst."""

_MARKER = re.compile(r"<!--[ \t]*block:[^<>]*-->")
_BITS = 4096


class _TooManySteps(Exception):
    pass


def comparable(markdown: str) -> str:
    """Return a text as it is compared: without block markers, each run of white space as one blank, cut."""
    return " ".join(_MARKER.sub(" ", markdown).split())[:MAX_CHARACTERS]


class Comparison:
    """One text that is held against others, with the steps that are left for it."""

    def __init__(self, text: str, steps: int = MAX_STEPS) -> None:
        self.text = text
        self.left = steps
        self._matcher = _CountingMatcher(text)

    def ratio(self, other: str) -> float:
        """Return the score of another text; 0 when the steps do not suffice."""
        if other == self.text:
            return 1.0
        self._matcher.allow(other, self.left)
        try:
            return self._matcher.ratio()
        except _TooManySteps:
            return 0.0
        finally:
            self.left = self._matcher.left

    def bound(self, other: str) -> float:
        """Return a number that the score is not above."""
        self._matcher.set_seq1(other)
        return min(self._matcher.real_quick_ratio(), self._matcher.quick_ratio())

    @cached_property
    def traits(self) -> int:
        return _traits(self.text)


class _CountingMatcher(SequenceMatcher[str]):
    """A matcher with the text that does not change as its second sequence, as difflib advises."""

    def __init__(self, text: str) -> None:
        super().__init__(a="", b=text, autojunk=False)
        self.left = 0
        self._places = Counter(text)
        self._other = ""
        self._steps_before = [0]

    def allow(self, other: str, steps: int) -> None:
        """Compare with this text next, in so many steps."""
        self.set_seq1(other)
        self.left, self._other = steps, other
        self._steps_before = [0, *accumulate(1 + self._places[character] for character in other)]

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        """Count what difflib is about to look at: each character of `a`, and every place that it has in `b`."""
        end = len(self._other) if ahi is None else ahi
        self.left -= self._steps_before[end] - self._steps_before[alo]
        if self.left < 0:
            raise _TooManySteps
        return super().find_longest_match(alo, ahi, blo, bhi)


class Likeness:
    """Finds the text most alike among those of a version: `(id, text, the same block's text before or None)`."""

    def __init__(self, texts: Sequence[tuple[str, str, str | None]]) -> None:
        self._texts = [entry for entry in texts if entry[1] != entry[2]]

    @cached_property
    def _traits(self) -> list[tuple[int, int, int]]:
        """By position: a text's length, its pairs of characters, and how many these are."""
        return [(len(text), traits := _traits(text), traits.bit_count()) for _, text, _ in self._texts]

    @cached_property
    def _kept(self) -> dict[int, tuple[float, int]]:
        """By position: how alike a text is to its own former self, and the steps that this took."""
        return {}

    def best(self, comparison: Comparison, *, without: str | None = None) -> tuple[str, float]:
        """Return id and score of the most alike, of equals the first; `""` and 0 when there is none."""
        best, best_id = (0.0, 0), ""
        for position in self._nearest(comparison, without):
            block_id, text, former = self._texts[position]
            if comparison.left <= 0:
                break
            if comparison.bound(text) < max(MIN_SCORE, best[0]):
                continue
            score = comparison.ratio(text)
            if (score, -position) <= best or (
                former is not None and score <= self._kept_of(position, comparison)
            ):
                continue
            best, best_id = (score, -position), block_id
        return best_id, best[0]

    def _nearest(self, comparison: Comparison, without: str | None) -> list[int]:
        """Return the positions of the texts that share most pairs of characters, of those not too short or long."""
        wanted, length = comparison.traits, len(comparison.text)
        size = wanted.bit_count()
        # 2 * min(a, b) >= MIN_SCORE * (a + b), the most that two lengths allow, is a range of the other length.
        shortest, longest = (
            floor(length * MIN_SCORE / (2 - MIN_SCORE)),
            ceil(length * (2 - MIN_SCORE) / MIN_SCORE),
        )
        estimates = [
            (-(wanted & traits).bit_count() / ((size + number) or 1), position)
            for position, (letters, traits, number) in enumerate(self._traits)
            if shortest <= letters <= longest and self._texts[position][0] != without
        ]
        return [position for _, position in nsmallest(MAX_COMPARED, estimates)]

    def _kept_of(self, position: int, comparison: Comparison) -> float:
        """Return how alike a text is to its own former self; each comparison pays for it."""
        if position not in self._kept:
            _, text, former = self._texts[position]
            own = Comparison(former or "")
            self._kept[position] = own.ratio(text), MAX_STEPS - own.left
        score, steps = self._kept[position]
        comparison.left -= steps
        return score


def most_alike(lost: str, texts: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return by id the texts of `(id, text)` that are most like a lost one with their scores, the most alike first.

    However low the scores are; they are of the MAX_COMPARED texts that share most with it.
    """
    comparison = Comparison(lost, MAX_STEPS_BY_HAND)
    wanted = comparison.traits
    size = wanted.bit_count()
    estimates = []
    for position, (_, text) in enumerate(texts):
        traits = _traits(text)
        estimates.append((-(wanted & traits).bit_count() / ((size + traits.bit_count()) or 1), position))
    nearest = [position for _, position in nsmallest(MAX_COMPARED, estimates)]
    scores = [(-comparison.ratio(texts[position][1]), position) for position in nearest]
    return {texts[position][0]: -score for score, position in sorted(scores) if score < 0}


def _traits(text: str) -> int:
    """Return the pairs of neighbouring characters as bits of a number, so that what two texts share is `&`."""
    bits = bytearray(_BITS // 8)
    for one, two in pairwise(map(ord, text)):
        place = (one * 31 + two) % _BITS
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")
