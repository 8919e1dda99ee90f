"""Stretches in which something changes that is not the pointer, not typed, not scrolled and not restless."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.media.screen.changes import Part, Step
from jobs.media.screen.pointer import Place
from jobs.media.screen.sampling import Box, Sample

_GAP_MS = 170
_MAX_MS = 2_500


Clear = tuple[tuple[Sample, Box], ...]
"""Pictures from before the pointer came to where it is, the last first, with where it is in them."""


@dataclass(eq=False)
class Run:
    """A stretch of changes.

    `before` is the last picture before it, `picture` a still one about 0.1 s earlier, `clear` some from before the
    pointer came and hid a part, `settled` one after it, in which nothing changes any more.
    `place` is where the pointer was before it. `parts` are all that changed, with times.
    """

    before: Sample
    picture: Sample
    place: Place | None
    is_moving: bool
    first: tuple[Part, ...]
    first_ms: int
    end_ms: int = 0
    parts: list[tuple[int, Part]] = field(default_factory=list)
    settled: Sample | None = None
    place_after: Place | None = None
    clear: Clear = ()
    is_cut: bool = False

    @property
    def box(self) -> Box:
        box = self.parts[0][1].box
        for _, part in self.parts[1:]:
            box = box.joined(part.box)
        return box


class Runs:
    """Collects the changes of a recording into runs, each of which is given once it is over."""

    def __init__(self) -> None:
        self._now: Run | None = None

    def add(
        self, step: Step, pictures: tuple[Sample, Clear], places: tuple[Place | None, Place | None]
    ) -> list[Run]:
        """Take in a step whose parts are left over, with a picture from shortly before it and some from before the
        pointer came, and the pointer's places before and after the step."""
        before, after = places
        is_moving = bool(after and after.is_moving)
        over = self.over(step.before)  # two pictures without a change, where they are many
        if not step.parts:
            return over
        now = self._now
        if now and (is_moving != now.is_moving or step.after.at_ms - now.first_ms > _MAX_MS):
            is_cut = is_moving == now.is_moving
            over += self._close(step.before)
            now = None
        else:
            is_cut = False
        if now is None:
            now = Run(step.before, pictures[0], before, is_moving, step.parts, step.after.at_ms)
            now.clear, now.is_cut = pictures[1], is_cut
            self._now = now
        now.end_ms, now.place_after = step.after.at_ms, after
        now.parts += [(step.after.at_ms, part) for part in step.parts]
        return over

    def over(self, sample: Sample, *, is_last: bool = False) -> list[Run]:
        """Return the run that was over some time before a picture."""
        now = self._now
        if now is None or not (is_last or sample.at_ms - now.end_ms > _GAP_MS):
            return []
        return self._close(sample)

    def _close(self, settled: Sample) -> list[Run]:
        now, self._now = self._now, None
        if now is None:
            return []
        now.settled = settled
        return [now]
