"""Find the instruction in a spoken English sentence: "so now we're gonna click save" is "click save".

Rules, in order: words that lead over ("okay so now") are removed; then a frame around the verb ("we're going
to", "you want to", "what you need to do is"); the rest must begin with a verb from the list, and must not be
a noun phrase that begins with the same word ("Open orders are listed here"). A clause before the instruction
("When you are done, ...", "In the top right corner ...") is kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from instructions.language_models.extractive.verbs import (
    FINITE,
    GERUNDS,
    HABITS,
    HANDS_ON,
    NO_NOUNS,
    PAST_FORMS,
    SPOKEN_FORMS,
    TASKS,
    THIRD_PERSONS,
    VERBS,
    words,
    written,
)

_ANY_CASE = re.IGNORECASE | re.DOTALL
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|[0-9]+")
_COMPOUND = re.compile(
    r"(double|right|left|middle|long|single|triple)[ -]?(click|press|tap)(?:ing|s)?\b", _ANY_CASE
)
# Words that are never part of a sentence's subject: the word before one of them is a verb, not a noun.
_NOT_IN_SUBJECT = words(
    """
    a an the your my our its their this that these those it them him her me us on in into to from for with
    at by up down out off over through back and or when if until as all any each every here there again yes
    no one both either whatever whether how what where why which who
    """
)
_NO_VERB_AFTER = words(
    """
    a an the your my our its their this that these those new first next any each every of to you i we can
    will and or not in on at from under with for by then
    """
)
_FILL = "just|now|then|simply|also|first|next|basically|actually|really|quickly|both|again|always|maybe|here"
_OPENER = re.compile(
    r"(?:okay|ok|alright|all right|right|so|well|and|but|um+|uh+|yeah|yes|great|good|perfect|cool|awesome|man"
    r"|now|then|next up|next|first of all|first off|first|firstly|second|secondly|third|thirdly|fourth"
    r"|finally|lastly|last|after that|afterwards?|after this|from here|from there|here|again|once again"
    r"|at this point|at that point|moving on|to start with|to start|to begin with|to begin|to get started"
    r"|to finish up|to finish|in the end|basically|actually|simply|just|quickly|please|you know|i mean|like"
    r"|also|alternatively|optionally|instead|feel free to"
    r"|step (?:number )?(?:[0-9]+|one|two|three|four|five|six|seven|eight|nine|ten)(?: is to)?"
    r"|number [a-z]+(?=,)|go ahead and|go ahead|go on and|go in and|come in and|be sure to|make sure to"
    r"|make sure (?:that )?you|remember to|don't forget to|try to|take a moment to"
    r"|(?:now )?it's (?:now )?time to|time to|going to (?=[a-z])|gonna|let's|lets|let us|let me)\b[\s,.:;-]*",
    _ANY_CASE,
)
_OPTIONAL = words("also alternatively optionally instead feel")
_PLAIN_CUES = words("okay ok so and alright um uh well yeah")
_LET_US = re.compile(r"let'?s|let us|let me", _ANY_CASE)
# "I click", "we're going to click", "you'll want to click", "I am clicking"
_SUBJECT_FRAME = re.compile(
    r"(?P<who>i|we|you all|y'all|you)"
    r"(?P<aux>'ll|'m|'re|'d|'ve| will| shall| am| are| can| could| should| must| may| might| would)?"
    r"(?P<fill>(?: (?:be|going to|gonna|wanna|about to|want to|need to|have to|got to|gotta|like to|able to"
    r"|ready to|try to|go ahead and|proceed to|go and|come and|(?:start|begin|continue|finish) by"
    rf"|{_FILL}))*) (?P<rest>.+)",
    _ANY_CASE,
)
_OTHER_FRAMES = (
    re.compile(r"(?:start|begin|continue|finish) (?:off )?by (?P<rest>.+)", _ANY_CASE),
    # "What you need to do is click", "The next step is to click"
    re.compile(
        r"(?:what|all|(?:the )?(?:very )?(?:first|next|last|second|third|final|only|other) (?:thing|step))\b"
        r"[^.,;]{0,60}?\b(?:is|was)"
        rf"(?: to| (?:{_FILL})| that (?:you|we)|:|,| go ahead and| you| we)* (?P<rest>.+)",
        _ANY_CASE,
    ),
)
_LEAD = re.compile(
    r"(?:to|in|on|at|from|under|when|once|if|after|before|with|for|inside|below|above|next to|as soon as"
    r"|while|by|using|over|down|up|here|there|within|near|beside|underneath|because|since|now that|whenever"
    r"|until|today)\b",
    _ANY_CASE,
)
_SUBORDINATE = re.compile(
    r"(?:when|once|if|after|before|as soon|while|because|since|whenever|until|to)\b", _ANY_CASE
)
_NO_INSTRUCTION = re.compile(
    r"check (?:it|this|that) out|look,|look at (?:this|that)\b|wait (?:a|for it)|hold on|give me|make sure"
    r"|give (?:it|this) a (?:like|second)|hit (?:the |that )?(?:like|subscribe|bell)|like and|subscribe"
    r"|leave (?:a |me |us )?(?:comment|like)|follow along|keep in mind|note that|stay tuned|make sense"
    r"|(?:take|have) a (?:quick |closer )?(?:look|moment|second|minute|while)|show (?:you|me|us)\b"
    r"|go (?:over|through) (?:this|that|how|some|everything|it)\b|try (?:it|this|that) (?:out|yourself)",
    _ANY_CASE,
)
# "and I click", "then we're going to click", said after a first instruction
_SECOND_VERB = re.compile(
    r"\b(and|then|or) (?:(?:then|just|now) ){0,3}(?:i|we)(?:'ll|'m|'re| will| am| are)? "
    r"(?:(?:going to|gonna|just|then|also) ){0,3}([a-z]+)",
    _ANY_CASE,
)
_SECOND_GERUND = re.compile(r"\b(and|or|then) ([a-z]+ing)\b", _ANY_CASE)
_IF_YOU_LIKE = re.compile(r"\bif you(?:'d)? (?:like|want|prefer|wish)(?: to)?$", _ANY_CASE)
_TAG_QUESTION = re.compile(r",? (?:okay|ok|right|yeah|alright)\?$", _ANY_CASE)
_PERSONS = (
    (re.compile(r"\b(?:i am|i'm|we are|we're)\b", _ANY_CASE), "you are"),
    (re.compile(r"\b(?:i|we)\b", _ANY_CASE), "you"),
    (re.compile(r"\b(?:my|our)\b", _ANY_CASE), "your"),
    (re.compile(r"\b(?:mine|ours)\b", _ANY_CASE), "yours"),
    (re.compile(r"\b(?:myself|ourselves)\b", _ANY_CASE), "yourself"),
    (re.compile(r"\b(?:me|us)\b", _ANY_CASE), "you"),
)


@dataclass(frozen=True)
class Instruction:
    """The instruction in a sentence. `clause` begins with the bare verb and has no mark at its end.

    `lead` is a clause before it; `cue` is the word that leads over to it, in lower case. `voice` is
    "imperative", "narrated" (first person) or "addressed" (second person).
    """

    clause: str
    verb: str
    voice: str = "imperative"
    lead: str = ""
    cue: str = ""
    is_optional: bool = False

    @property
    def is_hands_on(self) -> bool:
        """Return whether it is done with the mouse or the keys."""
        return self.verb in HANDS_ON or "-" in self.verb

    @property
    def is_task(self) -> bool:
        """Return whether it announces a task ("let's add the customer") rather than a single act."""
        return self.voice == "narrated" and self.verb in TASKS

    def sentence(self) -> str:
        """Return the instruction as an imperative sentence with a capital and a full stop."""
        text = f"{self.lead}, {self.clause}" if self.lead else self.clause
        return f"{text[:1].upper()}{text[1:]}."


class _Openers(NamedTuple):
    """The words that lead over to an instruction: their cue, what they say about it, the text after them."""

    cue: str
    is_optional: bool
    is_shared: bool  # "let's"
    rest: str


def find_instruction(sentence: str) -> Instruction | None:
    """Return the instruction that a sentence gives, or `None` for statements, questions and greetings."""
    text = _TAG_QUESTION.sub("", " ".join(sentence.replace("’", "'").split()))
    if text.endswith("?"):
        return None
    openers = _take_openers(text.rstrip(".!…,;:- "))
    text = openers.rest
    found = _straight(text) or _after_lead(text)
    if not found:
        return None
    if openers.is_shared:
        found = replace(found, voice="narrated")
    if found.voice == "narrated":
        found = replace(found, clause=_to_second_person(found.clause), lead=_to_second_person(found.lead))
    return replace(
        found,
        cue=openers.cue,
        is_optional=openers.is_optional or found.is_optional or bool(_IF_YOU_LIKE.search(text)),
    )


def without_gerunds(task: str) -> str:
    """Return a task with bare verbs, "create and send it" for "creating and sending it"; others unchanged."""
    verb = _form(GERUNDS, task)
    return _made(task, verb, "imperative").clause if verb else task


def _take_openers(text: str) -> _Openers:
    """Split the words that lead over off the beginning of a sentence, however many there are."""
    cue = ""
    is_optional = is_shared = False
    while opener := _OPENER.match(text):
        rest = text[opener.end() :]
        if not rest or _COMPOUND.match(text):  # "Right click" is no "Right, ..."
            break
        word = opener[0].lower().strip(" ,.:;-")
        if not cue or cue in _PLAIN_CUES:
            cue = word
        is_optional = is_optional or word.split()[0] in _OPTIONAL
        is_shared = is_shared or bool(_LET_US.fullmatch(word))
        text = rest
    return _Openers(cue, is_optional, is_shared, text)


def _straight(text: str, depth: int = 0) -> Instruction | None:
    """Return an instruction at the very beginning, bare or in a frame, or in a frame within a frame."""
    if _NO_INSTRUCTION.match(text):
        return None
    for frame in _OTHER_FRAMES if depth < 2 else ():
        if framed := frame.match(text):
            found = _framed(framed["rest"], "imperative") or _straight(framed["rest"], depth + 1)
            if found:
                return found
    if verb := _leading_verb(text):
        return _made(text, verb, "imperative")
    if subject := _SUBJECT_FRAME.match(text):
        voice = "narrated" if subject["who"].lower() in ("i", "we") else "addressed"
        found = _framed(subject["rest"], voice)
        if not subject["aux"] and not found and voice == "narrated":
            verb = _form(PAST_FORMS, subject["rest"])
            return _made(subject["rest"], verb, voice) if verb else None
        if not found or (found.verb in HABITS and not subject["aux"] and not subject["fill"]):
            return None
        return replace(found, is_optional="also" in subject["fill"].lower().split())
    if (verb := _form(GERUNDS, text)) and not _has_finite(text):
        return _made(text, verb, "narrated")
    return None


def _framed(rest: str, voice: str) -> Instruction | None:
    rest = _take_openers(rest).rest
    if _NO_INSTRUCTION.match(rest):
        return None
    verb = _leading_verb(rest, is_framed=True) or _form(GERUNDS, rest)
    return _made(rest, verb, voice) if verb else None


def _after_lead(text: str) -> Instruction | None:
    """Return an instruction after a clause of place, time, purpose or condition, with or without a comma."""
    if not _LEAD.match(text):
        return None
    found_words = list(islice(_WORD.finditer(text), 40))
    for number, (before, word) in enumerate(zip(found_words, found_words[1:], strict=False)):
        lead, rest = text[: before.end()], text[word.start() :]
        if "," in text[before.end() : word.start()]:
            _, is_optional, _, rest = _take_openers(rest)
        elif number < 12 and _may_begin_clause(text, before[0].lower(), word[0].lower()):
            is_optional = False
        else:
            continue
        if found := _straight(rest):
            is_condition = lead.lower().startswith("if ")
            return replace(found, lead=lead, is_optional=found.is_optional or is_optional or is_condition)
    return None


def _may_begin_clause(text: str, before: str, word: str) -> bool:
    """Return whether an instruction may begin at a word that follows a lead without a comma."""
    if word.split("'")[0] in ("i", "we", "you"):
        return not _SUBORDINATE.match(text)
    return word in HANDS_ON - {"check", "go"} and before.split("'")[0] not in _NO_VERB_AFTER


def _leading_verb(text: str, is_framed: bool = False) -> tuple[str, str] | None:
    """Return the bare verb that a text begins with, and the words in the text that stand for it."""
    if compound := _COMPOUND.match(text):
        return f"{compound[1].lower()}-{compound[2].lower()}", compound[0]
    found = [word[0].lower() for word in _WORD.finditer(text[:200])]
    if not found or not text.lower().startswith(found[0]):
        return None
    first = found[0]
    if first in VERBS:
        return (first, first) if is_framed or not _is_noun_phrase(text, found) else None
    verb = SPOKEN_FORMS.get(first)
    is_sure = verb and not is_framed and found[1:2] and found[1] in _NOT_IN_SUBJECT
    return (verb, first) if verb and is_sure and not _is_noun_phrase(text, found) else None


def _is_noun_phrase(text: str, found: list[str]) -> bool:
    """Return whether a text begins with a noun: "Open orders are listed", "Type of invoice", "Name, city"."""
    first, following = found[0], found[1:7]
    if first != written(first):  # "Login", "Setup guide"
        return not following or following[0] not in _NOT_IN_SUBJECT
    if first in NO_NOUNS:
        return False
    if following[:1] == ["of"] or (first in ("name", "note", "look") and text[len(first) :].startswith(",")):
        return True
    for word in following:
        if word in FINITE:
            return True
        if word in _NOT_IN_SUBJECT or word.isdigit():
            return False
    return False


def _form(forms: Mapping[str, str], text: str) -> tuple[str, str] | None:
    """Return the bare verb and its form when a text begins with one of `forms`."""
    word = _WORD.match(text)
    verb = forms.get(word[0].lower()) if word else None
    return (verb, word[0]) if word and verb else None


def _has_finite(text: str) -> bool:
    rest = [word[0].lower() for word in _WORD.finditer(text)][1:]
    return any(word in FINITE or word in THIRD_PERSONS for word in rest)


def _made(text: str, verb: tuple[str, str], voice: str) -> Instruction:
    bare, spoken = verb
    rest = text[len(spoken) :]
    if spoken.lower() in GERUNDS:
        rest = _SECOND_GERUND.sub(
            lambda second: f"{second[1]} {GERUNDS.get(second[2].lower(), second[2])}", rest
        )
    return Instruction(clause=(written(bare) + rest).strip(), verb=bare, voice=voice)


def _to_second_person(text: str) -> str:
    text = _SECOND_VERB.sub(_drop_subject, text)
    for pattern, replacement in _PERSONS:
        text = pattern.sub(replacement, text)
    return text


def _drop_subject(found: re.Match[str]) -> str:
    word = found[2].lower()
    verb = word if word in VERBS else GERUNDS.get(word)
    return f"{found[1]} {verb}" if verb else found[0]
