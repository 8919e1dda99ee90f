"""The words of a line as they are compared, how alike two lines are, and which words came and went."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

from instructions.sequences import same_lines

MAX_CHARACTERS = 400
"""The number of first characters by which likeness is found."""

# What stands around words in sentences. Hyphens, slashes and currency signs are not among it: `-f` is not `f`.
_PUNCTUATION = ".,;:!?…·\"'()[]“”„‟‘’‚«»‹›。，、；：！？「」『』"


@dataclass(frozen=True)
class Line:
    """A paragraph, item, row of a table or line of code, as plain text. `kind` says how it is shown."""

    text: str
    kind: Literal["text", "item", "code"] = "text"

    @cached_property
    def shown(self) -> list[str]:
        """Return the words as they stand."""
        return self.text.split()

    @cached_property
    def keys(self) -> list[str]:
        """Return for each word what it is compared by: itself in code; else without case, compatibility forms
        (Unicode NFKC) and the punctuation around it, unless it is nothing else."""
        return self.shown if self.kind == "code" else [_key(word) for word in self.shown]


class Run(NamedTuple):
    """Words that follow one another: on both sides (`same`, as the newer side has them), or on one of them."""

    change: Literal["same", "removed", "added"]
    text: str


def _key(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return folded.strip(_PUNCTUATION) or folded


def keys_of(lines: Sequence[Line]) -> list[str]:
    """Return what the words of all lines are compared by, in order."""
    return [key for line in lines for key in line.keys]


def likeness(first: Sequence[str], second: Sequence[str]) -> float:
    """Return how alike two sequences of keys are, 0..1: the mean of the share of words that both have in the same order
    and of the share of such characters, so that an inflected word counts as half the same.

    A share is twice the length of a longest common subsequence, by the sum of both lengths (Indel similarity). The
    first `MAX_CHARACTERS` of each are looked at.
    """
    texts = [" ".join(keys)[:MAX_CHARACTERS] for keys in (first, second)]
    words = [text.split() for text in texts]
    return (Indel.normalized_similarity(*words) + Indel.normalized_similarity(*texts)) / 2


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
