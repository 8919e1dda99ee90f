"""Segment the speech over a recording into introduction, steps and closing words.

A step begins at a sentence that gives an instruction. What is said after it belongs to the step, and so does
what leads in to it: a statement after a long pause, or the announcement of a task whose first act it is.
Times are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from instructions.language_models.extractive.imperatives import Instruction, find_instruction
from instructions.language_models.extractive.sentences import clean, split_sentences
from jobs.media.transcripts import Segment

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
class Utterance:
    """A clean sentence, the instruction in it if there is one, and the silence before it.

    `segments` are the positions of those that it was said in.
    """

    text: str
    start_ms: int
    end_ms: int
    pause_ms: int
    segments: tuple[int, ...]
    instruction: Instruction | None = None


@dataclass
class SpokenStep:
    """The utterances of a step.

    `main` holds the instruction, `opening` announces the task that it begins ("Let's add a customer").
    """

    main: Utterance
    instruction: Instruction
    utterances: list[Utterance]
    opening: Utterance | None = None

    @property
    def task(self) -> Instruction | None:
        return self.opening.instruction if self.opening else None


@dataclass
class SpokenGuide:
    """All utterances of a recording in order, without farewells."""

    introduction: list[Utterance] = field(default_factory=list)
    steps: list[SpokenStep] = field(default_factory=list)
    closing: list[Utterance] = field(default_factory=list)


def parse_sentences(segments: Sequence[Segment], *, english: bool) -> list[Utterance]:
    """Return the clean sentences of a transcript. Instructions are only found in English."""
    utterances: list[Utterance] = []
    for sentence in split_sentences(segments, english=english):
        text = clean(sentence.text, english=english)
        if text and not (english and _EMPTY.match(text)):
            pause_ms = max(0, sentence.start_ms - utterances[-1].end_ms) if utterances else 0
            instruction = find_instruction(text) if english else None
            times = sentence.start_ms, sentence.end_ms, pause_ms
            utterances.append(Utterance(text, *times, sentence.segments, instruction))
    return utterances


def segment_talk(utterances: Sequence[Utterance]) -> SpokenGuide:
    """Return introduction, steps and closing words; no steps when no instruction is given."""
    guide = SpokenGuide()
    usual_pause_ms = median(utterance.pause_ms for utterance in utterances) if utterances else 0
    waiting: list[Utterance] = []
    for utterance, following in zip(utterances, [*utterances[1:], None], strict=True):
        told = utterance.instruction
        if not guide.steps and _introduces(utterance):
            guide.introduction += [*waiting, utterance]
            waiting = []
        elif following and _leads_in(utterance, following, usual_pause_ms):
            (waiting if guide.steps or guide.introduction else guide.introduction).append(utterance)
        elif told and not told.is_optional and not (guide.steps and _continues(utterance, usual_pause_ms)):
            opening = next((lead for lead in waiting if lead.instruction), None)
            guide.steps.append(SpokenStep(utterance, told, [*waiting, utterance], opening))
            waiting = []
        else:
            belongs_to = guide.steps[-1].utterances if guide.steps else guide.introduction
            belongs_to += [*waiting, utterance]
            waiting = []
    if guide.steps:
        _take_farewell(guide)
    return guide


def in_groups(utterances: Sequence[Utterance]) -> list[list[Utterance]]:
    """Return utterances without instructions in groups, cut at long pauses and at the length of a step."""
    groups: list[list[Utterance]] = []
    words = 0
    for utterance in utterances:
        if not groups or utterance.pause_ms >= _LONG_PAUSE_MS or words >= _GROUP_WORDS:
            groups.append([])
            words = 0
        groups[-1].append(utterance)
        text = utterance.text
        words += max(len(text.split()), len(text) // 8)  # not every script has spaces
    return groups


def _introduces(utterance: Utterance) -> bool:
    """Return whether an utterance is about the recording itself.

    "Set the date to today" is not, although it says "today".
    """
    told = utterance.instruction
    is_act = told is not None and told.voice == "imperative" and not told.lead
    return not is_act and bool(_INTRODUCES.search(utterance.text))


def _leads_in(utterance: Utterance, following: Utterance, usual_pause_ms: float) -> bool:
    """Return whether an utterance belongs to the step that the next one begins."""
    first_act = following.instruction
    if not first_act or first_act.is_optional:
        return False
    if told := utterance.instruction:
        is_act = first_act.voice == "imperative" and first_act.is_hands_on and not first_act.lead
        return told.is_task and is_act
    return utterance.pause_ms > max(_LEAD_IN_PAUSE_MS, 1.6 * usual_pause_ms, 1.5 * following.pause_ms)


def _continues(utterance: Utterance, usual_pause_ms: float) -> bool:
    """Return whether an instruction follows without a pause: "..., then enter the price"."""
    has_cue = utterance.instruction is not None and utterance.instruction.cue in ("then", "and")
    return has_cue and utterance.pause_ms < _NO_PAUSE_MS <= usual_pause_ms


def _take_farewell(guide: SpokenGuide) -> None:
    """Move what is said after the work out of the last step; drop thanks and goodbyes."""
    last = guide.steps[-1]
    after = last.utterances.index(last.main) + 1
    said_after = range(after, len(last.utterances))
    farewells = [at for at in said_after if _FAREWELL.match(last.utterances[at].text)]
    end = farewells[0] if farewells else len(last.utterances)
    guide.closing = [utterance for utterance in last.utterances[end:] if not _FAREWELL.match(utterance.text)]
    del last.utterances[end:]
