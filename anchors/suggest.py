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

Reason = Literal["before_change", "after_change", "still", "step_start"]
"""Why a picture is suggested.

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

_STILL_MS = 250  # without a change; shorter is a pause within an animation
_ONE_ACTION_MS = 600  # between the stages in which a window is drawn
_WEIGHT: dict[Kind, float] = {"large": 1.0, "local": 0.7, "small": 0.0}
_OUTSIDE_WEIGHT = 0.5  # an event before the step's words, or during those of the next step
_PATIENCE_MS = 30_000  # by then a large change counts half
_LATER = 0.02  # the second of two menus in a step: the one that closes with what was chosen


@dataclass(frozen=True)
class StepSpan:
    """When the words of a step are said; `end_ms` is when those of the next one begin, None for the last."""

    block_id: str
    start_ms: int
    end_ms: int | None


@dataclass(frozen=True)
class Suggestion:
    """A moment for a step. `score` (0..1) is how sure it is: 0.5 and more for one beside a change, less without."""

    block_id: str
    timestamp_ms: int
    score: float
    reason: Reason


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
        self._changes = [change for change in activity.changes if change.end_ms <= last_ms]
        self._ends = [change.end_ms for change in self._changes]
        self.events = self._joined([change for change in self._changes if change.kind != "small"])

    def _joined(self, changes: list[Change]) -> list[Change]:
        """Return what belongs to one action as one: a window drawn in stages, or one that loads."""
        joined: list[Change] = []
        for change in changes:
            before = joined[-1] if joined else None
            if before and (
                (change.start_ms - before.end_ms < _STILL_MS and before.kind == change.kind)
                or (change.start_ms - before.end_ms < _ONE_ACTION_MS and before.kind == "large")
                or (before.kind == "large" and self._loads_until(before, change))
            ):
                joined[-1] = Change(before.start_ms, change.end_ms, max(before.share, change.share))
            else:
                joined.append(change)
        return joined

    def _loads_until(self, before: Change, after: Change) -> bool:
        return any(
            start <= before.end_ms + _ONE_ACTION_MS and end >= after.start_ms - _ONE_ACTION_MS
            for start, end in self._loading
            if start < after.start_ms and end > before.end_ms
        )

    def before_loading(self, at_ms: int) -> int:
        """Return a time, or where the stretch of loading begins that it lies in."""
        place = bisect_right(self._loading, (at_ms, self.last_ms + 1)) - 1
        return self._loading[place][0] if place >= 0 and at_ms < self._loading[place][1] else at_ms

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
        return [(since, until) for since, until in found if until > start_ms and since < max(end_ms, start_ms + 1)]

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
        first, last = bisect_left(starts, start - LEAD_MS), bisect_right(starts, max(end, start + LAG_MS))
        locals_seen = 0
        for number in range(first, last):
            event = screen.events[number]
            weight = _weight(event, start, end, locals_seen)
            locals_seen += event.kind == "local" and start <= event.start_ms < end
            before = front[bisect_left(front, (number, -1.0, -1)) - 1]
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


def _weight(event: Change, start: int, end: int, locals_seen: int) -> float:
    late = event.start_ms - start
    if event.kind == "local":
        weight = _WEIGHT["local"] + min(_LATER * locals_seen, 0.1)
    else:
        weight = _WEIGHT["large"] * (1 - min(max(late, 0) / (2 * _PATIENCE_MS), 0.5))
    return weight if start <= event.start_ms < end else weight * _OUTSIDE_WEIGHT


def _beside(screen: _Screen, event: _Picked) -> tuple[int | None, float, Reason]:
    """Return the still moment before an event, else the one after, before the next event."""
    change = event.change
    before = screen.before_loading(change.start_ms)
    if screen.is_settled(before):
        return before, 0.5 + event.weight / 2, "before_change"
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
