"""What the screen writes on a control, beside a field, or as the title of what opens."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from jobs.media.screen.events import MAX_LABEL_CHARACTERS, MAX_WORDS, UNWANTED
from jobs.media.screen.ocr import Ocr
from jobs.media.screen.sampling import Box, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SURE, _SURELY = 0.8, 0.9
_LEFT_EDGE = 5  # pixels
_CLOSE = 0.35  # of a line's height between two lines that belong together
_BAR = 10  # pixels from the top of a window to its title, when this stands in a bar
_LARGER_IN_FRAME = 1.1
_LARGER = 1.2  # times the usual height of letters
_INK_LEVELS = 40
_LEFT_OF_FIELD, _ABOVE_FIELD = 280, 52  # pixels in which a field's label is looked for
_BESIDE_BOX, _BEFORE_BOX = 420, 760
_SWITCH = 64  # pixels, the width of one at most, or of a box to tick
_ARROW = 34  # pixels from the right edge of a list to choose from in which its arrow stands
_TITLE_HEIGHT = 190
_SIDE_BY_SIDE = (
    400  # pixels; what is wider is a row, of which the first word is the name, not tabs side by side
)
PRIVATE = re.compile(r"@|(?=\S*\d)(?=\S*[A-Za-z])\S{10,}|(?:\d[ -]?){8,}")
"""Addresses, keys, and the numbers of cards and telephones: they make no hot words."""

_LETTERS = re.compile(r"[^\W\d_]")
_MARKS = re.compile(r"^[^\w#@$€£+(\"'.&/-]+|[\s:*•▾▼⌄˅∨›»…\[|]+$")
_FRAMES = str.maketrans("", "", "☐□☑☒✓✔○●◯▢")


@dataclass(frozen=True)
class Text:
    """A line of text and where it stands in the work picture: `line` itself, `box` with what it belongs to."""

    text: str
    confidence: float
    box: Box
    line: Box | None = None


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
            is_word = len(_LETTERS.findall(text.text)) >= 3 and not PRIVATE.search(text.text)
            if text.confidence >= _SURE and is_word:
                self._words[spelt(text.text)] += 1
        return found

    def line(self, picture: NDArray[np.uint8]) -> tuple[str, float] | None:
        """Return the text of a picture of one line, and how sure that is. It is not counted: it was typed."""
        found = self._ocr.read_line(picture)
        return (found.text, found.confidence) if found else None

    def surely(self, sample: Sample, found: Text | None) -> Text | None:
        """Return a line as most readings of it say, of which each looks at a little more, or at its negative."""
        if found is None or found.line is None:
            return found
        seen = [sample.cut(found.line.grown(across, down)) for across, down in ((2, 1), (5, 3))]
        readings = [(found.text, found.confidence)]
        readings += [reading for picture in (*seen, 255 - seen[0]) if (reading := self.line(picture))]
        votes = Counter(text for text, _ in readings)
        best = max(readings, key=lambda reading: (votes[reading[0]], reading[1]))
        return replace(found, text=best[0], confidence=best[1])

    def words(self) -> tuple[str, ...]:
        """Return what was read, the most frequent first."""
        ranked = sorted(self._words.items(), key=lambda item: (-item[1], item[0]))
        return tuple(word for word, _ in ranked if word)[:MAX_WORDS]

    def on_control(self, sample: Sample, control: Box | None, tip: tuple[int, int]) -> Text | None:
        """Return what is written on a control, or where the pointer stands when its box is not known. The box that
        comes with it is the control's, or that of the row of it which the pointer is on."""
        x, y = tip
        if control is None:
            lines = [line for line in self.lines(sample, Box(x, y, x, y).grown(330, 45)) if _is_word(line)]
            under = [line for line in lines if line.box.grown(4, 5).holds(x, y)]
            found = _nearest(under, x, y)
            if found:
                found = _head_of(found, lines)
            found = found or _beside([line for line in lines if line.box.left >= x], Box(x, y, x, y))
            return found and replace(found, box=found.box.grown(6, 4))
        lines = [line for line in self.lines(sample, control.grown(6, 5)) if _is_in(line.box, control)]
        lines = [line for line in lines if _is_word(line)] or [line for line in lines if _is_sign(line)]
        if lines and _is_choice(sample, control, lines) and (name := self.of_field(sample, control)):
            return replace(name, box=control)
        if lines:
            groups = _groups(lines)
            group = min(groups, key=lambda group: min(line.box.distance(x, y) for line in group))
            if control.width <= _SIDE_BY_SIDE:
                group = _in_column(group, min(group, key=lambda line: line.box.distance(x, y)))
            top, bottom = min(line.box.top for line in group), max(line.box.bottom for line in group)
            row = Box(control.left, max(control.top, top - 7), control.right, min(control.bottom, bottom + 7))
            return replace(_first_of(group), box=row if len(groups) > 1 else control)
        if control.width <= _SWITCH and control.height <= 40:
            around = Box(
                control.left - _BEFORE_BOX, control.top - 8, control.right + _BESIDE_BOX, control.bottom + 8
            )
            lines = [line for line in self.lines(sample, around) if _is_word(line)]
            found = _beside([line for line in lines if line.box.left >= control.right - 4], control)
            if found is None:
                before = [line for line in lines if line.box.right <= control.left + 4]
                found = _before(before, control)
                found = found and _head_of(found, before)
            return found and replace(found, box=found.box.joined(control))
        return None

    def of_field(self, sample: Sample, field: Box) -> Text | None:
        """Return the label of a field: what stands left of it or above it, else what stands in it."""
        around = Box(field.left - _LEFT_OF_FIELD, field.top - _ABOVE_FIELD, field.right + 4, field.bottom + 3)
        best, best_distance = None, 1_000.0
        inner = []
        for line in self.lines(sample, around):
            box = line.box
            if _is_in(box, field):
                inner.append(line)
                continue
            overlap = min(box.bottom, field.bottom) - max(box.top, field.top)
            if box.right <= field.left + 6 and overlap >= 0.5 * box.height:
                distance: float = field.left - box.right
            elif box.bottom <= field.top + 6 and -40 <= box.left - field.left <= field.width // 2:
                distance = field.top - box.bottom + 0.2 * abs(box.left - field.left)
            else:
                continue
            if distance < best_distance and _LETTERS.search(line.text):
                best, best_distance = line, distance
        return best or (inner[0] if inner else None)

    def title(self, sample: Sample, window: Box, *, is_framed: bool) -> Title | None:
        """Return the title of a window, dialog or page: a line at its top that stands out; None for a plain list."""
        top = Box(window.left, window.top, window.right, min(window.bottom, window.top + _TITLE_HEIGHT))
        lines = [line for line in self.lines(sample, top) if _is_word(line) and line.confidence >= _SURE]
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
        sizes = {line: _letter_height(sample, line.box) for line in lines}
        largest = max(lines, key=lambda line: (sizes[line], -line.box.top))
        usual = median(sizes.values())
        if len(lines) == 1 or sizes[largest] >= (_LARGER_IN_FRAME if is_framed else _LARGER) * usual:
            return Title(largest.text, largest.confidence, largest.box, stands_out=True)
        following = [line.box.top for line in lines if line.box.top > first.box.bottom - 2]
        gap = min(following) - first.box.bottom if following else 0
        return Title(first.text, first.confidence, first.box) if gap >= 1.2 * first.box.height else None


