"""Find where steps begin in what is said, by a logistic regression that was learnt from marked talks.

Steps begin at borders: after a mark, a pause, before a word that joins or a pronoun. Each border is scored by the words
that follow it, the kind of border, and how the speaker talks (to "you", of "I" or "we"). The weights are learnt by
`tests/guides/train.py` from `tests/guides/training`, and stand as text beside this file. Times are milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from pathlib import Path

from instructions.language_models.extractive.verbs import words as word_set
from jobs.media.transcripts import Segment

WEIGHTS = Path(__file__).with_name("finder_weights.json")
GAP_MS = 2_500
"""Between two steps; of borders that are closer, the likeliest counts."""

LIKELY = 0.5
"""The score from which a step begins."""

_SUPPRESSED = 0.3
_PAUSE_MS = 350
JOINING = word_set(
    """
    and then so but now next first finally afterwards also or und dann danach jetzt nun oder als zuerst anschließend
    y luego después entonces ahora e poi quindi ora adesso et puis ensuite maintenant alors en dan daarna nu vervolgens
    depois então agora
    """
)
_SUBJECTS = word_set(
    "you i we i'm i'll we'll we're you'll you're let's let i've we've please just ich wir du sie ihr man"
)
_YOU = word_set("you your you're you'll du sie tu vous u")
_I = word_set("i i'm i'll ich yo je")
_WE = word_set("we we'll we're let's wir nous")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]」』]*$")
_CLAUSE_END = re.compile(r"[,;:–—-][\"'”’)\]]*$")
_EDGES = re.compile(r"^[^\w'’]+|[^\w'’]+$")
_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """A word as it was said, `plain` without marks and capitals; when, in which segment, and the silence before."""

    raw: str
    plain: str
    at_ms: float
    segment: int
    pause_ms: int


@dataclass(frozen=True)
class Border:
    """Where a step may begin: the place of its first word, and the kind: s(entence), c(lause), p(ause), j(oining word),
    n (a pronoun)."""

    place: int
    kind: str


def words_of(segments: Sequence[Segment]) -> list[Word]:
    """Return the words of a transcript; times that are not known are interpolated by characters."""
    words: list[Word] = []
    end_ms = None
    for number, segment in enumerate(segments):
        length = max(1, len(segment.text))
        for at, token in enumerate(_TOKEN.finditer(segment.text)):
            if segment.word_starts_ms:
                time: float = segment.word_starts_ms[at]
            else:
                time = segment.start_ms + (segment.end_ms - segment.start_ms) * token.start() / length
            pause = max(0, segment.start_ms - end_ms) if at == 0 and end_ms is not None else 0
            plain = _EDGES.sub("", token[0].lower()).replace("’", "'") or token[0]
            words.append(Word(token[0], plain, time, number, pause))
        end_ms = segment.end_ms if words else end_ms
    return words


def borders_of(words: Sequence[Word]) -> list[Border]:
    """Return where steps may begin; the first word is one."""
    found = []
    for place, word in enumerate(words):
        before = words[place - 1] if place else None
        if before is None or _SENTENCE_END.search(before.raw):
            kind = "s"
        elif _CLAUSE_END.search(before.raw):
            kind = "c"
        elif word.pause_ms >= _PAUSE_MS:
            kind = "p"
        elif word.plain in JOINING:
            kind = "j"
        elif word.plain in _SUBJECTS and before.plain not in JOINING:
            kind = "n"
        else:
            continue
        found.append(Border(place, kind))
    return found


def features_of(words: Sequence[Word], borders: Sequence[Border], language: str) -> list[set[str]]:
    """Return the names of the features that each border has; `language` is a primary tag, such as en."""
    style = _style(words)
    ends = [*(border.place for border in borders[1:]), len(words)]
    return [
        {
            "bias",
            f"language {language}",
            *style,
            *(f"{way} begins {first}" for way in style for first in _told(words, border)[:1]),
            *_of_words(words, border, end),
            *_of_place(words, border, end),
        }
        for border, end in zip(borders, ends, strict=True)
    ]


def _style(words: Sequence[Word]) -> set[str]:
    """Return whom a speaker talks to or of."""
    total = max(1, len(words))

    def share(of: frozenset[str]) -> float:
        return sum(word.plain in of for word in words) / total

    ways = {
        "to you": share(_YOU) > 0.025,
        "of me": share(_I) > 0.03,
        "of us": share(_WE) > 0.025,
        "-ing": sum(word.plain.endswith("ing") for word in words) / total > 0.045,
        "impersonal": max(share(_YOU), share(_I), share(_WE)) < 0.01,
    }
    return {name for name, is_so in ways.items() if is_so}


def _told(words: Sequence[Word], border: Border) -> list[str]:
    """Return the first words after a border, without those that only join."""
    following = [word.plain for word in words[border.place : border.place + 9]]
    return [word for word in following if word not in JOINING][:6]


def _of_words(words: Sequence[Word], border: Border, end: int) -> Iterator[str]:
    told = _told(words, border)
    for at, word in enumerate(words[border.place : border.place + 4]):
        yield f"word {at} {word.plain}"
    for at, plain in enumerate(told[:4]):
        yield f"told {at} {plain}"
        yield f"ends {at} {plain[-3:] if len(plain) > 4 else ''}"
    yield from (f"told {one} {other}" for one, other in zip(told, told[1:4], strict=False))
    yield from (f"told {' '.join(three)}" for three in zip(told, told[1:3], told[2:4], strict=False))
    yield from (f"says {word.plain}" for word in words[border.place : end])
    yield from (f"then {word.plain}" for word in words[end : end + 6])
    yield from (f"after {word.plain}" for word in words[max(0, border.place - 1) : border.place])


def _of_place(words: Sequence[Word], border: Border, end: int) -> Iterator[str]:
    said = words[border.place : end]
    following = range(border.place, min(len(words), border.place + 30))
    last = next((at for at in following if _SENTENCE_END.search(words[at].raw)), end - 1)
    names = sum(word.raw[:1].isupper() and word.plain not in _I for word in said[1:])
    yield f"border {border.kind}"
    yield from (f"border {border.kind} {plain}" for plain in _told(words, border)[:1])
    yield f"pause {min(4, words[border.place].pause_ms // 400)}"
    yield f"length {min(12, len(said))}"
    yield f"names {min(3, names)}"
    if words[last].raw.rstrip("\"'”’)").endswith("?"):
        yield "asks"
    if any(any(map(str.isdigit, word.raw)) for word in said):
        yield "digits"
    share = border.place / len(words)
    yield f"part {int(share * 8)}"
    yield from (name for name, is_so in (("first", share < 0.06), ("last", share > 0.94)) if is_so)


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    weights: dict[str, float] = json.loads(WEIGHTS.read_text())
    return weights


def scores_of(words: Sequence[Word], borders: Sequence[Border], language: str) -> list[float]:
    """Return how likely a step begins at each border (0..1); from `LIKELY` on one does. Of those closer than `GAP_MS`
    all but the likeliest have less. `language` is a BCP 47 tag."""
    weights = _weights()
    sums = [
        sum(weights.get(name, 0.0) for name in sorted(names))
        for names in features_of(words, borders, language.lower().split("-")[0])
    ]
    scores = [1 / (1 + exp(-max(-30.0, min(30.0, each)))) for each in sums]
    kept: list[float] = []
    for at in sorted(range(len(scores)), key=lambda at: -scores[at]):
        time = words[borders[at].place].at_ms
        if any(abs(other - time) < GAP_MS for other in kept):
            scores[at] = min(scores[at], _SUPPRESSED)
        elif scores[at] >= LIKELY:
            kept.append(time)
    return scores
