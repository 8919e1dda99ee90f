"""One passage of a talk as a question, and what its answer is worth.

What is said and shown stands in the strings of a JSON object, which no words can end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from instructions.drafting import short_title
from instructions.language_models.checks.drafts import MAX_TITLE, AnswerInvalid
from instructions.language_models.checks.literals import Said
from instructions.language_models.checks.plain import plain_line
from instructions.language_models.checks.words import (
    WORD,
    content_words,
    is_content,
    normal,
    runs_of_words,
)
from instructions.language_models.extractive.verbs import VERBS
from instructions.language_models.extractive.verbs import words as word_set

NO_STEP = "-"
MAX_WORDS = 16  # of a title
_ALIKE = 4  # letters by which words count as the same: "Kopieren" and "kopiert"
_MIN_KNOWN = 0.5  # of a command's words, how many were said or shown at least
_PLAIN_VERBS = word_set("click press choose select go type enter set")  # a title may have them unsaid
_DASHES = "-–—"
_SMALLEST = 1e-6  # likelihood


@dataclass(frozen=True)
class Turn:
    """A passage, and what the screen writes on the controls that are used meanwhile.

    What is said after it is left out: small models then answer for the neighbours as well.
    """

    passage: str
    shown: tuple[str, ...] = ()

    def written(self) -> str:
        shown: dict[str, Any] = {"on screen": list(self.shown)} if self.shown else {}
        return json.dumps({**shown, "passage": self.passage}, ensure_ascii=False)


@dataclass(frozen=True)
class Told:
    """What an answer says of a passage: whether it tells a step, and the title if it has one that can be used."""

    is_step: bool
    title: str = ""


def read_turn(text: str) -> str:
    """Return the command in an answer, empty when there is none; raise AnswerInvalid."""
    line = text.strip().strip("\"'`*").strip()
    if len(line.splitlines()) > 1 or len(line.split()) > MAX_WORDS:
        raise AnswerInvalid("It was more than one short command.")
    return "" if line.strip(f"{_DASHES}. ") == "" else line


def odds_of_a_step(beginnings: dict[str, float]) -> float | None:
    """Return the natural logarithm of the odds that the answer is a command, by how likely (logarithm) each of its
    first tokens was; None if that is not known."""
    if not beginnings:
        return None
    none = sum(
        exp(log_p) for token, log_p in beginnings.items() if token.strip() and not token.strip(f"{_DASHES} ")
    )
    none = min(max(none, _SMALLEST), 1 - _SMALLEST)
    return log((1 - none) / none)


def check_turn(command: str, turn: Turn, *, withheld: Sequence[str]) -> Told:
    """Return what a command is worth. One of other words than those that were said or shown is no step; a title with
    a single word or literal that was neither is not used, nor one that says what was withheld. Only of the verb that it
    begins with a few may be unsaid: "Delete the column" is another step than "Select the column"."""
    if not command:
        return Told(is_step=False)
    line, had_markup = plain_line(command)
    heard = _Heard([turn.passage, *turn.shown])
    words = _words_of(line)
    known = sum(heard.has(word) for word in words)
    if not words or known < _MIN_KNOWN * len(words):
        return Told(is_step=False)
    said = [turn.passage, *turn.shown]
    verb = next(iter(WORD.findall(normal(line))), "")
    is_verb_said = verb in _PLAIN_VERBS or heard.has(verb)
    is_said = known == len(words) and is_verb_said and Said(said, said).has_all_of(line)
    foreign = set(runs_of_words([line])) - set(runs_of_words(said))
    is_withheld = not foreign.isdisjoint(runs_of_words(withheld))
    is_usable = is_said and not had_markup and not is_withheld
    return Told(is_step=True, title=short_title(line, MAX_TITLE) if is_usable else "")


def _words_of(line: str) -> list[str]:
    """Return the words of a command that say what it is about, without the verb that it begins with."""
    words = WORD.findall(normal(line))
    if len(words) > 1 and words[0] in VERBS:
        words = words[1:]
    return [word for word in words if is_content(word)] or words


class _Heard:
    def __init__(self, texts: Sequence[str]) -> None:
        words = [word for text in texts for word in WORD.findall(normal(text))]
        self._begins = {word[:_ALIKE] for word in words}
        self._parts = {part for text in texts for part in content_words(text)}

    def has(self, word: str) -> bool:
        return word[:_ALIKE] in self._begins or not self._parts.isdisjoint(content_words(word))
