"""Divide the steps of a spoken guide into sections, and name the sections.

A new section begins where the speaker pauses clearly longer than between other steps, or leads over ("next",
"finally") to another topic. Its name is made of the objects of its instructions.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from instructions.language_models.extractive.verbs import VERBS, words

MIN_STEPS = 2  # in a section
_LEADING_OVER = words("next finally lastly last moving after")
_INFORMATIVE_MS = 150  # with a shorter median pause the recogniser did not record pauses

_FUNCTION = words(
    """
    a about above after again all also an and any are as at back be because been before below but by can
    click could did do does don't done down each eight either every fifty first five for four from get gets
    give given go going good had has have he here hers his how hundred i i'll i'm if in inside into is it
    it'll its just know last less let let's like look lot made make many may me mine more most much must my
    name near need new next nine no not now o'clock of off ok okay on once one only onto open or other our
    out over own per please press put same see select seven she should six so some soon sure take ten than
    that that's the their them then there these they thing things third thirty this those three through time
    to too twelve twenty two under until up us use used using very want was way we we'll we're well were
    what when where which while who why will with would yes yet you you'll you're your zero
    """
)
# Parts of every screen: no topic by themselves.
_GENERIC = words(
    """
    area arrow bar box button column cursor dialog drop-down dropdown field form header icon image keyboard
    line link list menu mouse number option page panel part picture place popup prompt row screen section
    sidebar symbol tab text toolbar value video window word
    """
)
_PLACES = words("bottom center corner left middle right side top way")
_NO_TOPIC = _FUNCTION | _GENERIC | _PLACES
_TOKEN = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True)
class Topic:
    """What a step is grouped by: its words, the pause before it, the cue that leads over to it."""

    clause: str
    text: str
    pause_ms: int
    cue: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_content(self.text))


def borders(topics: Sequence[Topic]) -> list[int]:
    """Return the indices at which a new section begins, never 0; none for few steps or a single topic."""
    if len(topics) < 2 * MIN_STEPS:
        return []
    pauses = [topic.pause_ms for topic in topics[1:]]
    usual = median(pauses)
    scores = {}
    for index in range(1, len(topics)):
        score = _score(topics, index, usual)
        if score >= 1:
            scores[index] = score
    edges = [0, len(topics)]
    for index in sorted(scores, key=lambda index: (-scores[index], index)):
        at = bisect(edges, index)
        if index - edges[at - 1] >= MIN_STEPS and edges[at] - index >= MIN_STEPS:
            edges.insert(at, index)
    return edges[1:-1]


def name(topics: Sequence[Topic], others: Sequence[Topic]) -> str:
    """Return a name for these steps that tells them from `others`, such as "Customer and payment terms"."""
    elsewhere = Counter(word for topic in others for word in topic.words)
    here = Counter(word for topic in topics for word in topic.words)
    scored: dict[str, tuple[float, int]] = {}
    for position, topic in enumerate(topics):
        for order, phrase in enumerate(_objects(topic.clause)):
            parts = _content(phrase)
            score = sum(here[part] - 0.3 * elsewhere[part] for part in parts) / len(parts)
            score += 0.4 * (len(parts) > 1) + 0.3 * (order == 0) + 0.25 * (position == 0)
            best = scored.get(phrase.lower(), (0.0, position))
            scored[phrase.lower()] = (max(best[0], score), best[1])
    ranked = sorted(scored, key=lambda phrase: (-scored[phrase][0], scored[phrase][1]))
    chosen: list[str] = []
    for phrase in ranked:
        if not any(set(_content(phrase)) & set(_content(taken)) for taken in chosen):
            chosen.append(phrase)
        if len(chosen) == 2:
            break
    chosen.sort(key=lambda phrase: scored[phrase][1])
    text = " and ".join(chosen)
    return text[:1].upper() + text[1:]


def names_something(clause: str) -> bool:
    """Return whether a clause names an object of its verb: "check the total" does, "log in" does not."""
    rest = [_bare(token) for token in _TOKEN.findall(clause)][1:]
    return any(word in VERBS or word not in _NO_TOPIC for word in rest)


def _score(topics: Sequence[Topic], index: int, usual: float) -> float:
    """Return a score, at least 1 where a section begins.

    A long pause is enough; a shorter one needs a change of topic or a cue that leads over to it.
    """
    topic = topics[index]
    if usual < _INFORMATIVE_MS:
        pause = 1.0 if topic.pause_ms >= 1000 else 0.45
    else:
        pause = topic.pause_ms / max(usual * 1.5, usual + 450, 1000)
    if pause >= 1:
        return 1 + pause
    before = {word for earlier in topics[max(0, index - 2) : index] for word in earlier.words}
    is_new = bool(topic.words) and before.isdisjoint(topic.words)
    return pause + 0.4 * (topic.cue.split(" ")[0] in _LEADING_OVER) + 0.2 * is_new


def _is_content(word: str) -> bool:
    return len(word) > 2 and word not in _NO_TOPIC and word not in VERBS


def _bare(token: str) -> str:
    return token.lower().replace("’", "'").removesuffix("'s")


def _content(text: str) -> list[str]:
    """Return the words that say what a text is about, without the s of a plural."""
    found = filter(_is_content, map(_bare, _TOKEN.findall(text)))
    return [re.sub(r"(?<=[^s]{3})s$", "", word) for word in found]


def _objects(clause: str) -> list[str]:
    """Return runs of content words as they are written: "the payment terms menu" gives "payment terms"."""
    clause = re.sub(r"\b[0-9]+ \w+", ",", clause)  # quantities are no topic
    runs: list[list[str]] = [[]]
    for token in re.findall(rf"{_TOKEN.pattern}|[^\w\s]", clause):
        if _is_content(_bare(token)) and _TOKEN.fullmatch(token):
            runs[-1].append(token)
        elif len(runs[-1]) == 1 and _bare(token) in _GENERIC:  # "private window": what is private?
            runs[-1].append(token)
            runs.append([])
        if runs[-1][-1:] != [token] or token.endswith(("'s", "’s")):
            runs.append([])
    return [re.sub(r"['’]s$", "", " ".join(run[-3:])) for run in runs if run]
