"""Find the passages of a transcript that speak to a model, and not to a viewer: they are kept out of the prompt.

A transcript is what anybody can say in front of a microphone, or write into a subtitle track. Nothing marks the words
of an attacker; but to make a model write what he wants, he has to speak of what the model writes, of what it was told
before, or to it. So it is meanings that are looked for, close to one another (`concepts.toml`), and forms that nobody
speaks: tags, roles, blobs, hidden characters. A passage too many that is left out costs a step; one too few may cost
more, so where something stands that could be planted, less is enough.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from instructions.language_models.checks.literals import literals
from instructions.language_models.checks.meanings import Hit, bare, find_meanings, undisguised
from instructions.language_models.checks.words import UNSPACED, WORD, normal
from instructions.language_models.checks.written import is_never_spoken, is_of_a_chat, role_marks

# How close together, in characters: within a passage; across two or three when a sentence goes on, or has ended.
_NEAR, _NEAR_ACROSS, _NEAR_ACROSS_SENTENCES = 220, 120, 55
_ACROSS = (
    500  # characters at the end of a passage, and at the beginning of the next, that are looked at together
)
_STEP_BEHIND = 26  # characters between "add" and "step"
_HANDED_BEHIND = 40  # characters between "ask" and "assistant"
_IN_FRONT = 60  # characters in front of a name that say whether it begins a sentence
_LITERAL = "literal"


def _rules(name: str) -> tuple[frozenset[str], ...]:
    tables = tomllib.loads(Path(__file__).with_name("together.toml").read_text(encoding="utf-8"))
    return tuple(frozenset(line.split()) for line in tables[name].strip().splitlines())


_TOGETHER_ALWAYS = _rules("across_sentences")
_TOGETHER = _TOGETHER_ALWAYS + _rules("within_a_sentence")
_IN_BETWEEN = re.compile(
    rf"\b(?:in|at|on|to|from|for|of|into|with|im|bei|zum|zur|en|al|del|de|dans|au|du|des|nel|na|в|на|к)\b|[{UNSPACED}]{{6}}"
)
_BEGINS = re.compile(
    r"(?:^|[.!?:]\s*)(?:(?:note\s+)?(?:to|for|an|an\s+die|para|pour|per)\s+)?(?:(?:the|any|all|every|das|el|le|il|o)\s+)?$"
)
_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)]*$")
_MIN_WORDS_OF_LANGUAGE = 5
_MIN_PASSAGES = 4


def addressed_to_a_model(passages: Sequence[str], check: Callable[[], None] = lambda: None) -> frozenset[int]:
    """Return the indices of a talk's passages that speak to a model, and of those beside them that go on with it.

    It takes about a millisecond a passage, and more of a long one in proportion to its length; `check` is called
    several times for each, and what it raises ends it.
    """
    written = set()
    for index, passage in enumerate(passages):
        check()
        if is_never_spoken(passage):
            written.add(index)
    found = _addressed(passages, written, check) | _in_another_language(passages, check)
    return frozenset(found | _going_on(passages, found))


def addressed_in_a_document(sentences: Sequence[str]) -> frozenset[int]:
    """Return the indices of a document's sentences that speak to a model."""
    return _addressed(sentences, {index for index, each in enumerate(sentences) if is_of_a_chat(each)})


def speaking_to_a_model(sentences: Sequence[str]) -> frozenset[int]:
    """Return the indices of sentences whose meanings speak to a model, and not only their form."""
    return frozenset(index for index in _addressed(sentences, set()) if not role_marks(sentences[index]))


def _addressed(
    passages: Sequence[str], written: set[int], check: Callable[[], None] = lambda: None
) -> frozenset[int]:
    """Return `written`, and the passages whose meanings speak to a model, alone or in a run of two or three."""
    found, concepts = set(written), []
    for index, passage in enumerate(passages):
        check()
        concepts.append(_concepts(passage))
        if any(_speaks_to_a_model(shown, _NEAR, _TOGETHER) for shown in _shown(passage)):
            found.add(index)
    for length in (2, 3):
        for begin in range(len(passages) - length + 1):
            check()
            run = range(begin, begin + length)
            together = frozenset[str]().union(*(concepts[index] for index in run))
            if (
                not found.intersection(run)
                and any(rule <= together for rule in _TOGETHER)
                and _is_addressed_across([passages[index] for index in run])
            ):
                found.update(run)
    return frozenset(found)


def _is_addressed_across(passages: Sequence[str]) -> bool:
    first, *between, last = passages
    if sum(map(len, between)) > _ACROSS:
        return False  # what stands on both sides is too far apart
    shown = _shown(" ".join([first[-_ACROSS:], *between, last[:_ACROSS]]))
    if any(_SENTENCE_END.search(passage.rstrip()) for passage in passages[:-1]):
        # "Follow the instructions. Forget what I said." is said to a viewer, so the order counts.
        starts = frozenset({"override"})
        return any(
            _speaks_to_a_model(each, _NEAR_ACROSS_SENTENCES, _TOGETHER_ALWAYS, starts) for each in shown
        )
    return any(_speaks_to_a_model(each, _NEAR_ACROSS, _TOGETHER) for each in shown)


def _shown(text: str) -> set[str]:
    """Return the text as it is looked at: as it reads, and without disguise."""
    plain = bare(text)
    return {plain, undisguised(plain)}


