"""Which picture of a recording shows each step of a guide best: the last still one before the screen changes under the
step's action, else the still one after it.

What happens on the screen is cut into events, a window that opens or a menu that closes, by `anchors.activity`. Each
step gets at most one event, no two steps the same, in the order of the steps, so that the sum of weights is largest
(a dynamic programme over steps and events). The weight is larger for events that change more of the screen and that
begin when the words of the step would lead one to expect.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from anchors.activity import Activity, Change, Kind

Reason = Literal["before_action", "after_action", "before_change", "after_change", "still", "step_start"]
"""Why a picture is suggested.

before_action: the last still picture before a click that the screen shows, with its control in view.
after_action: the first still picture after something was typed.
before_change: the last still picture before a window, page or menu changes under the step's action.
after_change: the first still picture after a change: what was typed or switched on, or a page of which no still picture
    from before is to be had.
still: nothing but a pointer or a caret moved during the step.
step_start: no picture of the step is still (a film, a long scroll); the one at its start.
"""

LEAD_MS = 1_000
"""How long before the words begin an action may be that they describe."""

LAG_MS = 4_000
"""How long after the words begin an action may be, even if the next step's words have begun."""

_BETWEEN_MS = 200  # a change is known to lie between two pictures, which are so far apart at most
_STILL_MS = 300  # without a change; shorter is a pause within an animation
_MAX_WAIT_MS = 4_000  # longer, what keeps moving is something at work, not a button that waits
_WEIGHT: dict[Kind, float] = {"large": 1.0, "local": 0.7, "small": 0.0}
_BEFORE_WORDS = 0.9  # what an event counts that comes before the step's words
_AFTER_WORDS = 0.7  # during those of the next step
_LATE_MS, _LATE = 4_000, 0.4  # so long after LAG_MS an event counts so much
_LATER = 0.02  # more, for each menu before it in the step
_MAX_POPUP_SHARE = 0.3  # more is a scroll back, or a page
_CLOSING = 0.15  # more, for a menu that was opened in the step and closes: its picture shows what is chosen


@dataclass(frozen=True)
class StepSpan:
    """When the words of a step are said; `end_ms` is when those of the next one begin, None for the last."""

    block_id: str
    start_ms: int
    end_ms: int | None


@dataclass(frozen=True)
class Action:
    """Something that the screen shows being done at `at_ms`, and the moment that shows it best."""

    at_ms: int
    picture_ms: int
    is_click: bool
    confidence: float


@dataclass(frozen=True)
class Suggestion:
    """A moment for a step. `score` (0..1) is how sure it is: 0.5 and more for one beside a change, less without."""

    block_id: str
    timestamp_ms: int
    score: float
    reason: Reason


def by_actions(
    actions: Sequence[Action], steps: Sequence[StepSpan], *, duration_ms: int | None
) -> dict[str, Suggestion]:
    """Return by block id a moment for each step in whose span something is done: that of the first action.

    A step that was put together with the screen begins with its action. No two steps get the same one.
    """
    found: dict[str, Suggestion] = {}
    taken: set[int] = set()
    for step in sorted(steps, key=lambda step: step.start_ms):
        end_ms = max(step.end_ms or 0, step.start_ms + 1)
        inside = (
            (number, action)
            for number, action in enumerate(actions)
            if number not in taken and step.start_ms <= action.at_ms < end_ms
        )
        number, action = next(inside, (-1, None))
        if action is None or (duration_ms is not None and action.picture_ms >= duration_ms):
            continue
        taken.add(number)
        score = round(0.5 + action.confidence / 2, 2)
        reason: Reason = "before_action" if action.is_click else "after_action"
        found[step.block_id] = Suggestion(step.block_id, action.picture_ms, score, reason)
    return found


