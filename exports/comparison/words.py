"""The words of a line as they are compared, how alike two texts are, and which words came and went."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

from instructions.sequences import same_lines

MAX_CHARACTERS = 400
"""The number of first characters by which likeness is found."""

# What stands around words in sentences. Hyphens, slashes and currency signs are not among it: `-f` is not `f`.
_WORD = re.compile(r"\S+")
_PUNCTUATION = ".,;:!?…·\"'()[]“”„‟‘’‚«»‹›。，、；：！？「」『』"


@dataclass(frozen=True)
class Line:
    """A paragraph, item, row of a table or line of code, as plain text. `kind` says how it is shown; `exact` are the
    places of code in it, (begin, end) in their order."""

    text: str
    kind: Literal["text", "item", "code"] = "text"
    exact: tuple[tuple[int, int], ...] = ()

    @cached_property
    def shown(self) -> list[str]:
        """Return the words as they stand."""
        return self.text.split()

    @cached_property
    def keys(self) -> list[str]:
        """Return for each word what it is compared by: itself in code; else without case, compatibility forms
        (Unicode NFKC) and the punctuation around it, unless it is nothing else."""
        if self.kind == "code":
            return self.shown
        begins, ends = [begin for begin, _ in self.exact], [end for _, end in self.exact]
        keys = []
        for word in _WORD.finditer(self.text):
            first, behind = bisect_right(ends, word.start()), bisect_left(begins, word.end())
            if first == behind:
                keys.append(_key(word[0]))
            else:
                keys.append(_key_with_code(word, begins[first], ends[behind - 1]))
        return keys


class Run(NamedTuple):
    """Words that follow one another: on both sides (`same`, as the newer side has them), or on one of them."""

    change: Literal["same", "removed", "added"]
    text: str


def _key(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return folded.strip(_PUNCTUATION) or folded


def _key_with_code(word: re.Match[str], begin: int, end: int) -> str:
    """Return what a word is compared by in which code stands from `begin` to `end` of the line."""
    begin, end = max(begin, word.start()), min(end, word.end())
    before, after = word.string[word.start() : begin], word.string[end : word.end()]
    around = [unicodedata.normalize("NFKC", part).casefold() for part in (before, after)]
    return around[0].lstrip(_PUNCTUATION) + word.string[begin:end] + around[1].rstrip(_PUNCTUATION)


def keys_of(lines: Sequence[Line]) -> list[str]:
    """Return what the words of all lines are compared by, in order."""
    return [key for line in lines for key in line.keys]


class Measured(NamedTuple):
    """A text ready to be held against others: its different words, the sum of their weights, its first characters."""

    words: frozenset[str]
    weight: float
    text: str


class Vocabulary:
    """How much the words of some texts tell: one that stands in many of them tells little.

    The weight of a word is one by the number of texts that have it (after Spärck Jones, "A statistical interpretation
    of term specificity", 1972).
    """

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        self._held_by = Counter(word for keys in texts for word in set(keys))

    def measure(self, keys: Sequence[str]) -> Measured:
        words = frozenset(keys)
        return Measured(words, self._weight(words), " ".join(keys)[:MAX_CHARACTERS])

    def likeness(self, first: Measured, second: Measured) -> float:
        """Return how alike two texts are, 0..1: the mean of what they share by the weight of words (Dice's coefficient)
        and of the characters that both have in the same order (Indel similarity), so that an inflected word counts in
        part. Of the latter `MAX_CHARACTERS` of each are looked at."""
        both = first.weight + second.weight
        shared = 2 * self._weight(first.words & second.words) / both if both else 1.0
        return (shared + Indel.normalized_similarity(first.text, second.text)) / 2

    def _weight(self, words: Iterable[str]) -> float:
        return fsum(1 / self._held_by[word] for word in words)  # which is the same in any order


def runs(old: Line, new: Line) -> list[Run]:
    """Return the words of two lines as runs of the same, removed and added ones, in the order of both."""
    found: list[Run] = []
    at = new_at = 0
    for same, new_same in [*same_lines(old.keys, new.keys), (len(old.keys), len(new.keys))]:
        found += _run("removed", old.shown[at:same])
        found += _run("added", new.shown[new_at:new_same])
        found += _run("same", new.shown[new_same : new_same + 1])
        at, new_at = same + 1, new_same + 1
    joined: list[Run] = []
    for run in found:
        if joined and joined[-1].change == run.change:
            run = Run(run.change, f"{joined.pop().text} {run.text}")
        joined.append(run)
    return joined


def _run(change: Literal["same", "removed", "added"], words: Sequence[str]) -> list[Run]:
    return [Run(change, " ".join(words))] if words else []
