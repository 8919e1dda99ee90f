"""Read a screen recording once, and return what is done in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.media.probe import Source
from jobs.media.screen.changes import Step, step_between, without
from jobs.media.screen.events import Screen
from jobs.media.screen.judging import Judge
from jobs.media.screen.labels import Reader
from jobs.media.screen.pointer import LOOK_AHEAD, Place, Pointer
from jobs.media.screen.restless import Restless
from jobs.media.screen.runs import Clear, Runs
from jobs.media.screen.sampling import Box, Sample, read_samples
from jobs.media.screen.scrolls import Scrolls, scrolled
from jobs.media.screen.typing import Typings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

_REMEMBERED = 12  # pictures, with the pointer at different places
_FAR = 24, 60, 160, 320  # pixels from where the pointer is
_NEAR = 30  # pixels
_STANDS = 2  # pixels, by which a pointer that stands may be off
_PICTURE_MS = 60  # before the last picture before a click
_BUSY_SHARE = 0.12  # of the picture that moves all the time, as a film does
_BUSY_TIME = 0.5  # of the recording

STILL = "Nothing moves in this recording, so nothing that is done can be seen in it."
FILM = "The picture moves all the time, as in a film or a game, so nothing that is done can be told."
NOTHING = "No click, typing or scrolling could be seen in this recording."


def read_screen(source: Source, *, on_progress: Callable[[float], None] | None = None) -> Screen:
    """Return what the screen of a recording shows being done. The video is read once, from end to end.

    Memory does not grow with the length. Damaged packets are skipped. `on_progress` is called with the share done
    (0..1), at most 200 times, and may raise to stop the work. Raise `probe.UnreadableVideo`, OSError, and what
    `on_progress` raises.
    """
    watcher = _Watcher()
    for sample in read_samples(source, on_progress=on_progress):
        watcher.add(sample)
    return watcher.finish()


class _Watcher:
    """Holds each picture against the one before, and hands on what changed some pictures later, when those that follow
    are known too."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=LOOK_AHEAD + 4)
        self._past: deque[Grey] = deque(maxlen=LOOK_AHEAD)
        self._places: deque[tuple[Sample, Box]] = deque(maxlen=_REMEMBERED)
        self._clear: Clear = ()
        self._steps: deque[Step] = deque()
        self._pointer = Pointer()
        self._restless = Restless()
        self._scrolls, self._typings, self._runs = Scrolls(), Typings(), Runs()
        self._reader = Reader()
        self._judge = Judge(self._reader, self._typings.going)
        self._number = self._changes = self._busy = 0

    def add(self, sample: Sample) -> None:
        """Take in a picture, in order."""
        last = self._samples[-1] if self._samples else None
        if last and last.grey.shape != sample.grey.shape:
            self._flush()
            self._samples.clear()
            self._past.clear()
            self._places.clear()
            self._pointer.reset()
            last = None
        self._samples.append(sample)
        if last is None:
            return
        self._steps.append(step_between(last, sample))
        if len(self._steps) > LOOK_AHEAD:
            self._hand_on()

    def finish(self) -> Screen:
        """Return what was found; no picture follows."""
        self._flush()
        last = self._samples[-1] if self._samples else None
        for typing in self._typings.over(None):
            self._judge.add(replace(typing, after=typing.after or last))
        if last:
            for run in self._runs.over(last, is_last=True):
                self._judge.add(run)
        if scroll := self._scrolls.over(None):
            self._judge.add(scroll)
        self._judge.advance(None)
        events = self._judge.events()
        if self._busy > _BUSY_TIME * max(1, self._number):
            return Screen(note=FILM)
        note = None if events else NOTHING if self._changes else STILL
        return Screen(events, self._reader.words(), note)

    def _flush(self) -> None:
        while self._steps:
            self._hand_on()

    def _hand_on(self) -> None:
        step = self._steps.popleft()
        self._number += 1
        samples = list(self._samples)
        at = next(place for place, sample in enumerate(samples) if sample is step.after)
        self._past.appendleft(step.before.grey)
        past = list(self._past)
        future = [sample.grey for sample in samples[at + 1 : at + 1 + LOOK_AHEAD]]
        before = self._pointer.place
        calm = self._calm(step, before)
        found = scrolled(calm)
        after = self._pointer.follow(calm, past, future) if found is None else self._pointer.stay()
        self._changes += bool(step.parts)
        places = before, after
        bare = without(step, _touched(before, after))
        if scroll := self._scrolls.add(bare, found):
            self._judge.add(scroll)
        if found:
            bare = replace(bare, parts=())
        self._busy += found is not None or self._restless.share() >= _BUSY_SHARE
        self._tell(bare, (self._picture(samples[:at]), self._clear), places, is_scrolled=found is not None)
        self._approach(step.after, after)
        self._judge.advance(step.after.at_ms)

    def _calm(self, step: Step, place: Place | None) -> Step:
        """Return a step without what changes all the time, if that is not where the pointer is."""
        near = place.box.grown(_NEAR) if place else Box(0, 0, 0, 0)
        parts = tuple(
            part for part in step.parts if near.common(part.box).area or not self._restless.is_restless(part)
        )
        return replace(step, parts=parts)

    def _approach(self, sample: Sample, place: Place | None) -> None:
        """Note some pictures in which the pointer was not yet near where it is."""
        if place is None:
            return
        x, y = place.tip
        if place.is_moving:
            far = [
                next((seen for seen in reversed(self._places) if seen[1].distance(x, y) >= least), None)
                for least in _FAR
            ]
            self._clear = tuple(dict.fromkeys(seen for seen in far if seen)) or self._clear
        if self._places and _is_same_place(self._places[-1][1], place.box):
            self._places.pop()  # a picture is large: of those with the pointer at one place the last will do
        self._places.append((sample, place.box))

    def _tell(
        self,
        step: Step,
        pictures: tuple[Sample, Clear],
        places: tuple[Place | None, Place | None],
        *,
        is_scrolled: bool,
    ) -> None:
        """Tell the finders of typing and other changes of a step."""
        self._restless.add(step)
        parts = tuple(part for part in step.parts if not self._restless.is_restless(part))
        step = replace(step, parts=parts)
        if parts:
            typed, over = self._typings.add(step, is_moving=bool(places[1] and places[1].is_moving))
            step = replace(step, parts=tuple(part for part in parts if part not in typed))
        else:
            over = self._typings.scrolled(step) if is_scrolled else self._typings.still(step.after)
        for typing in over:
            self._judge.add(typing)
        for run in self._runs.add(step, pictures, places):
            self._judge.add(run)

    def _picture(self, samples: list[Sample]) -> Sample:
        """Return the picture that shows what was there shortly before the last one."""
        last = samples[-1]
        earlier = [sample for sample in samples if last.at_ms - sample.at_ms >= _PICTURE_MS]
        place = self._pointer.place
        if not earlier or (place and place.since_ms > earlier[-1].at_ms):
            return last
        return earlier[-1]


def _touched(before: Place | None, after: Place | None) -> list[Box]:
    """Return where a step shows the pointer itself come or go. What changes under one that stands is no pointer."""
    if after is None:
        return []
    is_lost = before is not None and before.is_sure and not after.is_sure
    is_another = before is not None and (before.shape is not after.shape or before.box != after.box)
    if not (after.is_moving or is_lost or is_another):
        return []
    return [place.box.grown(4) for place in (before, after) if place]


def _is_same_place(one: Box, other: Box) -> bool:
    return max(abs(one.left - other.left), abs(one.top - other.top)) <= _STANDS