def spelt(text: str) -> str:
    """Return a text without the marks around it that are not part of its name: colons, stars, arrows, frames."""
    plain = UNWANTED.sub(" ", text.translate(_FRAMES)).strip()
    while (shorter := _MARKS.sub("", plain).strip()) != plain:
        plain = shorter
    return plain[:MAX_LABEL_CHARACTERS].strip()


def _is_in(box: Box, control: Box) -> bool:
    return box.common(control.grown(3)).area >= 0.6 * box.area


def _is_choice(sample: Sample, control: Box, lines: list[Text]) -> bool:
    """Return whether a control is a list to choose from that is closed: what is chosen at the left, an arrow at the
    right end, nothing between."""
    import numpy as np

    right = max(line.box.right for line in lines)
    if len(lines) > 1 or control.width < 90 or control.height > 60 or control.right - right < 2 * _ARROW:
        return False
    inner = control.grown(-4).common(sample.bounds)
    pixels = sample.grey[inner.top : inner.bottom, right + 6 : inner.right].astype(np.int16)
    if not pixels.size:
        return False
    ink = np.flatnonzero((np.abs(pixels - int(np.median(pixels))) > _INK_LEVELS).any(axis=0))
    return len(ink) >= 4 and int(ink[-1] - ink[0]) < _ARROW and int(ink[0]) >= pixels.shape[1] - _ARROW


