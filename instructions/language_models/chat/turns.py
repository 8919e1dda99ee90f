"""One sentence of a talk as a question, and what its answer is worth.

What is said and shown stands in the strings of a JSON object, which no words can end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
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

NO_STEP = "-"
MAX_WORDS = 16  # of a title
_ALIKE = 4  # letters by which words count as the same: "Kopieren" and "kopiert"
_MIN_KNOWN = 0.5  # of a command's words, how many were said or shown at least


@dataclass(frozen=True)
class Turn:
    """A sentence, and what the screen writes on the controls that are used meanwhile.

    What is said before and after it is left out: small models then answer for the neighbours as well.
    """

    sentence: str
    shown: tuple[str, ...] = ()

    def written(self) -> str:
        parts: dict[str, Any] = {"on screen": list(self.shown)} if self.shown else {}
        return json.dumps({**parts, "sentence": self.sentence}, ensure_ascii=False)


@dataclass(frozen=True)
class Told:
    """What an answer says of a sentence: whether it tells a step, and the title if it has one that can be used."""

    is_step: bool
    title: str = ""


def read_turn(text: str) -> str:
    """Return the command in an answer, empty when there is none; raise AnswerInvalid."""
    line = text.strip().strip("\"'`*").strip()
    if len(line.splitlines()) > 1 or len(line.split()) > MAX_WORDS:
        raise AnswerInvalid("It was more than one short command.")
    return "" if line.strip("-–—. ") == "" else line


def check_turn(command: str, turn: Turn, *, withheld: Sequence[str]) -> Told:
    """Return what a command is worth. One of other words than those that were said or shown is no step; a title with
    a single word or literal that was neither is not used, nor one that says what was withheld."""
    if not command:
        return Told(is_step=False)
    line, had_markup = plain_line(command)
    heard = _Heard([turn.sentence, *turn.shown])
    words = _words_of(line)
    known = sum(heard.has(word) for word in words)
    if not words or known < _MIN_KNOWN * len(words):
        return Told(is_step=False)
    said = [turn.sentence, *turn.shown]
    is_said = known == len(words) and Said(said, said).has_all_of(line)
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
