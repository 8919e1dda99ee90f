"""A spoken guide, put together with what the screen shows being done.

A step gets the actions near its words: those whose control it names, else the first one; it begins with the first of
them. Names of controls are spelt as the screen spells them; the frames of the actions join the evidence of the step, so
that it shows where a name comes from. A step whose action the screen shows taken back goes, and an action that no step
speaks of becomes a step of its own. Of a recording many of whose clicks are doubtful, the guide stays as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from instructions.drafting import Guide, Section, Step
from instructions.language_models.extractive.shown import SURE, Action, actions, code_of, frames_of
from instructions.language_models.extractive.wordings import Wording, wording_of
from jobs.media.screen.events import EventKind, ScreenEvent

_LEAD_MS = 2_500  # before the words begin
_LAG_MS = 6_000  # after they begin, where no other step follows sooner
_NAMED = 80  # how alike a label and what is said are when it is named (0..100)
_MISHEARD = 75  # and when it is misheard, by rapidfuzz's ratio, if a word of it is heard right
_MISSPELT = 88  # or if none is
_CLEAR_SHARE = 0.7  # of the clicks
_MIN_LABEL = 4  # characters; shorter ones are like everything
_TOGETHER_MS = 4_000  # what is said and done so close is one step
_WORD = re.compile(r"\S+")


def with_screen(guide: Guide, screen: Sequence[ScreenEvent], *, language: str) -> Guide:
    """Return the guide with what the screen shows in it; as it is without events. Times are milliseconds."""
    done, taken_back = actions(screen)
    if not _is_clear(screen) or not (done or taken_back):
        return guide
    steps = [step for section in guide.sections for step in section.steps]
    near = _nearest(steps, done)
    undone = _nearest(steps, taken_back)
    claimed = {id(action) for found in near for action in found}
    wording = wording_of(language)
    sections, number = [], 0
    for section in guide.sections:
        kept = []
        for step in section.steps:
            if not (undone[number] and not near[number] and _names_any(step, undone[number])):
                kept.append(_shown_by(step, near[number], wording))
            number += 1
        sections.append(replace(section, steps=tuple(kept)))
    own = [action.step(wording) for action in done if id(action) not in claimed and _is_sure(action)]
    return replace(guide, sections=_with_own(sections, own))


def _is_clear(screen: Sequence[ScreenEvent]) -> bool:
    """Return whether a recording shows well what is done: most of its clicks and commands are sure, and
    have a name."""
    acts = [event for event in screen if event.kind == EventKind.CLICK or event.is_command]
    sure = [event for event in acts if event.confidence >= SURE and event.label]
    return len(sure) >= max(1, _CLEAR_SHARE * len(acts))


def _name(event: ScreenEvent) -> str | None:
    """Return what an action is known by in words: the label of what is acted on, or the command that is typed."""
    return event.text if event.is_command else event.label


def _nearest(steps: Sequence[Step], found: Sequence[Action]) -> list[list[Action]]:
    """Return for each step the actions that it speaks of, in order; each belongs to one step at most."""
    near: list[list[Action]] = [[] for _ in steps]
    for action in found:
        event = action.event
        places = [at for at, step in enumerate(steps) if _is_near(steps, at, event.at_ms)]
        named = [at for at in places if _likeness(_name(event), _text(steps[at])) >= _NAMED]
        named = [at for at in named if _is_said_with(steps[at], event)]
        if named:
            near[min(named, key=lambda at: abs(steps[at].start_ms - event.at_ms))].append(action)
    taken = {id(action) for each in near for action in each}
    for at, step in enumerate(steps):
        free = [each for each in found if id(each) not in taken and _is_near(steps, at, each.event.at_ms)]
        soon = range(step.start_ms - 500, step.start_ms + 2 * _LAG_MS)
        later = [each for each in free if each.event.at_ms in soon]
        if not near[at] and later:
            near[at].append(later[0])
            taken.add(id(later[0]))
    return near


def _is_said_with(step: Step, event: ScreenEvent) -> bool:
    """Return whether it is the title that names an action, or what follows it at once."""
    in_title = _likeness(_name(event), step.title) >= _NAMED
    return in_title or abs(event.at_ms - step.start_ms) <= _TOGETHER_MS


def _is_near(steps: Sequence[Step], at: int, time_ms: int) -> bool:
    start_ms = steps[at].start_ms
    next_ms = steps[at + 1].start_ms if at + 1 < len(steps) else start_ms + 2 * _LAG_MS
    return start_ms - _LEAD_MS <= time_ms <= max(next_ms, start_ms + _LAG_MS)


def _text(step: Step) -> str:
    return " ".join((step.title, *step.paragraphs))


def _likeness(label: str | None, text: str) -> float:
    """Return how alike a label is to the words of a text that are most like it (0..100)."""
    if not label or len(label) < _MIN_LABEL:
        return 100.0 if label and re.search(rf"\b{re.escape(label)}\b", text, re.IGNORECASE) else 0.0
    return fuzz.partial_ratio(label.casefold(), text.casefold())


def _names_any(step: Step, found: Sequence[Action]) -> bool:
    return any(_likeness(_name(action.event), _text(step)) >= _NAMED for action in found)


def _shown_by(step: Step, found: Sequence[Action], wording: Wording) -> Step:
    """Return a step with the names of its controls as the screen spells them, and the frames that show it.

    A title that has no name of a control is made from the first action; what was said stays below it.
    """
    step = _typed_by(step, found)
    title, told = step.title, step.paragraphs
    for action in found:
        if action.event.label and action.event.confidence >= SURE:
            title = respelt(title, action.event.label)
            told = tuple(respelt(text, action.event.label) for text in told)
    sure = [action.event for action in found if _is_sure(action)]
    if sure and not any((_name(event) or "").casefold() in title.casefold() for event in sure):
        title = wording.title(sure[0])
    frames = tuple(frame for action in found for frame in frames_of(action.event))
    times = [time_ms for action in found for time_ms in (action.event.at_ms, action.event.end_ms or 0)]
    return replace(
        step,
        title=title,
        paragraphs=told,
        start_ms=min((action.event.at_ms for action in found), default=step.start_ms),
        end_ms=max((step.end_ms or step.start_ms, *times)),
        frames=(*step.frames, *frames),
        code=tuple(
            dict.fromkeys((*step.code, *(each for action in found for each in code_of(action.event))))
        ),
    )


def _typed_by(step: Step, found: Sequence[Action]) -> Step:
    """Return a step with its commands as the screen shows them typed."""
    for command in (each for action in found for each in code_of(action.event)):
        heard = max(step.code, key=lambda each: fuzz.ratio(each, command), default="")
        if not heard or fuzz.ratio(heard, command) < _MISHEARD:
            continue
        step = replace(
            step,
            title=step.title.replace(heard, command),
            paragraphs=tuple(text.replace(heard, command) for text in step.paragraphs),
            code=tuple(command if each == heard else each for each in step.code),
        )
    return step


def respelt(text: str, label: str) -> str:
    """Return a text in which the words that are most like a label are the label, if they are like enough."""
    words = list(_WORD.finditer(text))
    length = len(label.split())
    best, place = 0.0, (0, 0)
    for count in {max(1, length - 1), length, length + 1}:
        for at in range(len(words) - count + 1):
            begin, end = words[at].start(), words[at + count - 1].end()
            end -= len(text[begin:end]) - len(text[begin:end].rstrip(".,;:!?"))
            likeness = fuzz.ratio(text[begin:end].casefold(), label.casefold())
            if likeness > best or (likeness == best and end - begin < place[1] - place[0]):
                best, place = likeness, (begin, end)
    heard = set(text[slice(*place)].casefold().split())
    enough = _MISHEARD if heard & set(label.casefold().split()) else _MISSPELT
    if len(label) < _MIN_LABEL or best < enough:
        return text
    return text[: place[0]] + label.rstrip(".…") + text[place[1] :]


def _is_sure(action: Action) -> bool:
    """Return whether an action is worth a step that nobody speaks of."""
    return bool(action.event.label) and action.event.confidence >= SURE


def _with_own(sections: Sequence[Section], own: Sequence[Step]) -> tuple[Section, ...]:
    """Return sections with further steps, each in the one that is going on at its time; none that is empty."""
    made = [list(section.steps) for section in sections]
    for step in own:
        begun = [at for at, steps in enumerate(made) if steps and steps[0].start_ms <= step.start_ms]
        made[begun[-1] if begun else 0].append(step)
    return tuple(
        replace(section, steps=tuple(sorted(steps, key=lambda step: step.start_ms)))
        for section, steps in zip(sections, made, strict=True)
        if steps
    )