def suggest(activity: Activity, steps: Sequence[StepSpan], *, duration_ms: int) -> list[Suggestion]:
    """Return a moment for each step, in the order of `steps`; the same for the same arguments.

    The times are inside the video, of a length of `duration_ms`. Spans outside of it count as at its start or end.
    """
    last_ms = max(0, min(activity.last_ms, duration_ms))
    screen = _Screen(activity, last_ms)
    order = sorted(range(len(steps)), key=lambda number: (steps[number].start_ms, number))
    spans = [_inside(steps, order, place, last_ms) for place in range(len(order))]
    found: dict[int, Suggestion] = {}
    taken: set[int] = set()
    picked = _assign(screen, spans)
    for number, (start, end), event in zip(order, spans, picked, strict=True):
        at, score, reason = _beside(screen, event) if event else (None, 0.0, "still")
        if at is None or at in taken:
            at, score, reason = _within(screen, start, end, taken)
        taken.add(at)
        found[number] = Suggestion(steps[number].block_id, at, round(score, 2), reason)
    return [found[number] for number in range(len(steps))]


@dataclass(frozen=True)
class _Picked:
    change: Change
    weight: float


def _inside(steps: Sequence[StepSpan], order: Sequence[int], place: int, last_ms: int) -> tuple[int, int]:
    step = steps[order[place]]
    start = min(max(0, step.start_ms), last_ms)
    end = step.end_ms
    if end is None and place + 1 < len(order):
        end = steps[order[place + 1]].start_ms
    return start, last_ms if end is None else min(max(start, end), last_ms)


