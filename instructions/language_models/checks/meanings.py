"""Where in a text words of certain meanings stand, in any of the languages of `concepts.toml`, also disguised."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from instructions.language_models.checks.words import UNSPACED, WORD, normal

_TABLE = Path(__file__).with_name("concepts.toml")
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
_SPELLED = re.compile(r"(?<!\w)(?:[^\W\d_][\s.*_-]+){3,}[^\W\d_](?!\w)")  # "i g n o r e", "i.g.n.o.r.e"

# Letters of other scripts, and digits, that look like Latin ones (after Unicode Technical Standard 39).
_LOOK_LIKE = {
    "абвгдеёзіјкмнорсстухһѕԛԝԁӏ": "a6brdee3ijkmhopcctyxhsqwdl",
    "αβγεικνορτυχωϲ": "abyeiknoptuxwc",
    "01345$7@!|": "oieasstail",
}
_LOOKALIKES = {
    ord(sign): letter
    for signs, letters in _LOOK_LIKE.items()
    for sign, letter in zip(signs, letters, strict=True)
}


@dataclass(frozen=True)
class Hit:
    """A word or phrase of one meaning, from `begin` to `end` in the text as it was looked at."""

    begin: int
    end: int
    concept: str


class _Lexicon:
    """Beginnings of words and whole words, alone and in phrases, each with what it means."""

    def __init__(self, table: dict[str, dict[str, str]]) -> None:
        self.stems: dict[str, set[str]] = defaultdict(set)
        self.words: dict[str, set[str]] = defaultdict(set)
        self.phrases: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        self.longest: dict[str, int] = defaultdict(int)  # beginning of a word with this character
        for concept, languages in table.items():
            for entry in " ".join(languages.values()).split():
                parts = bare(entry.rstrip("=").replace("_", " ")).split()  # "*" is any word
                if len(parts) > 1:
                    last = f"{parts[-1]}=" if entry.endswith("=") else parts[-1]
                    self.phrases[parts[0]].append(([*parts[1:-1], last], concept))
                elif entry.endswith("="):
                    self.words[parts[0]].add(concept)
                else:
                    self.stems[parts[0]].add(concept)
                    self.longest[parts[0][0]] = max(self.longest[parts[0][0]], len(parts[0]))

    def meanings(self, word: str) -> Iterator[tuple[int, int, str]]:
        """Yield begin, end and concept of what a word, or a run of a script without spaces, holds."""
        begins = range(len(word)) if _IS_UNSPACED.match(word) else range(1)
        for begin in begins:
            longest = self.longest.get(word[begin], 0)
            for end in range(begin + 1, min(len(word), begin + longest) + 1):
                for concept in self.stems.get(word[begin:end], ()):
                    yield begin, end, concept
        for concept in self.words.get(word, ()):
            yield 0, len(word), concept


@cache
def _lexicon() -> _Lexicon:
    return _Lexicon(tomllib.loads(_TABLE.read_text(encoding="utf-8")))


def bare(text: str) -> str:
    """Return the text in normal form without accents and other marks on letters."""
    parts = unicodedata.normalize("NFD", normal(text))
    return unicodedata.normalize(
        "NFC", "".join(each for each in parts if unicodedata.category(each)[0] != "M")
    )


def undisguised(text: str) -> str:
    """Return a bare text with look-alikes as Latin letters and spelled words as words."""
    joined = _SPELLED.sub(lambda found: re.sub(r"[\s.*_-]+", "", found[0]), text)
    return " ".join(_latin(word) for word in joined.split(" "))


def find_meanings(text: str) -> list[Hit]:
    """Return the meanings in a bare text, in order."""
    lexicon = _lexicon()
    words = [(found.start(), found[0]) for found in WORD.finditer(text)]
    hits = []
    for at, (begin, word) in enumerate(words):
        hits += [Hit(begin + first, begin + last, concept) for first, last, concept in lexicon.meanings(word)]
        for rest, concept in lexicon.phrases.get(word, ()):
            following = words[at + 1 : at + 1 + len(rest)]
            if len(following) == len(rest) and all(map(_fits, rest, (each for _, each in following))):
                last_begin, last = following[-1]
                hits.append(Hit(begin, last_begin + len(last), concept))
    return sorted(hits, key=lambda hit: hit.begin)


def _fits(part: str, word: str) -> bool:
    """Return whether a word is a part of a phrase: the last is marked as a whole word or may go on."""
    if part == "*":
        return True
    return word == part.removesuffix("=") if part.endswith("=") else word.startswith(part)


def _latin(word: str) -> str:
    """Return a word with its look-alikes replaced, unless only digits and signs would be letters then."""
    return word.translate(_LOOKALIKES) if any(each.isalpha() for each in word) else word
