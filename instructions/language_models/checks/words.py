"""Words of texts in any language, for comparing one text with another."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

# Scripts that are written without spaces between words, or whose words begin with particles.
UNSPACED = "\u0600-\u06ff\u0900-\u0e7f\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_RUNS = re.compile(rf"[{UNSPACED}]+|[^{UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
_STEM = 5  # letters by which words count as the same: "click" and "clicking"
_RUN = 3  # words in a row by which a text is known again
_SHORT = 3  # letters of words that say nothing on their own


@cache
def word_list(name: str) -> frozenset[str]:
    """Return a list of `wordlists.toml`."""
    lists = tomllib.loads(Path(__file__).with_name("wordlists.toml").read_text(encoding="utf-8"))
    return frozenset(lists[name].split())


def normal(text: str) -> str:
    """Return the text as it is compared: compatible forms as one (NFKC), case folded, without characters that nobody
    sees (Cf), white space as single spaces."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(each for each in composed if unicodedata.category(each) != "Cf")
    return " ".join(visible.split())


def content_words(text: str) -> Counter[str]:
    """Return how often a text has each word that says what it is about, shortened to its first five letters; of
    scripts without spaces, pairs of characters. A text of nothing but short and frequent words has all of these."""
    found: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for word in WORD.findall(normal(text)):
        for run in _RUNS.findall(word):
            if _IS_UNSPACED.match(run):
                found.update(run[at : at + 2] for at in range(max(1, len(run) - 1)))
            elif is_content(run) or run.isdecimal():
                found[run[:_STEM]] += 1
            else:
                others[run] += 1
    return found or others


def is_content(word: str) -> bool:
    """Return whether a word in normal form says what a text is about, rather than how it goes on."""
    return len(word) > _SHORT and word not in word_list("frequent")


def runs_of_words(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield what each text has three words in a row of, two of which at least say what it is about."""
    for text in texts:
        words = WORD.findall(normal(text))
        for at in range(len(words) - _RUN + 1):
            run = tuple(words[at : at + _RUN])
            if sum(map(is_content, run)) > 1:
                yield run
