"""Putting the steps of a spoken guide into sections, and naming them.

A new section begins where the speaker pauses clearly longer than between other steps, or leads over ("next",
"finally") to other things. Its name is made of what its steps are done to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from instructions.verbs import VERBS, words

MIN_STEPS = 2  # in a section
_LEADING_OVER = words("next finally lastly last moving after")
_INFORMATIVE_MS = 150  # with a shorter median pause the times come from a recogniser that leaves none

_FUNCTION = words(
    """
    a about above after again all also an and any are as at back be because been before below but by can
    click could did do does done down each either every first for from get gets give given go going good had
    has have he here hers his how i if in inside into is it its just know last less let like look lot made
    make many may me mine more most much must my name near need new next no not now of off ok okay on once
    one only onto open or other our out over own per please press put same see select she should so some
    soon sure take than that the their them then there these they thing things third this those three
    through time to too two under until up us use used using very want was way we well were what when where
    which while who why will with would yes yet you your
    """
)
# What every screen has: no topic of its own.
_GENERIC = words(
    """
    area arrow bar bottom box button center column corner cursor dialog drop-down dropdown field form header
    icon image item keyboard left line link list menu middle mouse number option page panel part picture
    place popup prompt right row screen section side sidebar symbol tab text toolbar top value video way
    window word zero
    """
)
_TOKEN = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True)
class Topic:
    """What there is to know of a step for grouping: its words, the pause before, how it was led over to."""

    clause: str
    text: str
    pause_ms: int
    cue: str = ""


def borders(topics: Sequence[Topic]) -> list[int]:
    """The indices at which a new section begins, never 0; none for a guide of few steps or one piece."""
    if len(topics) < 2 * MIN_STEPS:
        return []
    pauses = [topic.pause_ms for topic in topics[1:]]
    usual = median(pauses)
    scores = {}
    for index in range(1, len(topics)):
        score = _score(topics, index, usual)
        if score >= 1:
            scores[index] = score
    chosen: list[int] = []
    for index in sorted(scores, key=lambda index: (-scores[index], index)):
        edges = sorted([0, *chosen, index, len(topics)])
        if all(later - earlier >= MIN_STEPS for earlier, later in zip(edges, edges[1:], strict=False)):
            chosen.append(index)
    return sorted(chosen)


def name(topics: Sequence[Topic], others: Sequence[Topic]) -> str:
    """A name for the section of these steps, apart from `others`: "Customer and payment terms"."""
    elsewhere = Counter(word for topic in others for word in set(_content(topic.text)))
    here = Counter(word for topic in topics for word in set(_content(topic.text)))
    scored: dict[str, tuple[float, int]] = {}
    for position, topic in enumerate(topics):
        for order, phrase in enumerate(_objects(topic.clause)):
            parts = _content(phrase)
            score = sum(here[part] - 0.5 * elsewhere[part] for part in parts) / len(parts)
            score += 0.4 * (len(parts) > 1) + 0.3 * (order == 0)
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
    """Whether a clause says what its verb is done to: "check the total" does, "log in" does not."""
    rest = [_bare(token) for token in _TOKEN.findall(clause)][1:]
    return any(word in VERBS or (word not in _FUNCTION and word not in _GENERIC) for word in rest)


def _score(topics: Sequence[Topic], index: int, usual: float) -> float:
    """At least 1 for a border: a long pause alone, or a change of topic with a word that leads over to it."""
    topic = topics[index]
    if usual < _INFORMATIVE_MS:
        pause = 1.0 if topic.pause_ms >= 1000 else 0.45
    else:
        pause = topic.pause_ms / max(usual * 1.5, usual + 450, 1000)
    if pause >= 1:
        return 1 + pause
    before = {word for earlier in topics[max(0, index - 2) : index] for word in _content(earlier.text)}
    is_new = before.isdisjoint(_content(topic.text))
    return pause + 0.4 * (topic.cue.split(" ")[0] in _LEADING_OVER) + 0.2 * is_new


def _is_content(word: str) -> bool:
    return word not in _FUNCTION and word not in _GENERIC and word not in VERBS and len(word) > 2


def _bare(token: str) -> str:
    return token.lower().replace("’", "'").removesuffix("'s")


def _content(text: str) -> list[str]:
    """The words that say what a text is about, without the s of a plural."""
    found = filter(_is_content, map(_bare, _TOKEN.findall(text)))
    return [re.sub(r"(?<=[^s]{3})s$", "", word) for word in found]


def _objects(clause: str) -> list[str]:
    """Runs of content words, as they are written: "the payment terms menu" gives "payment terms"."""
    runs: list[list[str]] = [[]]
    for token in re.findall(rf"{_TOKEN.pattern}|[^\w\s]", clause):
        if _is_content(_bare(token)) and _TOKEN.fullmatch(token):
            runs[-1].append(token)
        if runs[-1][-1:] != [token] or token.endswith(("'s", "’s")):
            runs.append([])
    return [re.sub(r"['’]s$", "", " ".join(run[-3:])) for run in runs if run]
