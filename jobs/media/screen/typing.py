"""Typing: letters that appear one after another along a line."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.media.screen.changes import Part, Step, is_caret
from jobs.media.screen.sampling import Box, Sample

_MIN_HEIGHT, _MAX_HEIGHT = 4, 64  # pixels of a letter, with the caret beside it
_MAX_WIDTH = 160  # of what is typed between two pictures
_MIN_LETTER = 0.18  # of the line's height: how wide letters are at least, on average
_NEAR = 60  # pixels from the last letter to the next
_PAUSE_MS = 1_600
_LINE_PAUSE_MS = 900  # at most, from one line to the next
_SETTLED_MS = 280
_BLINK_MS = 520
_MAX_OPEN = 6
_MAX_PARTS = 6  # of a step that may be a letter, with what is listed because of it; a page has more


@dataclass(eq=False)
class Typing:
    """A stretch of typing.

    `before` is the last picture before the first letter, `after` one shortly after the `last`, `later` one
    in which a caret that blinks is not as in that. `lines` are boxes around what changed in each line, `lines_ms` when
    each began. `steps` is in how many pictures something came, `advances` in how many it went further along the line.
    """

    before: Sample
    first_ms: int
    end_ms: int
    lines: list[Box]
    lines_ms: list[int]
    at: Box
    steps: int = 1
    advances: int = 1
    after: Sample | None = None
    later: Sample | None = None

    @property
    def box(self) -> Box:
        box = self.lines[0]
        for line in self.lines[1:]:
            box = box.joined(line)
        return box

    @property
    def is_plain(self) -> bool:
        """Whether letters came in several pictures, further and further along the line."""
        height = self.lines[0].height
        is_long = self.box.width >= 0.9 * height or len(self.lines) > 1
        is_steady = self.advances >= max(3, 0.3 * self.steps)
        is_wide = sum(line.width for line in self.lines) >= _MIN_LETTER * height * self.advances
        return self.steps >= 3 and is_long and is_steady and is_wide


class Typings:
    """Finds stretches of typing in the steps of a recording, in order. Each is given once it is over."""

    def __init__(self) -> None:
        self._open: list[Typing] = []

    def add(self, step: Step, *, is_moving: bool) -> tuple[set[Part], list[Typing]]:
        """Return which parts of a step are plainly typed, and stretches that are over. Nothing begins to be typed
        while the pointer moves (`is_moving`)."""
        is_upset = any(part.box.area > 0.02 * step.changed.size for part in step.parts)
        for typing in self._open:
            _settle(typing, step.before if is_upset else step.after, is_last=is_upset)
        over = self.over(step.after.at_ms)
        typed = set()
        for part in step.parts:
            typing_now = next(
                (typing for typing in self._open if _continues(typing, part, step.after.at_ms)), None
            )
            if is_moving and not (typing_now and typing_now.is_plain):
                continue
            if typing_now:
                if typing_now.is_plain:
                    typed.add(part)
                if not is_caret(part.box):
                    _extend(typing_now, part, step)
            elif _is_letters(part.box) and len(step.parts) <= _MAX_PARTS:
                at_ms = step.after.at_ms
                self._open.append(Typing(step.before, at_ms, at_ms, [part.box], [at_ms], part.box))
        if len(self._open) > _MAX_OPEN:
            self._open.sort(key=lambda typing: (typing.is_plain, typing.end_ms))
            for typing in self._open[:-_MAX_OPEN]:
                _settle(typing, step.after, is_last=True)
                over.append(typing)
            self._open = self._open[-_MAX_OPEN:]
        return typed, over

    def still(self, sample: Sample) -> list[Typing]:
        """Take in a picture in which nothing changed; return stretches that are over."""
        for typing in self._open:
            _settle(typing, sample)
        return self.over(sample.at_ms)

    def scrolled(self, step: Step) -> list[Typing]:
        """Take in a step in which something scrolls; return stretches that are over."""
        for typing in self._open:
            _settle(typing, step.before, is_last=True)
        return self.over(step.after.at_ms)

    def going(self) -> list[Typing]:
        """Return the stretches that may go on."""
        return list(self._open)

    def over(self, at_ms: int | None) -> list[Typing]:
        """Return the stretches that were over before a time; all without one."""
        over = [typing for typing in self._open if at_ms is None or at_ms - typing.end_ms > _PAUSE_MS]
        self._open = [typing for typing in self._open if typing not in over]
        return over


def _settle(typing: Typing, sample: Sample, *, is_last: bool = False) -> None:
    """Note a picture that shows what was typed. After the last one the screen is another."""
    if typing.after is None:
        if is_last or sample.at_ms - typing.end_ms > _SETTLED_MS:
            typing.after = sample
            typing.later = sample if is_last else None
    elif typing.later is None and (is_last or sample.at_ms - typing.after.at_ms > _BLINK_MS):
        typing.later = sample


def _is_letters(box: Box) -> bool:
    return (
        _MIN_HEIGHT <= box.height <= _MAX_HEIGHT
        and 2 <= box.width <= _MAX_WIDTH
        and not is_caret(box)
        and box.width <= 8 * box.height
    )


def _continues(typing: Typing, part: Part, at_ms: int) -> bool:
    """Return whether a part is where the typing goes on: near the last letter, or in the next line."""
    box, line = part.box, typing.lines[-1]
    if not (_is_letters(box) or is_caret(box)):
        return False
    lower = min(box.height, line.height)
    level = min(box.bottom, line.bottom) - max(box.top, line.top) >= 0.5 * lower
    if level and box.right >= line.left - _NEAR and box.left <= line.right + _NEAR:
        near = min(
            abs(box.left - typing.at.right), abs(box.right - typing.at.left), abs(box.left - typing.at.left)
        )
        return near <= _NEAR
    if at_ms - typing.end_ms > _LINE_PAUSE_MS:
        return False  # another field
    is_below = -4 <= box.top - line.bottom <= 1.2 * line.height
    return is_below and typing.steps >= 3 and abs(box.left - typing.lines[0].left) <= _NEAR


def _extend(typing: Typing, part: Part, step: Step) -> None:
    line = typing.lines[-1]
    typing.advances += part.box.right > typing.at.right + 1 or part.box.top > line.bottom
    if part.box.top - line.bottom >= -4:
        typing.lines.append(part.box)
        typing.lines_ms.append(step.after.at_ms)
    else:
        typing.lines[-1] = line.joined(part.box)
    typing.at = part.box
    if step.after.at_ms > typing.end_ms:
        typing.steps += 1
        typing.end_ms, typing.after, typing.later = step.after.at_ms, None, None