def _is_word(line: Text) -> bool:
    """Return whether a line says something, and is no icon that was taken for a letter."""
    plain = spelt(line.text)
    return len(_LETTERS.findall(plain)) >= 3 or (len(plain) >= 2 and line.confidence >= _SURELY)


def _is_sign(line: Text) -> bool:
    """Return whether a line is a letter or digit by itself, as on a key, and no icon that looks like one."""
    plain = spelt(line.text)
    return (
        len(plain) == 1
        and plain.isascii()
        and plain.isalnum()
        and plain not in "IlOo"
        and line.confidence >= _SURELY
    )


def _letter_height(sample: Sample, box: Box) -> float:
    """Return how high most letters of a line are, in pixels: the box around it is drawn by guess."""
    import cv2
    import numpy as np

    area = box.common(sample.bounds)
    pixels = sample.grey[area.top : area.bottom, area.left : area.right].astype(np.int16)
    if not pixels.size:
        return 0.0
    ink = (np.abs(pixels - int(np.median(pixels))) > _INK_LEVELS).astype(np.uint8)
    number, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    heights = [mark[cv2.CC_STAT_HEIGHT] for mark in stats[1:number].tolist() if mark[cv2.CC_STAT_AREA] >= 4]
    return float(sorted(heights)[int(0.8 * (len(heights) - 1))]) if heights else 0.0


def _groups(lines: list[Text]) -> list[list[Text]]:
    """Return the lines that stand close below one another together, as a name and what is said of it."""
    groups: list[list[Text]] = []
    for line in sorted(lines, key=lambda line: (line.box.top, line.box.left)):
        group = groups[-1] if groups else None
        if group and line.box.top - max(other.box.bottom for other in group) <= _CLOSE * line.box.height:
            group.append(line)
        else:
            groups.append([line])
    return groups


def _in_column(lines: list[Text], chosen: Text) -> list[Text]:
    """Return the lines that stand over or under one of them, with it."""
    return [line for line in lines if line.box.left < chosen.box.right and chosen.box.left < line.box.right]


def _head_of(line: Text, lines: list[Text]) -> Text:
    """Return the line above one that only says more of it: close to it, and with the same left edge."""
    for group in _groups([other for other in lines if abs(other.box.left - line.box.left) <= _LEFT_EDGE]):
        if line in group:
            return group[0]
    return line


def _first_of(lines: list[Text]) -> Text:
    """Return the line at the top left."""
    top = min(lines, key=lambda line: (line.box.top, line.box.left))
    level = [line for line in lines if line.box.top < (top.box.top + top.box.bottom) // 2]
    return min(level, key=lambda line: line.box.left)


def _nearest(lines: list[Text], x: int, y: int) -> Text | None:
    return min(lines, key=lambda line: (line.box.distance(x, y), abs(line.box.top - y)), default=None)


def _before(lines: list[Text], box: Box) -> Text | None:
    """Return the line left of a box, at its height."""
    middle = (box.top + box.bottom) // 2
    level = [line for line in lines if line.box.top - 4 <= middle <= line.box.bottom + 4]
    return max(level, key=lambda line: line.box.right, default=None)


def _beside(lines: list[Text], box: Box) -> Text | None:
    """Return the line right of a box, at its height and near it."""
    level = [
        line
        for line in lines
        if line.box.top - 4 <= (box.top + box.bottom) // 2 <= line.box.bottom + 4
        and line.box.left - box.right <= 36
    ]
    return min(level, key=lambda line: line.box.left, default=None)