class _Screen:
    """When the screen is still, and the events between."""

    def __init__(self, activity: Activity, last_ms: int) -> None:
        self.last_ms = last_ms
        self._loading = activity.loading
        self._popups = sorted((closed, opened) for opened, closed in activity.popups)
        self._changes = [change for change in activity.changes if change.end_ms <= last_ms]
        self._ends = [change.end_ms for change in self._changes]
        self.events = self._joined([change for change in self._changes if change.kind != "small"])

    def _joined(self, changes: list[Change]) -> list[Change]:
        """Return what belongs to one action as one: a window that is drawn in stages."""
        joined: list[Change] = []
        for change in changes:
            before = joined[-1] if joined else None
            if before and before.kind == "large" and change.start_ms - before.end_ms < _STILL_MS:
                joined[-1] = Change(before.start_ms, change.end_ms, max(before.share, change.share))
            else:
                joined.append(change)
        return joined

    def closes(self, event: Change, start_ms: int) -> bool:
        """Return whether an event closes what was opened not before a time."""
        if event.share > _MAX_POPUP_SHARE:
            return False
        first = bisect_left(self._popups, (event.start_ms, 0))
        last = bisect_left(self._popups, (max(event.end_ms, event.start_ms + 1), 0))
        return any(opened >= start_ms for _, opened in self._popups[first:last])

    def before_loading(self, at_ms: int) -> int:
        """Return a time, or where the stretch of loading begins that it lies in, when that is not long ago."""
        place = bisect_right(self._loading, (at_ms, self.last_ms + 1)) - 1
        if place < 0 or at_ms >= self._loading[place][1]:
            return at_ms
        since = self._loading[place][0]
        return since if at_ms - since <= _MAX_WAIT_MS else at_ms

    def is_loading(self, at_ms: int) -> bool:
        return self.before_loading(at_ms) < at_ms

    def is_settled(self, at_ms: int) -> bool:
        """Return whether nothing but small things has moved for a while before a time, nor anything loads."""
        if self.is_loading(at_ms):
            return False
        place = bisect_right(self._ends, at_ms) - 1
        while place >= 0 and self._ends[place] > at_ms - _STILL_MS:
            if self._changes[place].kind == "large":
                return False
            place -= 1
        return not any(change.start_ms < at_ms < change.end_ms for change in self._around(at_ms))

    def _around(self, at_ms: int) -> list[Change]:
        place = bisect_right(self._ends, at_ms)
        return [change for change in self._changes[place : place + 1] if change.kind != "small"]

    def stills(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """Return the stretches without any change, loading or blank, that reach into a span, in order."""
        found = []
        place = bisect_left(self._ends, start_ms)
        since = self._ends[place - 1] if place else 0
        for change in [*self._changes[place:], Change(self.last_ms, self.last_ms, 1.0)]:
            if change.start_ms - since >= _STILL_MS and not self.is_loading(since):
                found.append((since, change.start_ms))
            since = change.end_ms
            if since > end_ms:
                break
        return [
            (since, until) for since, until in found if until > start_ms and since < max(end_ms, start_ms + 1)
        ]

    def has_moved(self, start_ms: int, end_ms: int) -> bool:
        place = bisect_right(self._ends, start_ms)
        return place < len(self._changes) and self._changes[place].start_ms < end_ms


def _assign(screen: _Screen, spans: Sequence[tuple[int, int]]) -> list[_Picked | None]:
    """Return for each span the event that it gets: rising ones, whose weights have the largest sum.

    A row a step: the best sum with the events up to each one, and the choice that leads there. The work is the number
    of pairs of a step and an event near it.
    """
    starts = [event.start_ms for event in screen.events]
    # The end of each best choice so far, by rising event and rising sum; `links` lead back through the choices.
    front: list[tuple[int, float, int]] = [(-1, 0.0, -1)]
    links: list[tuple[int, int, float, int]] = []
    for place, (start, end) in enumerate(spans):
        new: list[tuple[int, float, int]] = []
        menus = 0
        first, last = (
            bisect_left(starts, start - LEAD_MS - _BETWEEN_MS),
            bisect_right(starts, max(end, start + LAG_MS)),
        )
        for number in range(first, last):
            event = screen.events[number]
            weight = _weight(event, start, end)
            if start <= event.start_ms < end:
                weight += _LATER * min(menus, 5) + _CLOSING * screen.closes(event, start - LEAD_MS)
                menus += event.kind == "local"
            before = front[bisect_left(front, (number, -1.0, -1)) - 1]  # of a choice before this event
            links.append((place, number, weight, before[2]))
            new.append((number, before[1] + weight, len(links) - 1))
        front = _rising(sorted([*front, *new], key=lambda item: (item[0], -item[1], item[2])))
    picked: list[_Picked | None] = [None] * len(spans)
    link = front[-1][2]
    while link >= 0:
        place, number, weight, link = links[link]
        picked[place] = _Picked(screen.events[number], weight)
    return picked


def _rising(choices: Sequence[tuple[int, float, int]]) -> list[tuple[int, float, int]]:
    kept: list[tuple[int, float, int]] = []
    for choice in choices:
        if not kept or choice[1] > kept[-1][1]:
            kept.append(choice)
    return kept


def _weight(event: Change, start: int, end: int) -> float:
    weight = _WEIGHT[event.kind]
    if event.start_ms < start:
        return weight * _BEFORE_WORDS
    if event.start_ms >= end:
        return weight * _AFTER_WORDS
    late = max(0, event.start_ms - start - LAG_MS) / _LATE_MS
    return weight * (1 - min(late, 1.0) * (1 - _LATE))


def _beside(screen: _Screen, event: _Picked) -> tuple[int | None, float, Reason]:
    """Return the still moment before an event, else the one after, before the next event."""
    change = event.change
    before = screen.before_loading(change.start_ms)
    if screen.is_settled(before):
        return before, min(1.0, 0.5 + event.weight / 2), "before_change"
    for since, _ in screen.stills(change.end_ms, change.end_ms + LAG_MS):
        return since, 0.5 + event.weight / 4, "after_change"
    return None, 0.0, "still"


def _within(screen: _Screen, start: int, end: int, taken: set[int]) -> tuple[int, float, Reason]:
    """Return a moment for a step without an event: when it has come to rest at its end."""
    stills = screen.stills(start, end)
    for since, until in reversed(stills):
        at = min(max(since, start), until)
        if at not in taken:
            is_still = not screen.has_moved(start, at)
            return at, 0.3 if is_still else 0.45, "still" if is_still else "after_change"
    if stills:
        return min(max(stills[-1][0], start), stills[-1][1]), 0.2, "still"
    return start, 0.1, "step_start"
