"""The steps that a screen shows being done: which of its events are steps, and how each is worded.

Clicks and what is typed are steps. A click into a field that is typed into belongs to the typing; scrolling, and
windows that open, are told in the step before them. What is taken back goes: a switch that is set and set back, what
is done in a window that is cancelled, and what led to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from instructions.drafting import Step
from instructions.evidence import Frame
from instructions.language_models.extractive.wordings import Wording, wording_of
from jobs.media.screen.events import EventKind, Region, ScreenEvent

SURE = 0.6
"""The confidence of an event below which its step is to be reviewed."""

_DOUBTFUL = 0.5  # without a label, and without much that changes, an event below it is no step
_UNLIKELY = 0.35  # below it what changed was brought about by something else, as a page that comes after the Enter key
_MUCH = 0.1  # of the screen
_OPENS_MS = 1_500  # from a click to the window that it opens
_SAME_TEXT = 85  # how alike two readings of one text are at least (0..100)
_INTO_FIELD_MS = 8_000  # from a click into a field to the first letter
_SET_BACK_MS = 20_000
_MENU_MS = 6_000
_MENU_SHARE = 0.15  # of the screen, at most
_CANCELS = frozenset(
    ("cancel", "discard", "abbrechen", "verwerfen", "annuler", "cancelar", "annulla", "annuleren")
)
_UNDOES = frozenset(("undo", "rückgängig", "annuler la saisie", "deshacer", "desfazer", "ongedaan maken"))
_GOES_ON = frozenset(
    ("next", "continue", "weiter", "suivant", "siguiente", "avanti", "próximo", "volgende", "more")
)


@dataclass(frozen=True)
class Action:
    """A step that is shown: the event that does it, and the window that opens by it."""

    event: ScreenEvent
    opened: ScreenEvent | None = None

    def step(self, wording: Wording) -> Step:
        """Return the step for an action that nobody speaks of."""
        event = self.event
        title = wording.title(event)
        told = [wording.sentence(event)]
        if self.opened and self._is_worth_telling(self.opened):
            told.append(wording.opens.format(label=self.opened.label))
        return Step(
            title,
            (" ".join(told),),
            event.at_ms,
            max(event.end_ms or event.at_ms, self.opened.at_ms if self.opened else 0),
            needs_review=event.confidence < SURE or not event.label,
            frames=frames_of(event),
            code=code_of(event),
        )

    def _is_worth_telling(self, opened: ScreenEvent) -> bool:
        """Return whether a window opens that has a name of its own; a menu has none."""
        is_large = opened.region.width * opened.region.height >= _MENU_SHARE
        return bool(opened.label) and is_large and opened.label != self.event.label


def frames_of(event: ScreenEvent) -> tuple[Frame, ...]:
    return (Frame(event.frame.pts, event.frame.frame_sha256),) if event.frame else ()


def code_of(event: ScreenEvent) -> tuple[str, ...]:
    """Return the command that is typed in a terminal."""
    return (event.text,) if event.is_command and event.text else ()


def shown_steps(events: Sequence[ScreenEvent], *, language: str) -> tuple[Step, ...]:
    """Return the steps of a recording in which nothing is said, in the language of the guide (a BCP 47 tag)."""
    wording = wording_of(language)
    return tuple(action.step(wording) for action in actions(events)[0])


def actions(events: Sequence[ScreenEvent]) -> tuple[list[Action], list[Action]]:
    """Return what is done in order of time, and what of it is taken back, apart."""
    done = _without_clicks_into_fields([event for event in events if _is_done(event)])
    found = [Action(event, _opened_by(event, following, events)) for event, following in _with_next(done)]
    taken_back = _set_back(found) | _cancelled(found)
    kept = [action for at, action in enumerate(found) if at not in taken_back]
    return kept, [action for at, action in enumerate(found) if at in taken_back]


def _is_done(event: ScreenEvent) -> bool:
    if event.kind not in (EventKind.CLICK, EventKind.TYPE) or event.confidence < _UNLIKELY:
        return False
    has_words = bool(event.text) or (bool(event.label) and event.kind is EventKind.CLICK)
    return has_words or event.confidence >= _DOUBTFUL or event.page_share >= _MUCH


def _with_next(done: Sequence[ScreenEvent]) -> list[tuple[ScreenEvent, ScreenEvent | None]]:
    return list(zip(done, [*done[1:], None], strict=True)) if done else []


def _without_clicks_into_fields(done: Sequence[ScreenEvent]) -> list[ScreenEvent]:
    into = [
        event for event, following in _with_next(done) if not (following and _leads_into(event, following))
    ]
    before = zip([None, *into], into, strict=False)
    return [
        event
        for last, event in before
        if not (last and (_is_left_from(last, event) or _is_brought_by(last, event)))
    ]


def _is_brought_by(last: ScreenEvent, event: ScreenEvent) -> bool:
    """Return whether what looks like a click is the page that the click before it brings, while it comes."""
    is_nameless = event.kind == EventKind.CLICK and not event.label and event.confidence < _DOUBTFUL
    return is_nameless and last.kind == EventKind.CLICK and event.at_ms - last.at_ms <= _OPENS_MS


def _is_left_from(typing: ScreenEvent, click: ScreenEvent) -> bool:
    """Return whether a click is on nothing but what was just typed there."""
    if typing.kind != EventKind.TYPE or click.kind != EventKind.CLICK or not (click.label and typing.text):
        return False
    likeness = fuzz.ratio(click.label.casefold(), typing.text.casefold())
    return likeness >= _SAME_TEXT and _overlaps(click.region, typing.region)


def _leads_into(click: ScreenEvent, typing: ScreenEvent) -> bool:
    """Return whether a click goes into the field that is typed into next."""
    if click.kind != EventKind.CLICK or typing.kind != EventKind.TYPE:
        return False
    is_soon = typing.at_ms - click.at_ms <= _INTO_FIELD_MS
    has_label = click.label is not None and click.label == typing.label
    return is_soon and (has_label or _overlaps(click.region, typing.region))


def _overlaps(one: Region, other: Region) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > 0 and down > 0


def _opened_by(
    event: ScreenEvent, following: ScreenEvent | None, events: Sequence[ScreenEvent]
) -> ScreenEvent | None:
    """Return the window that opens because of an event, before the next thing is done."""
    until = min(event.at_ms + _OPENS_MS, following.at_ms if following else event.at_ms + _OPENS_MS)
    windows = (each for each in events if each.kind == EventKind.WINDOW)
    return next((each for each in windows if event.at_ms <= each.at_ms <= until), None)


def _set_back(found: Sequence[Action]) -> set[int]:
    """Return the positions of two clicks that follow one another on the same small control, as on a switch."""
    taken_back: set[int] = set()
    for at, (one, other) in enumerate(zip(found, found[1:], strict=False)):
        first, second = one.event, other.event
        is_same = first.kind == second.kind == EventKind.CLICK and first.label and first.label == second.label
        is_switch = not (one.opened or other.opened) and max(first.page_share, second.page_share) < _MUCH
        names_a_way_on = (first.label or "").casefold() in _GOES_ON or not any(
            map(str.isalpha, first.label or "")
        )
        is_soon = second.at_ms - first.at_ms <= _SET_BACK_MS
        is_free = is_soon and not names_a_way_on and at not in taken_back
        if is_same and is_switch and is_free and _overlaps(first.region, second.region):
            taken_back |= {at, at + 1}
    return taken_back


def _cancelled(found: Sequence[Action]) -> set[int]:
    """Return the positions of what is done in windows that are cancelled, with the clicks that lead there and back;
    and of what is undone by a button that says so."""
    taken_back: set[int] = set()
    for at, action in enumerate(found):
        words = (action.event.label or "").casefold().strip(" .…")
        if action.event.kind != EventKind.CLICK:
            continue
        if words in _UNDOES and at:
            taken_back |= {at - 1, at}
        elif words.split()[:1] and words.split()[0] in _CANCELS:
            opener = next((back for back in range(at - 1, -1, -1) if found[back].opened), None)
            if opener is not None:
                while opener and _is_menu_of(found[opener - 1], found[opener]):
                    opener -= 1
                taken_back |= set(range(opener, at + 1))
    return taken_back


def _is_menu_of(before: Action, chosen: Action) -> bool:
    """Return whether something is chosen from the menu that the action before it opened."""
    menu = before.opened
    if menu is None or chosen.event.at_ms - menu.at_ms > _MENU_MS:
        return False
    return menu.region.width * menu.region.height <= _MENU_SHARE and _overlaps(
        menu.region, chosen.event.region
    )
