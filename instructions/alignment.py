"""Divide what was said among the texts that were written from it, by the words that they share.

The score of a segment for a text is the part of the segment's different words that the text has too (the containment
of Broder, "On the resemblance and containment of documents", 1997). Words that all of the texts have tell nothing and
do not count. Segments and texts are both in the order in which they were said, so the division keeps it: of all that
do, it is one with the highest sum of scores (dynamic programming, as Needleman and Wunsch 1970, without gaps).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

MIN_SCORE = 0.2
"""The mean score from which a division counts. Two sentences about something else share fewer words."""

MAX_CHARACTERS = 200
"""The number of first characters by which a segment is compared."""

_MARKS = str.maketrans("", "", "\\*_`~")
# Scripts that are written without spaces are compared by their characters.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+")


def plain(text: str) -> str:
    """Return a text for comparing: without marks of emphasis, code and escapes, runs of white space as one blank."""
    return " ".join(text.translate(_MARKS).split())


def divide(texts: Sequence[str], said: Sequence[str]) -> list[int] | None:
    """Return for each segment of `said` the index of the text that it belongs to, in ascending order.

    Return None when the words do not tell: the mean score is under MIN_SCORE. A segment without a score belongs to
    the text of the one before it, the first ones to the first text. Takes time as the number of texts times segments.
    """
    if not texts or not said:
        return None
    scores = _scores([_words(text) for text in texts], [_words(text[:MAX_CHARACTERS]) for text in said])
    chosen = _best_in_order(scores)
    total = sum(score[at] for score, at in zip(scores, chosen, strict=True))
    return chosen if total >= MIN_SCORE * len(said) else None


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _scores(texts: Sequence[frozenset[str]], said: Iterable[frozenset[str]]) -> list[list[float]]:
    """Return for each segment its score for each text."""
    held_by = Counter(word for words in texts for word in words)
    texts_with: dict[str, list[int]] = {}
    for number, words in enumerate(texts):
        for word in words:
            if held_by[word] < len(texts):
                texts_with.setdefault(word, []).append(number)
    found = []
    for words in said:
        shared = [0] * len(texts)
        for word in words:
            for number in texts_with.get(word, ()):
                shared[number] += 1
        found.append([count / len(words) if words else 0.0 for count in shared])
    return found


def _best_in_order(scores: Sequence[Sequence[float]]) -> list[int]:
    """Return for each row the index of one of its scores, ascending, with the highest sum; of equals the first."""
    sums = [0.0] * len(scores[0])
    came_from: list[list[int]] = []
    for row in scores:
        best, steps = 0, []
        new = []
        for at, score in enumerate(row):
            if sums[at] > sums[best]:
                best = at
            steps.append(best)
            new.append(sums[best] + score)
        came_from.append(steps)
        sums = new
    at = max(range(len(sums)), key=lambda index: (sums[index], -index))
    chosen = [at]
    for steps in reversed(came_from[1:]):
        at = steps[at]
        chosen.append(at)
    return chosen[::-1]
