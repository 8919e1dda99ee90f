"""Drafting by rules alone: deterministic, no network. A step begins where somebody says what to do."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from instructions.blocks import format_time_range
from instructions.language_models import Draft, LanguageModelError
from jobs.speech import Segment

VERBS = frozenset(
    """accept activate add adjust allow apply approve archive arrange assign attach begin browse build call cancel
    change check choose clear click close collapse compare complete configure confirm connect continue copy create
    customize cut deactivate decide define delete describe deselect disable disconnect double-click download drag
    draw drop duplicate edit enable enter expand export fill filter find finish follow format generate give go grab
    group head hide highlight hit hold hover import include insert install invite jump keep launch leave link locate
    log look make mark maximize merge minimize modify move name navigate notice open paste pause pick place play
    point press preview print provide publish pull push put read record refresh reload remove rename reopen repeat
    replace reply reset resize restart restore return review right-click run save scan scroll search select
    send set share show sign skip sort specify start stop submit switch take tap test toggle turn type uncheck undo
    unlock unselect update upgrade upload use verify view visit wait watch write zoom""".split()
)
_FILLERS = re.compile(r"\b(?:um+|uh+|erm|you know|i mean|sort of|kind of|basically)\b,?\s*", re.IGNORECASE)
_OPENERS = re.compile(
    r"^(?:(?:okay|ok|so|now|then|next|first|first of all|second|third|finally|lastly|after that|afterwards|and|also|"
    r"alright|all right|well|once that is done|please|just|simply|here|to begin|to start|let us|let's|we will|we'll|"
    r"you will|you'll|i will|i'll|we can|you can|you could|you need to|we need to|you have to|you want to|you should|"
    r"make sure to|make sure you|be sure to|remember to|go ahead and|we are going to|we're going to|we're gonna|"
    r"i am going to|i'm going to|i'm gonna|you are going to|you're going to|i want to|we want to|i|we|you)"
    r"(?=[\s,]|$)[\s,]*)+",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"\b(?:in this (?:guide|video|tutorial|recording|lesson)|today|this (?:guide|video|tutorial) shows (?:you )?how to|"
    r"i(?:'ll| will) show you how to|learn how to)\b[\s,]*",
    re.IGNORECASE,
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?]+[\"')\]]*|$)")
_STOP = frozenset(
    """a an and are as at be by can do for from in into is it its of on or so that the their them then there this to
    top bottom left right corner side up down out we will with you your all new page window button field done next
    make now here one two three which what how""".split()
)
HEADING_CHARACTERS = 60
GROUP_PAUSE_FACTOR = 1.6  # a pause this many times the usual one parts two topics
GROUP_PAUSE_MS = 1200


@dataclass(frozen=True)
class Sentence:
    start_ms: int
    end_ms: int
    text: str


@dataclass
class Step:
    """What one instruction says, from its own sentence to the last before the next instruction."""

    sentences: list[Sentence] = field(default_factory=list)

    @property
    def start_ms(self) -> int:
        return self.sentences[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.sentences[-1].end_ms


class Extractive:
    """The language model that is none: splits, picks and cleans what was said."""

    model_profile_id = "extractive"
    prompt_template_id = "guide"

    def draft(self, segments: Sequence[Segment], *, title: str | None, language: str) -> Draft:
        sentences = split_sentences(segments)
        if not sentences:
            raise LanguageModelError("NO_SPEECH", "No speech was found in the recording. Record it with narration.")
        opening, steps = find_steps(sentences)
        title = title or find_title(opening, steps)
        groups = group_steps(steps)
        lines = [f"# {escape(title)}", ""]
        if opening:
            lines += [paragraph(opening), ""]
        number, level = 0, "##" if len(groups) == 1 else "###"
        for group in groups:
            if len(groups) > 1:
                lines += [f"## {escape(section_title(group, groups))}", ""]
            for step in group:
                number += 1
                times = format_time_range(step.start_ms, step.end_ms)
                heading = escape(heading_of(step.sentences[0].text))
                lines += [f"{level} Step {number}: {heading} {times}", "", paragraph(step.sentences), ""]
        markdown = "\n".join(lines).rstrip() + "\n"
        return Draft(markdown, title, self.model_profile_id, self.prompt_template_id)

    def rewrite(self, text: str, *, context: str | None) -> str:
        """Every line without fillers, first-person openers and doubled spaces; Markdown marks stay."""
        return "\n".join(_rewrite_line(line) for line in text.split("\n"))


def _rewrite_line(line: str) -> str:
    mark = re.match(r"\s*(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s+)?", line)
    lead = mark.group() if mark else ""
    rest = clean(line[len(lead) :])
    return lead + (capital(_OPENERS.sub("", rest)) if is_instruction(rest) else rest)


def split_sentences(segments: Sequence[Segment]) -> list[Sentence]:
    """Sentences with times; within a segment they are shared out by the number of characters."""
    found = []
    for segment in segments:
        length = max(1, len(segment.text))
        for match in _SENTENCE.finditer(segment.text):
            text = match.group().strip()
            if text:
                span = segment.end_ms - segment.start_ms
                start = segment.start_ms + span * match.start() // length
                found.append(Sentence(start, segment.start_ms + span * match.end() // length, text))
    return found


def first_words(text: str) -> list[str]:
    stripped = _OPENERS.sub("", _FILLERS.sub("", text))
    return re.findall(r"[a-z][a-z'-]*", stripped.lower())[:2]


def is_instruction(text: str) -> bool:
    """Whether the sentence tells somebody to do something: its first word, openers aside, is a verb of doing."""
    words = first_words(text)
    if not words or _PURPOSE.search(text) or text.rstrip().endswith("?"):
        return False
    return any(form in VERBS for form in _base_forms(words[0]))


def _base_forms(word: str) -> list[str]:
    forms = [word]
    if word.endswith("ing"):
        forms += [word[:-3], word[:-3] + "e", word[:-4]]
    elif word.endswith("s"):
        forms += [word[:-1], word[:-2]]
    return forms


def find_steps(sentences: list[Sentence]) -> tuple[list[Sentence], list[Step]]:
    """What is said before the first instruction, and the steps. Without any instruction each passage between
    two pauses is a step."""
    opening: list[Sentence] = []
    steps: list[Step] = []
    for sentence in sentences:
        if is_instruction(sentence.text):
            steps.append(Step([sentence]))
        elif steps:
            steps[-1].sentences.append(sentence)
        else:
            opening.append(sentence)
    if steps:
        return opening, steps
    for sentence in sentences:
        if steps and sentence.start_ms - steps[-1].end_ms < GROUP_PAUSE_MS:
            steps[-1].sentences.append(sentence)
        else:
            steps.append(Step([sentence]))
    return [], steps


def group_steps(steps: list[Step]) -> list[list[Step]]:
    """Steps parted where the speaker pauses clearly longer than between two steps; one group when nowhere."""
    pauses = [after.start_ms - before.end_ms for before, after in zip(steps, steps[1:], strict=False)]
    if len(pauses) < 3:
        return [steps]
    limit = max(GROUP_PAUSE_MS, statistics.median(pauses) * GROUP_PAUSE_FACTOR)
    groups = [[steps[0]]]
    for pause, step in zip(pauses, steps[1:], strict=True):
        if pause >= limit:
            groups.append([])
        groups[-1].append(step)
    return groups if len(groups) < len(steps) else [steps]


def section_title(group: list[Step], groups: list[list[Step]]) -> str:
    """The words that stand out in a group against the whole, in the order they are said."""
    everywhere = Counter(word for other in groups for word in set(_topic_words(other)))
    here = Counter(_topic_words(group))
    best = sorted(here, key=lambda word: (-here[word] / everywhere[word], -here[word], _topic_words(group).index(word)))
    chosen = [word for word in dict.fromkeys(_topic_words(group)) if word in best[:2]]
    return capital(" and ".join(chosen)) if chosen else heading_of(group[0].sentences[0].text)


def _topic_words(group: list[Step]) -> list[str]:
    text = " ".join(sentence.text for step in group for sentence in step.sentences).lower()
    return [word for word in re.findall(r"[a-z][a-z'-]{2,}", text) if word not in _STOP and word not in VERBS]


def find_title(opening: list[Sentence], steps: list[Step]) -> str:
    """From a sentence such as "In this guide, we will …", else from the first thing that is done."""
    for sentence in opening:
        if _PURPOSE.search(sentence.text):
            return heading_of(_PURPOSE.sub("", sentence.text))
    source = opening[0] if opening else steps[0].sentences[0]
    return heading_of(source.text)


def heading_of(text: str) -> str:
    """A short heading of a sentence: openers off, cut at a clause or a word, no full stop."""
    text = _OPENERS.sub("", clean(text)).rstrip(" .!,;:")
    if len(text) > HEADING_CHARACTERS:
        clause = re.split(r"[,;:]| and (?=[a-z]+ )", text, maxsplit=1)[0]
        text = clause if 12 <= len(clause) <= HEADING_CHARACTERS else text[: HEADING_CHARACTERS + 1].rsplit(" ", 1)[0]
    return capital(text.rstrip(" .!,;:")) or "Watch the recording"


def clean(text: str) -> str:
    return capital(re.sub(r"\s+", " ", _FILLERS.sub("", text)).strip())


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def paragraph(sentences: Sequence[Sentence]) -> str:
    """What was said, as text that Markdown reads literally."""
    text = escape(" ".join(clean(sentence.text) for sentence in sentences))
    # At the beginning of a line these would start a list, a rule or a quote.
    return re.sub(r"^(\d+)([.)])|^([-+=>])", lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", text)


def escape(text: str) -> str:
    """Transcript text is data: every character that Markdown could read otherwise is escaped."""
    return _SPECIAL.sub(r"\\\1", text)
