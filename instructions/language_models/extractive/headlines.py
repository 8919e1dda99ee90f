"""Short headings of steps and titles of guides, from spoken sentences."""

from __future__ import annotations

import re

from instructions.drafting import short_title
from instructions.language_models.extractive.imperatives import find_instruction, without_gerunds
from instructions.language_models.extractive.sections import names_something
from instructions.language_models.extractive.verbs import VERBS

_PLACE = re.compile(
    r"\s+(?:in|at|on|from|near|under|below|above|inside|within|next to|over on|over in)"
    r"\s+(?:the|your|its|this|that)\s+(?:[\w-]+\s+){0,4}?"
    r"(?:corner|side|top|bottom|left|right|middle|center|list|menu|screen|page|window|toolbar|bar|panel"
    r"|sidebar|form|dialog|header|footer|drop-?down|column|row|section|box|area|popup)"
    r"(?:\s+(?:of|in|on)\s+(?:the|your)\s+[\w-]+(?:\s+[\w-]+)?)?$",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r",?\s+(?:so that|because|which|as you can see|right here|over here|for me|real quick|if you like)\b.*$",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:(?:okay|so|and|well|alright)\b[\s,]*)*"
    r"(?:(?:hello|hi|hey)(?: (?:there|everyone|everybody|guys|all|folks|friends))*"
    r"|good (?:morning|afternoon|evening)(?: everyone| everybody| all)?"
    r"|welcome(?: back)?(?: to (?:my|our|the|this) (?:\w+ )?(?:channel|show|series)|(?! to\b))"
    r"|my name is \w+)(?:[\s,.!]+(?:and )?|$)",
    re.IGNORECASE,
)
_TASKS = (
    re.compile(r"\bhow (?:do|can|would|should) (?:you|we|i) (?P<task>.+)", re.IGNORECASE),
    re.compile(r"\bhow (?:to|(?:you|we|i)(?: can| could| would)?) (?P<task>.+)", re.IGNORECASE),
    re.compile(r"\b(?:about|on|guide to|through|at|learn) (?P<task>[a-z]+ing .+)", re.IGNORECASE),
)
_SUBJECT = re.compile(
    r"\b(?:(?:is|be|talk) about|look at|show you|walk you through|introduc(?:e|ing)(?: you to)?|tour of)"
    r" (?P<what>.+)",
    re.IGNORECASE,
)


def step_heading(clause: str) -> str:
    """Return an instruction's clause without asides, and without its place unless that is all it names."""
    text = _ASIDE.sub("", clause)
    first, _, rest = text.partition(",")
    following = re.sub(r"^(?: and| then)+", "", rest.lower()).split()
    if not following or following[0] not in VERBS:
        text = first
    shorter = _PLACE.sub("", text)
    return short_title(shorter if names_something(shorter) else text)


def guide_title(sentence: str) -> str:
    """Return what a sentence of the introduction says the guide is about, or an empty string."""
    sentence = without_greeting(sentence).rstrip(".!?… ")
    for pattern in _TASKS:
        if found := pattern.search(sentence):
            task = without_gerunds(found["task"])
            told = find_instruction(task)
            return short_title(told.clause if told else task)
    if (told := find_instruction(sentence)) and not told.is_hands_on:
        return short_title(told.clause)
    subject = _SUBJECT.search(sentence)
    return short_title(re.sub(r"^(?:the|a|an|our|my|your) ", "", subject["what"])) if subject else ""


def without_greeting(sentence: str) -> str:
    """Return a sentence without greetings ("Hello everyone, welcome back"), empty when it only greets."""
    while greeting := _GREETING.match(sentence):
        sentence = sentence[greeting.end() :]
    return sentence[:1].upper() + sentence[1:]
