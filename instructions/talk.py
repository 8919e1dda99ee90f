"""The course of a talk over a recording: introduction, steps, closing words.

A step begins at a sentence that tells to do something; what is said after it belongs to it, and so does what
leads in to it: a statement after a long pause, or the task of which it is the first act. Times are in ms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from instructions.imperatives import Instruction, find_instruction
from instructions.spoken import clean, split_sentences
from jobs.speech import Segment

_LONG_PAUSE_MS = 900
_LEAD_IN_PAUSE_MS = 1200
_NO_PAUSE_MS = 200
_GROUP_WORDS = 45

_RECORDING = (
    "(?:video|guide|tutorial|lesson|clip|recording|demo|demonstration|walkthrough|screencast|episode)"
)
_INTRODUCES = re.compile(
    rf"\b(?:this|today's) (?:\w+ )?{_RECORDING}\b|\btoday\b|\bwelcome\b|^(?:hello|hi|hey)\b"
    r"|\bshow(?:ing)? you\b|\blearn\b|\bmy name is\b|\bwalk you through\b|\blook at how\b",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"^(?:(?:and|so|okay|ok|alright|well|now|all right)\b[\s,]*)*"
    r"(?:let's (?:get (?:right )?(?:started|into it|to it)|begin|start|go|do (?:it|this)"
    r"|(?:jump|dive) (?:right )?in)|here we go|there we go|there you go|perfect|great|awesome|cool|good|nice"
    r"|okay|alright|all right|yes|yeah|no|right|so|and|now)?[\s.!,]*$",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"^(?:(?:and|so|okay|alright|well|now|all right|yes|yeah)\b[\s,]*)*"
    r"(?:that(?:'s| is| was)(?: about| basically| pretty much)? (?:it|all|how|everything)\b"
    r"|(?:you|we)(?:'re| are)(?: now| all)* (?:done|set|finished)\b|thanks?\b|thank you\b|see you"
    r"|have a (?:great|nice|good)|bye\b|goodbye|(?:please )?(?:like|subscribe)\b"
    r"|if you (?:have|found|liked|enjoyed)\b"
    r"|(?:i )?hope (?:this|that|you)|until next time|don't forget to (?:like|subscribe))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """A clean sentence, what it tells to do if anything, and the silence before it."""

    text: str
    start_ms: int
    end_ms: int
    pause_ms: int
    instruction: Instruction | None = None


@dataclass
class StepSaid:
    """The sentences of a step. `main` tells what to do, `opening` the task ahead ("Let's add a customer")."""

    main: Said
    instruction: Instruction
    said: list[Said]
    opening: Said | None = None

    @property
    def task(self) -> Instruction | None:
        return self.opening.instruction if self.opening else None


@dataclass
class Talk:
    """All that is said, in order; farewells are left out."""

    introduction: list[Said] = field(default_factory=list)
    steps: list[StepSaid] = field(default_factory=list)
    closing: list[Said] = field(default_factory=list)


def listen(segments: Sequence[Segment], *, english: bool) -> list[Said]:
    """The clean sentences of a transcript; instructions are only found in English."""
    said: list[Said] = []
    for sentence in split_sentences(segments, english=english):
        text = clean(sentence.text, english=english)
        if text and not (english and _EMPTY.match(text)):
            pause_ms = max(0, sentence.start_ms - said[-1].end_ms) if said else 0
            instruction = find_instruction(text) if english else None
            said.append(Said(text, sentence.start_ms, sentence.end_ms, pause_ms, instruction))
    return said


def follow(said: Sequence[Said]) -> Talk:
    """Introduction, steps and closing words; no steps when nothing is told to do."""
    talk = Talk()
    usual_pause_ms = median(item.pause_ms for item in said) if said else 0
    waiting: list[Said] = []
    for item, following in zip(said, [*said[1:], None], strict=True):
        told = item.instruction
        if not talk.steps and _introduces(item):
            talk.introduction += [*waiting, item]
            waiting = []
        elif following and _leads_in(item, following, usual_pause_ms):
            (waiting if talk.steps or talk.introduction else talk.introduction).append(item)
        elif told and not told.is_optional and not (talk.steps and _continues(item, usual_pause_ms)):
            opening = next((lead for lead in waiting if lead.instruction), None)
            talk.steps.append(StepSaid(item, told, [*waiting, item], opening))
            waiting = []
        else:
            belongs_to = talk.steps[-1].said if talk.steps else talk.introduction
            belongs_to += [*waiting, item]
            waiting = []
    if talk.steps:
        _take_farewell(talk)
    return talk


def in_groups(said: Sequence[Said]) -> list[list[Said]]:
    """Sentences that tell nothing to do, cut at the long pauses, and where there is too much for one step."""
    groups: list[list[Said]] = []
    words = 0
    for item in said:
        if not groups or item.pause_ms >= _LONG_PAUSE_MS or words >= _GROUP_WORDS:
            groups.append([])
            words = 0
        groups[-1].append(item)
        words += max(len(item.text.split()), len(item.text) // 8)  # not every script has spaces
    return groups


def _introduces(item: Said) -> bool:
    """Whether it speaks of the recording itself; "Set the date to today" does not, though it says "today"."""
    told = item.instruction
    is_act = told is not None and told.voice == "imperative" and not told.lead
    return not is_act and bool(_INTRODUCES.search(item.text))


def _leads_in(item: Said, following: Said, usual_pause_ms: float) -> bool:
    """Whether a sentence belongs to the step that the next one begins."""
    first_act = following.instruction
    if not first_act or first_act.is_optional:
        return False
    if told := item.instruction:
        is_act = first_act.voice == "imperative" and first_act.is_hands_on and not first_act.lead
        return told.is_task and is_act
    return item.pause_ms > max(_LEAD_IN_PAUSE_MS, 1.6 * usual_pause_ms, 1.5 * following.pause_ms)


def _continues(item: Said, usual_pause_ms: float) -> bool:
    """Whether it is said in the same breath: "..., then enter the price"."""
    has_cue = item.instruction is not None and item.instruction.cue in ("then", "and")
    return has_cue and item.pause_ms < _NO_PAUSE_MS <= usual_pause_ms


def _take_farewell(talk: Talk) -> None:
    """Move what is said after the work is done out of the last step; drop thanks and goodbyes."""
    last = talk.steps[-1]
    after = last.said.index(last.main) + 1
    farewells = [at for at in range(after, len(last.said)) if _FAREWELL.match(last.said[at].text)]
    end = farewells[0] if farewells else len(last.said)
    talk.closing = [item for item in last.said[end:] if not _FAREWELL.match(item.text)]
    del last.said[end:]
