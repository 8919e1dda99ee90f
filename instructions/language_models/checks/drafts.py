"""Check what a model has written of some passages of a transcript.

Every step names the passages that it rests on. What is left of a step is plain text, and every literal in it was said
there (`literals`); what was kept out of the prompt does not come back.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructions.drafting import short_title
from instructions.language_models.checks.literals import Said, sentences
from instructions.language_models.checks.plain import plain_line, plain_paragraphs
from instructions.language_models.checks.words import WORD, content_words, normal, runs_of_words

MAX_TITLE, MAX_GUIDE_TITLE, MAX_TEXT = 90, 120, 4_000  # characters
MAX_CITED = 20  # passages that one step rests on, without a review
MIN_WORDS_KNOWN = 0.5  # of a step's different content words, how many its passages have at least
_MAX_READ = 8_000  # characters of a title or text that are looked at
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"\s*\[?(\d{1,9})(?:\.0+)?\]?\s*")
_THOUGHTS = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_OBJECT = re.compile(r'\{\s*"')
_MAX_OBJECTS = 200  # that a text is searched for


class AnswerInvalid(Exception):
    """An answer is not of the expected shape; the message is a sentence for the model that quotes nothing of it."""


@dataclass(frozen=True)
class WrittenStep:
    """A step as the model wrote it."""

    title: str
    text: str
    segments: tuple[int, ...]


@dataclass(frozen=True)
class WrittenPart:
    """An answer of the expected shape: steps, and the title of the guide if the model gave one."""

    title: str
    steps: tuple[WrittenStep, ...]

    def to_json(self) -> dict[str, Any]:
        steps = [
            {"title": step.title, "text": step.text, "segments": list(step.segments)} for step in self.steps
        ]
        return {"title": self.title, "steps": steps}


@dataclass(frozen=True)
class CheckedStep:
    """A step that rests on passages: plain text, and the positions of the passages in order."""

    title: str
    paragraphs: tuple[str, ...]
    segments: tuple[int, ...]
    needs_review: bool = False


@dataclass(frozen=True)
class CheckedPart:
    """What is left of an answer, and how much was not: `steps_dropped`, `steps_to_review`, `sentences_removed`."""

    title: str
    steps: tuple[CheckedStep, ...]
    counts: Counter[str] = field(default_factory=Counter)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": ["string", "null"]},
        "steps": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "text": {"type": "string"},
                    "segments": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["title", "text", "segments"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["title", "steps"],
    "additionalProperties": False,
}


def read_answer(text: str, *, max_steps: int) -> WrittenPart:
    """Return the JSON object in an answer, read leniently: a fence or words around it do not count, nor do keys that
    nobody asked for. Raise AnswerInvalid."""
    return read_part(_object_in(text), max_steps=max_steps)


def read_part(found: Any, *, max_steps: int) -> WrittenPart:
    """Return the answer in parsed JSON; raise AnswerInvalid."""
    steps = found.get("steps") if isinstance(found, dict) else None
    if not isinstance(steps, list):
        raise AnswerInvalid('It was no JSON object with a list "steps".')
    if len(steps) > max_steps:
        raise AnswerInvalid("It had more steps than passages to rest on.")
    title = found.get("title")
    return WrittenPart(_text(title) if isinstance(title, str) else "", tuple(map(_read_step, steps)))


def _read_step(step: Any) -> WrittenStep:
    if not isinstance(step, dict) or not all(isinstance(step.get(name), str) for name in ("title", "text")):
        raise AnswerInvalid('A step was no object with "title", "text" and "segments".')
    segments = step.get("segments")
    if not isinstance(segments, list) or len(segments) > 10_000:
        raise AnswerInvalid('"segments" of a step was no list of numbers.')
    if len(step["title"]) > _MAX_READ or len(step["text"]) > _MAX_READ:
        raise AnswerInvalid("A step was far too long.")
    return WrittenStep(_text(step["title"]), _text(step["text"]), tuple(_positions(segments)))


def _text(value: str) -> str:
    return _UNSTORABLE.sub("", value)


def _positions(segments: Iterable[Any]) -> Iterable[int]:
    for entry in segments:
        if type(entry) is int:
            yield entry
        elif isinstance(entry, float) and entry.is_integer() and abs(entry) < 1e9:
            yield int(entry)
        elif isinstance(entry, str) and (number := _NUMBER.fullmatch(entry)):
            yield int(number[1])


def _object_in(text: str) -> Any:
    """Return the last JSON object of a text with "steps" in it, None without one.

    What a model thinks before it answers may hold drafts, and braces that begin no object.
    """
    decoder, last = json.JSONDecoder(), None
    thoughts = _THOUGHTS.match(text)
    at = thoughts.end() if thoughts else 0
    for _ in range(_MAX_OBJECTS):
        begin = _OBJECT.search(text, at)
        if begin is None:
            break
        try:
            found, at = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at = begin.end()
            continue
        last = found if "steps" in found else last
    return last


def check_part(written: WrittenPart, *, sent: Mapping[int, str], withheld: Sequence[str]) -> CheckedPart:
    """Return what is left of the answer to some passages (`sent`, by their positions), and what had to go.

    A step that names none of them is dropped. A sentence goes, and a title, when it has a literal that its passages
    do not have, or words in a row of what was `withheld`. A step is to be reviewed when something went, and when it
    is not borne out by the words of its passages: a sentence shares none with them, or the step too few, or it names
    more passages than one step rests on.
    """
    checker = _Checker(sent, withheld)
    steps = [checked for step in written.steps if (checked := checker.step(step))]
    return CheckedPart(checker.title(written.title), tuple(steps), checker.counts)


class _Checker:
    def __init__(self, sent: Mapping[int, str], withheld: Sequence[str]) -> None:
        self.sent, self.counts = sent, Counter[str]()
        talk = set(runs_of_words(sent.values()))
        self.withheld = {run for run in runs_of_words(withheld) if run not in talk}

    def title(self, title: str) -> str:
        """Return the title of the guide; empty when it says what nobody has said."""
        line, had_markup = plain_line(title)
        said = Said(self.sent.values(), self.sent.values())
        return (
            short_title(line, MAX_GUIDE_TITLE)
            if line and not had_markup and self._is_said(line, said)
            else ""
        )

    def step(self, step: WrittenStep) -> CheckedStep | None:
        segments = tuple(sorted({position for position in step.segments if position in self.sent}))
        cited = [self.sent[position] for position in segments]
        said = Said(cited, self.sent.values())
        title, had_markup = plain_line(step.title)
        paragraphs, had_more = plain_paragraphs(step.text[:MAX_TEXT])
        removed = 0
        if title and not self._is_said(title, said):
            title, removed = "", 1
        kept = []
        for paragraph in paragraphs:
            of_speech = [sentence for sentence in sentences(paragraph) if self._is_said(sentence, said)]
            removed += len(sentences(paragraph)) - len(of_speech)
            kept.append(" ".join(of_speech))
        kept = [paragraph for paragraph in kept if paragraph]
        self.counts["sentences_removed"] += removed
        if not segments or not (title or kept):
            self.counts["steps_dropped"] += 1
            return None
        is_borne_out = len(segments) <= MAX_CITED and _are_known(title, kept, cited)
        needs_review = bool(removed or had_markup or had_more or not is_borne_out)
        self.counts["steps_to_review"] += needs_review
        return CheckedStep(
            short_title(title or sentences(kept[0])[0], MAX_TITLE), tuple(kept), segments, needs_review
        )

    def _is_said(self, text: str, said: Said) -> bool:
        return said.has_all_of(text) and self.withheld.isdisjoint(runs_of_words([text]))


def _are_known(title: str, paragraphs: Sequence[str], cited: Sequence[str]) -> bool:
    """Return whether the passages have enough of a step's words: of its title and of each sentence one at least, and
    of all a share."""
    spoken = " ".join(cited)
    heard = {*content_words(spoken), *WORD.findall(normal(spoken))}
    texts = [title, *(sentence for paragraph in paragraphs for sentence in sentences(paragraph))]
    of_texts = [words for text in texts if (words := content_words(text).keys())]
    written = set[str]().union(*of_texts)
    is_foreign = any(heard.isdisjoint(words) for words in of_texts)
    return not is_foreign and len(written & heard) >= MIN_WORDS_KNOWN * len(written)
