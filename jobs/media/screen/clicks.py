"""Which changes are due to a click: those under the pointer, or while it stands and nothing else explains them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobs.media.screen.changes import Part, is_caret
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
_AGAIN_FULL = 0.1  # of a part's pixels, that it is clicked a second time
_FULL = 0.02  # of a part's pixels, else it is no control that looks another way
_SAME_SHARE = 0.7  # of what changed is in the control
_LARGE_SHARE = 0.03  # of the picture; what is smaller and comes up elsewhere may be a notice
_NEAR = 170  # pixels
_LITTLE = 0.7  # how sure a click is that is known by a tick or a caret
_FIELD, _CARET_OFF = 700, 12  # pixels from the pointer to a caret in the same field, across and down
_TICK_LEAST, _TICK_WIDTH, _TICK_HEIGHT = 4, 22, 90  # pixels
_TICK_FULL = 0.12  # of its pixels; an encoder's noise is less
_TICK_OFF = 8  # pixels by which the pointer may be above or below it
_CARET_FULL = 0.6  # of a caret's box
_SPARSE = 0.1  # of a part's pixels; what has less is what an encoder draws late
_CAPTION = 400  # pixels from a box to tick to the end of its words at most
_NEAR_PIXELS, _NEAR_FULL = 60, 0.05


@dataclass
class Click:
    """A click, before it is known what on. `box` is what changed under it, `tick` a box to tick that changed beside it:
    then it is a click if the pointer is on the words of this box. `caret` is one that came: then it is a click if it is
    the first in the field that the pointer is on."""

    run: Run
    at_ms: int
    place: Place | None
    box: Box | None
    confidence: float
    tick: Box | None = None
    caret: Box | None = None

    @property
    def is_unsure(self) -> bool:
        """Whether it is still to be seen on what the pointer is."""
        return self.tick is not None or self.caret is not None


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
        click = Click(run, first_ms - _FIRST_LOOK_MS, place, control, confidence)
        if confidence > 0:
            self.keep(click)
            return click
        return self._little(click, parts) if opening is None else None

    def _little(self, click: Click, parts: list[tuple[int, Part]]) -> Click | None:
        """Return a click that may be one: little changed, and not where the pointer is."""
        place = click.place
        if place is None:
            return None
        confidence = _LITTLE - (0.0 if place.is_sure else 0.15)
        x, y = place.tip
        for _, part in parts:
            box = part.box
            is_level = box.top - _CARET_OFF <= y < box.bottom + _CARET_OFF
            if is_level and is_caret(box) and _is_blink(part) and abs(x - box.left) <= _FIELD:
                return replace(click, caret=box, confidence=confidence)
            if _is_tick(part, place.tip) and not (place.shape and place.shape.is_bar):
                return replace(click, tick=box, confidence=confidence)
        return None

    def keep(self, click: Click) -> None:
        """Note the last click. One that `is_unsure` is noted once it is sure."""
        self.last = Last(click.at_ms, click.place.since_ms if click.place else 0)

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
            if not control or place.box.grown(2).common(control).area == control.area:
                return 0.0  # the pointer itself looks another way
            if max(part.pixels for _, part in parts if part.box == control) < _AGAIN_FULL * control.area:
                return 0.0  # drawn anew by the encoder, as each picture is that does not follow from others
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


def _is_tick(part: Part, tip: tuple[int, int]) -> bool:
    """Return whether a part may be a tick, or two below one another as of round ones, left of the pointer."""
    (x, y), box = tip, part.box
    is_level = box.top - _TICK_OFF <= y < box.bottom + _TICK_OFF
    is_small = _TICK_LEAST <= box.width <= _TICK_WIDTH and box.height <= _TICK_HEIGHT and not _is_blink(part)
    is_small = is_small and part.pixels >= _TICK_FULL * box.area
    return is_small and is_level and 0 <= x - box.right <= _CAPTION


def _is_blink(part: Part) -> bool:
    """Return whether a part is a caret that comes or goes."""
    return is_caret(part.box) and part.pixels >= _CARET_FULL * part.box.area


def _first_ms(run: Run, parts: list[tuple[int, Part]], opening: Opening | None, place: Place) -> int:
    """Return when the first of those parts changed that are near the pointer, or in what opened."""
    near = [
        (at_ms, part)
        for at_ms, part in parts
        if part.box.distance(*place.tip) <= _NEAR or (opening and opening.box.common(part.box).area)
    ]
    # A caret may blink meanwhile, and the last of a moving pointer's edge may go.
    plain = [
        at_ms for at_ms, part in near if not is_caret(part.box) and part.pixels >= _SPARSE * part.box.area
    ]
    return min(plain or [at_ms for at_ms, _ in near], default=run.first_ms)
