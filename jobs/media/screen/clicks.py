"""Which changes are due to a click: those under the pointer, or while it stands and nothing else explains them."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.media.screen.changes import Part
from jobs.media.screen.controls import is_control_size
from jobs.media.screen.pointer import Place
from jobs.media.screen.runs import Run
from jobs.media.screen.sampling import Box
from jobs.media.screen.windows import Opening

HOVER_MS = 190
"""How long after its arrival the control under a pointer may still change its look because of it."""

_FIRST_LOOK_MS = 40  # from pressing the button until the screen shows it
_SAME_MS = 600  # what follows a click this soon is the same click, as of two clicks on a file
_LATE_MS = 700  # after it left, what was clicked may still open
_FULL = 0.02  # of a part's pixels, else it is no control that looks another way
_SAME_SHARE = 0.7  # of what changed is in the control
_LARGE_SHARE = 0.03  # of the picture; what is smaller and comes up elsewhere may be a notice
_NEAR = 170  # pixels
_NEAR_PIXELS, _NEAR_FULL = 60, 0.05


@dataclass
class Click:
    """A click, before it is known what on. `box` is what changed under it."""

    run: Run
    at_ms: int
    place: Place | None
    box: Box | None
    confidence: float


@dataclass(frozen=True)
class Last:
    """When the last click was, and since when the pointer had stood there."""

    at_ms: int
    stand_ms: int


class Clicks:
    """Takes the runs of changes of a recording in order, and tells those that are clicks."""

    def __init__(self) -> None:
        self.last: Last | None = None
        self._hover: tuple[int, Box] | None = None
        self._stand: Place | None = None

    def hover_box(self, place: Place) -> Box | None:
        """Return what changed its look when the pointer came to where it is."""
        if self._hover is None or not -400 <= self._hover[0] - place.since_ms <= 400:
            return None
        box = self._hover[1]
        return box if box.grown(3).holds(*place.tip) else None

    def judge(
        self, run: Run, parts: list[tuple[int, Part]], opening: Opening | None, *, typed_ms: int | None
    ) -> Click | None:
        """Return the click that a run shows, if it shows one. `parts` are those of its parts that nothing else
        explains, `typed_ms` is when something was last typed before it."""
        place = run.place
        if place is None or (self.last and run.first_ms - self.last.at_ms < _SAME_MS):
            return None
        if run.is_moving:
            return self._while_moving(run, parts, opening)
        x, y = place.tip
        touching = [
            part.box
            for _, part in parts
            if part.box.grown(5).holds(x, y) and part.pixels >= _FULL * part.box.area
        ]
        first_ms = _first_ms(run, parts, opening, place)
        stood_ms = first_ms - place.since_ms
        control = min(
            (box for box in touching if is_control_size(box)), key=lambda box: box.area, default=None
        )
        self._stand = place
        is_control = opening is None or (
            control is not None
            and control.grown(10).common(opening.box).area >= _SAME_SHARE * opening.box.area
        )
        if stood_ms < HOVER_MS and is_control:
            if control:
                self._hover = run.end_ms, control
            return None
        confidence = self._confidence(run, parts, opening, place, typed_ms, bool(touching), control)
        if confidence <= 0:
            return None
        at_ms = first_ms - _FIRST_LOOK_MS
        self.last = Last(at_ms, place.since_ms)
        return Click(run, at_ms, place, control, confidence)

    def _confidence(
        self,
        run: Run,
        parts: list[tuple[int, Part]],
        opening: Opening | None,
        place: Place,
        typed_ms: int | None,
        touches: bool,
        control: Box | None,
    ) -> float:
        """Return how sure it is that a run under a standing pointer shows a click, 0 when it shows none."""
        has_typed = typed_ms is not None and typed_ms > place.since_ms
        sure = 0.0 if place.is_sure else -0.15
        if self.last and self.last.stand_ms == place.since_ms:
            if not control:
                return 0.0
            return 0.55 if has_typed else 0.7 + sure
        if has_typed:
            return 0.6 if control and not opening else 0.3
        if touches:
            return (0.92 if control else 0.85) + sure
        x, y = place.tip
        if opening and (opening.share >= _LARGE_SHARE or opening.box.distance(x, y) <= _NEAR):
            return 0.8 + sure
        near = max(
            (
                part.pixels
                for _, part in parts
                if part.box.distance(x, y) <= _NEAR and part.pixels >= _NEAR_FULL * part.box.area
            ),
            default=0,
        )
        return 0.6 + sure if near >= _NEAR_PIXELS else 0.0

    def _while_moving(self, run: Run, parts: list[tuple[int, Part]], opening: Opening | None) -> Click | None:
        """Return a click that was made just before the pointer moved on; else note what the pointer comes over."""
        after = run.place_after
        stand = self._stand
        for _, part in parts:
            if after and part.box.grown(3).holds(*after.tip) and is_control_size(part.box):
                self._hover = run.end_ms, part.box
        if opening is None or run.place is None or opening.share < 0.03:
            return None
        left = run.place
        if left.is_moving or run.first_ms - left.since_ms < HOVER_MS:
            return None
        if self.last and stand and self.last.stand_ms == left.since_ms:
            return None
        self.last = Last(run.first_ms - _FIRST_LOOK_MS, left.since_ms)
        return Click(run, run.first_ms - _FIRST_LOOK_MS, left, None, 0.55)


def _first_ms(run: Run, parts: list[tuple[int, Part]], opening: Opening | None, place: Place) -> int:
    """Return when the first of those parts changed that are near the pointer, or in what opened."""
    times_ms = (
        at_ms
        for at_ms, part in parts
        if part.box.distance(*place.tip) <= _NEAR or (opening and opening.box.common(part.box).area)
    )
    return min(times_ms, default=run.first_ms)
