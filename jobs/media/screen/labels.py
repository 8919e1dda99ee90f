"""What the screen writes on a control, beside a field, or as the title of what opens."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from jobs.media.screen.events import MAX_WORDS
from jobs.media.screen.lines import (
    LETTERS,
    Text,
    before,
    beside,
    chosen,
    first_of,
    head_of,
    is_in,
    is_sign,
    is_word,
    letter_height,
    nearest,
    spelt,
)
from jobs.media.screen.marks import after_tick, is_choice, is_parted
from jobs.media.screen.ocr import Ocr
from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SURE = 0.8
_BAR = 10  # pixels from the top of a window to its title, when this stands in a bar
_LARGER_IN_FRAME = 1.1
_LARGER = 1.2  # times the usual height of letters
_LEFT_OF_FIELD, _ABOVE_FIELD = 280, 52  # pixels in which a field's label is looked for
_ABOVE_INDENT, _ABOVE_WIDTH = 40, 400  # pixels left of the field's left edge, and right of it
_LEVEL = 4  # pixels from the middle of a field to that of a label left of it
_TICK_REACH = 6  # pixels above and below the pointer in which a box to tick is level with it
_HEAD = 30  # pixels above a switch in which its name is, where what is level with it says more of that
_BESIDE_BOX, _BEFORE_BOX = 420, 1_000
_BEFORE_WORDS = 22  # pixels left of words in which the box to tick is that they belong to
_SWITCH = 64  # pixels, the width of one at most, or of a box to tick
_TITLE_HEIGHT = 190
PRIVATE = re.compile(r"@|(?=\S*\d)(?=\S*[A-Za-z])\S{10,}|(?:\d[ -]?){8,}")
"""Addresses, keys, and the numbers of cards and telephones: they make no hot words."""


@dataclass(frozen=True)
class Title(Text):
    """The title of what opened. `stands_out`: it is larger than what follows, or stands in a bar of its own."""

    stands_out: bool = False


class Reader:
    """Reads parts of pictures, and counts what it reads: titles and captions make good hot words."""

    def __init__(self, ocr: Ocr | None = None) -> None:
        self._ocr = ocr or Ocr()
        self._words: Counter[str] = Counter()

    def lines(self, sample: Sample, box: Box) -> list[Text]:
        """Return the lines in a part of the work picture."""
        inside = box.common(sample.bounds)
        found = []
        for line in self._ocr.read(sample.cut(inside)):
            left, top = inside.left + line.x // sample.scale, inside.top + line.y // sample.scale
            right, bottom = left + -(-line.width // sample.scale), top + -(-line.height // sample.scale)
            box = Box(left, top, right, bottom)
            found.append(Text(line.text, line.confidence, box, box))
        for text in found:
            is_word = len(LETTERS.findall(text.text)) >= 3 and not PRIVATE.search(text.text)
            if text.confidence >= _SURE and is_word:
                self._words[spelt(text.text)] += 1
        return found

    def line(self, picture: NDArray[np.uint8]) -> tuple[str, float] | None:
        """Return the text of a picture of one line, and how sure that is. It is not counted: it was typed."""
        found = self._ocr.read_line(picture)
        return (found.text, found.confidence) if found else None

    def surely(self, sample: Sample, found: Text | None, control: Box | None = None) -> Text | None:
        """Return a line as most readings of it say, of which each looks at a little more, or at its negative; not at
        what is outside the control that it is written on."""
        if found is None or found.line is None:
            return found
        is_on = control is not None and is_in(found.line, control)
        bounds = control if control and is_on else sample.bounds
        seen = [
            sample.cut(found.line.grown(across, down).common(bounds)) for across, down in ((2, 1), (5, 3))
        ]
        readings = [(found.text, found.confidence)]
        readings += [reading for picture in (*seen, 255 - seen[0]) if (reading := self.line(picture))]
        votes = Counter(text for text, _ in readings)
        best = max(readings, key=lambda reading: (votes[reading[0]], reading[1]))
        return replace(found, text=best[0], confidence=best[1])

    def words(self) -> tuple[str, ...]:
        """Return what was read, the most frequent first."""
        ranked = sorted(self._words.items(), key=lambda item: (-item[1], item[0]))
        return tuple(word for word, _ in ranked if word)[:MAX_WORDS]

    def on_control(
        self, sample: Sample, control: Box | None, tip: tuple[int, int], *, is_row: bool = True
    ) -> Text | None:
        """Return what is written on a control, or where the pointer stands when its box is not known. The box that
        comes with it is the control's, or that of the row of it which the pointer is on. `is_row`: what is written
        side by side on a wide control is one row, as of a table, and not several tabs."""
        if control is None:
            return self._where(sample, *tip)
        lines = [line for line in self.lines(sample, control.grown(6, 5)) if is_in(line.box, control)]
        lines = [line for line in lines if is_word(line)] or [line for line in lines if is_sign(line)]
        if is_choice(sample, control, [line.box for line in lines]) and (
            name := self._label(sample, control)
        ):
            return replace(name, box=control)
        if lines:
            group, box = chosen(sample, lines, control, tip, is_row=is_row)
            return replace(self._without_tick(sample, first_of(group)), box=box)
        if control.width <= _SWITCH and control.height <= 40:
            return self._beside_box(sample, control)
        return None

    def beside_tick(self, sample: Sample, tick: Box, tip: tuple[int, int]) -> Text | None:
        """Return the words beside a box to tick; None when the pointer is not on them."""
        x, y = tip
        box = Box(tick.left, y - _TICK_REACH, tick.right, y + _TICK_REACH)
        around = Box(box.left, box.top - 8, max(x, box.right) + _BESIDE_BOX, box.bottom + 8)
        lines = [line for line in self.lines(sample, around) if is_word(line)]
        found = beside([line for line in lines if line.box.right > box.right], box)
        if found is None or not found.box.joined(box).grown(8, 6).holds(x, y):
            return None
        return replace(self._without_tick(sample, found), box=found.box.joined(tick))

    def of_field(self, sample: Sample, field: Box) -> Text | None:
        """Return the label of a field: what stands left of it or above it, else what stands in it."""
        return self._label(sample, field) or next(iter(self.lines(sample, field.grown(3))), None)

    def _label(self, sample: Sample, field: Box) -> Text | None:
        """Return what stands left of a field or above it, if nothing is drawn between the two. Both are read each by
        itself: what stands in the field may follow its label at a space's distance."""
        left = Box(field.left - _LEFT_OF_FIELD, field.top - 3, field.left + 2, field.bottom + 3)
        above = Box(
            field.left - _ABOVE_INDENT, field.top - _ABOVE_FIELD, field.left + _ABOVE_WIDTH, field.top
        )
        best, best_distance = None, 1_000.0
        for line in (*self.lines(sample, left), *self.lines(sample, above)):
            box = line.box
            overlap = min(box.bottom, field.bottom) - max(box.top, field.top)
            if box.right <= field.left + 6 and overlap >= 0.5 * box.height:
                is_level = abs(box.top + box.bottom - field.top - field.bottom) <= 2 * _LEVEL
                distance: float = 0 if is_level else field.left - box.right
            elif box.bottom <= field.top + 6 and above.left + 2 < box.left <= field.left + field.width // 2:
                distance = field.top - box.bottom + 0.2 * abs(box.left - field.left)
            else:
                continue
            if distance < best_distance and _may_name(sample, line, field):
                best, best_distance = line, distance
        return best

    def _where(self, sample: Sample, x: int, y: int) -> Text | None:
        """Return what is written where the pointer stands, or right of it."""
        lines = [line for line in self.lines(sample, Box(x, y, x, y).grown(330, 45)) if is_word(line)]
        found = nearest([line for line in lines if line.box.grown(4, 5).holds(x, y)], x, y)
        if found:
            found = head_of(found, lines)
        found = found or beside([line for line in lines if line.box.left >= x], Box(x, y, x, y))
        return found and replace(self._without_tick(sample, found), box=found.box.grown(6, 4))

    def _beside_box(self, sample: Sample, control: Box) -> Text | None:
        """Return the name right of a switch or a box to tick, else left of it."""
        top, bottom = control.top - _HEAD, control.bottom + 8
        # Each by itself: a box to tick may be read as a letter of its words.
        right = Box(control.right, top, control.right + _BESIDE_BOX, bottom)
        after = [line for line in self.lines(sample, right) if is_word(line)]
        if found := beside(after, control):
            found = head_of(found, after)
        else:
            left = Box(control.left - _BEFORE_BOX, top, control.left, bottom)
            ahead = [line for line in self.lines(sample, left) if is_word(line)]
            if found := before(ahead, control):
                found = head_of(found, ahead)
        return found and replace(found, box=found.box.joined(control))

    def _without_tick(self, sample: Sample, found: Text) -> Text:
        """Return a line without the box to tick that it begins with, which would be read as a letter."""
        left = found.line and after_tick(sample, found.line)
        if found.line is None or left is None:
            return found
        words = Box(left, *found.line[1:])
        reading = self.line(sample.cut(words.grown(1)))
        if reading is None or (found.text[:1].isalnum() and found.text[1:] == reading[0]):
            return found  # its first letter, and no box
        return replace(found, text=reading[0], confidence=reading[1], line=words)

    def title(self, sample: Sample, window: Box, *, is_framed: bool) -> Title | None:
        """Return the title of a window, dialog or page: a line at its top that stands out; None for a plain list."""
        top = Box(window.left, window.top, window.right, min(window.bottom, window.top + _TITLE_HEIGHT))
        lines = [line for line in self.lines(sample, top) if is_word(line) and line.confidence >= _SURE]
        if not lines:
            return None
        first = min(lines, key=lambda line: (line.box.top, line.box.left))
        if (
            is_framed
            and len(lines) > 1
            and first.box.top - window.top <= _BAR
            and window.width > 2 * first.box.width
        ):
            is_alone = all(line is first or line.box.top >= first.box.bottom - 4 for line in lines)
            if is_alone and window.height > 3 * first.box.height:
                return Title(first.text, first.confidence, first.box, stands_out=True)
        sizes = {line: letter_height(sample, line.box) for line in lines}
        largest = max(lines, key=lambda line: (sizes[line], -line.box.top))
        usual = median(sizes.values())
        if len(lines) == 1 or sizes[largest] >= (_LARGER_IN_FRAME if is_framed else _LARGER) * usual:
            return Title(largest.text, largest.confidence, largest.box, stands_out=True)
        following = [line.box.top for line in lines if line.box.top > first.box.bottom - 2]
        gap = min(following) - first.box.bottom if following else 0
        return Title(first.text, first.confidence, first.box) if gap >= 1.2 * first.box.height else None


def _may_name(sample: Sample, line: Text, field: Box) -> bool:
    """Return whether a line near a field may be its label: neither stands it in another field, nor beside a tick."""
    is_name = is_word(line) or is_sign(line)
    left, top, right, bottom = line.box
    with_tick = Box(left - _BEFORE_WORDS, top + 3, right, bottom - 3)  # without the field's own edge
    return is_name and not is_parted(sample, line.box, field) and after_tick(sample, with_tick) is None