def _concepts(passage: str) -> frozenset[str]:
    """Return all that a passage may contribute to a rule."""
    shown = _shown(passage)
    found = {hit.concept for each in shown for hit in find_meanings(each)}
    if any(map(literals, shown)):
        found.add(_LITERAL)
    if "step" in found:
        found |= {"new_step", "step_must"}
    if found & {"model", "bot"}:
        found.add("calling")
    if role_marks(passage):
        found.add("role")
    return frozenset(found)


def _speaks_to_a_model(
    text: str, near: int, rules: Sequence[frozenset[str]], starts: frozenset[str] = frozenset()
) -> bool:
    """Return whether the meanings of a rule stand within `near` characters, the first of them one of `starts`."""
    hits = find_meanings(text)
    more = (*_steps(text, hits), *_called_upon(text, hits), *_literals(text), *_roles(text))
    hits = sorted([*hits, *more], key=lambda hit: hit.begin)
    concepts = {hit.concept for hit in hits}
    # "Ask the assistant to write a summary" speaks of a model, and not to it.
    about = _is_handed(hits)
    rules = [rule for rule in rules if rule <= concepts and not (about and "model" in rule)]
    begins = [hit.begin for hit in hits]
    for at, first in enumerate(hits) if rules else ():
        if starts and first.concept not in starts:
            continue
        last = bisect_right(begins, first.begin + near, lo=at)
        within = [hit for hit in hits[at:last] if hit.end <= first.begin + near]
        concepts = {hit.concept for hit in within}
        if any(rule <= concepts and _apart(rule, within) for rule in rules):
            return True
    return False


def _apart(rule: frozenset[str], hits: Sequence[Hit]) -> bool:
    """Return whether the meanings of a rule stand on words of their own: no word counts for two of them."""
    places = {concept: {hit.begin for hit in hits if hit.concept == concept} for concept in rule}
    return len(set().union(*places.values())) >= len(rule)


def _is_handed(hits: Sequence[Hit]) -> bool:
    """Return whether a model is named right behind "ask", "use" and the like, and not otherwise."""
    handed = [hit.end for hit in hits if hit.concept == "handed"]
    models = [hit.begin for hit in hits if hit.concept == "model"]
    return bool(models) and all(any(0 < model - end <= _HANDED_BEHIND for end in handed) for model in models)


def _steps(text: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return where a step is to be written ("add one more step"), or has to be somehow ("every step must")."""
    found = []
    begins = [hit.begin for hit in hits]
    for step in (hit for hit in hits if hit.concept == "step"):
        near = bisect_left(begins, step.begin - _NEAR), bisect_right(begins, step.end + _NEAR)
        for hit in hits[slice(*near)]:
            between = text[hit.end : step.begin]
            is_behind = hit.concept in ("write", "respond") and 0 <= step.begin - hit.end <= _STEP_BEHIND
            if is_behind and not _IN_BETWEEN.search(between):
                found.append(Hit(step.begin, step.end, "new_step"))
            if hit.concept == "must" and 0 <= hit.begin - step.end <= 12:
                found.append(Hit(step.begin, hit.end, "step_must"))
    return found


def _called_upon(text: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return where a sentence begins with the name of a model, set off as a name: "Assistant, put …"."""
    return [
        Hit(hit.end, hit.end + 1, "calling")
        for hit in hits
        if hit.concept in ("model", "bot")
        and text[hit.end : hit.end + 1] in (",", ":", ";", "،", "，")
        and _BEGINS.search(text, max(0, hit.begin - _IN_FRONT), hit.begin)
    ]


def _roles(text: str) -> list[Hit]:
    return [Hit(begin, end, "role") for begin, end in role_marks(text)]


def _literals(text: str) -> list[Hit]:
    found = []
    for literal in literals(text):
        begin = max(0, text.find(literal))
        found.append(Hit(begin, begin + min(len(literal), 40), _LITERAL))
    return found


def _in_another_language(passages: Sequence[str], check: Callable[[], None]) -> set[int]:
    """Return the passages with literals that share no frequent word with the rest of the talk: they are in another
    language, or no language at all."""
    if len(passages) < _MIN_PASSAGES:
        return set()
    words = []
    for passage in passages:
        check()
        words.append(set(_parts(passage)))
    counts = Counter(word for each in words for word in each)
    return {
        index
        for index, (passage, own) in enumerate(zip(passages, words, strict=True))
        if len(own) >= _MIN_WORDS_OF_LANGUAGE
        and not any(counts[word] > 1 for word in own)
        and literals(passage)
    }


def _parts(passage: str) -> list[str]:
    """Return the words of a passage, its literals left out; of scripts without spaces the characters."""
    shown = normal(passage)
    for literal in literals(passage):
        shown = shown.replace(literal, " ")
    runs = re.findall(rf"[{UNSPACED}]", shown)
    return runs if len(runs) > len(shown) / 3 else WORD.findall(shown)


def _going_on(passages: Sequence[str], found: frozenset[int]) -> set[int]:
    """Return the passages with literals around one that speaks to a model and has none itself, or does not end its
    sentence: up to two behind it, and if it has none, one in front."""
    more: set[int] = set()
    for index in found:
        is_bare = not literals(passages[index])
        behind = (
            (index + 1, index + 2) if is_bare or not _SENTENCE_END.search(passages[index].rstrip()) else ()
        )
        for run in (behind, (index - 1,) if is_bare else ()):
            for at in run:
                if at in found or not (0 <= at < len(passages) and literals(passages[at])):
                    break
                more.add(at)
    return more
