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
_MIN_OWN = 0.5  # of a title's words, how many the sentence has itself


@dataclass(frozen=True)
class Turn:
    """A sentence, what is said around it, and what the screen writes on the controls that are used meanwhile."""

    sentence: str
    before: str = ""
    after: str = ""
    shown: tuple[str, ...] = ()

    def written(self) -> str:
        """Return the question, the sentence last: a small model heeds most what it has read last."""
        parts: dict[str, Any] = {"before": self.before, "after": self.after}
        if self.shown:
            parts["on screen"] = list(self.shown)
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
    """Return what a command is worth. One of other words than those of its sentence, which belongs to a neighbour or to
    nothing, is no step; a title with a word or a literal that was neither said nor shown is not used."""
    if not command:
        return Told(is_step=False)
    line, had_markup = plain_line(command)
    own = _Heard([turn.sentence, *turn.shown])
    words = _words_of(line)
    if not words or sum(own.has(word) for word in words) < _MIN_OWN * len(words):
        return Told(is_step=False)
    said = [turn.before, turn.sentence, turn.after, *turn.shown]
    talk = set(runs_of_words(said))
    is_withheld = any(run not in talk for run in set(runs_of_words([line])) & set(runs_of_words(withheld)))
    known = _Heard(said)
    is_known = all(known.has(word) for word in words) and Said([turn.sentence, *turn.shown], said).has_all_of(
        line
    )
    usable = is_known and not had_markup and not is_withheld
    return Told(is_step=True, title=short_title(line, MAX_TITLE) if usable else "")


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
