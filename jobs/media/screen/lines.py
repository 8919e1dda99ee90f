"""Lines of text on the screen: which belong together, which is a name, and which is meant by a place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from jobs.media.screen.events import MAX_LABEL_CHARACTERS, UNWANTED
from jobs.media.screen.sampling import Box, Sample

_SURELY = 0.9  # of a short text's reading, from which it is no icon
_LEFT_EDGE = 5  # pixels
_CLOSE = 0.35  # of a line's height between two lines that belong together
_SMALLER, _FAINTER = 0.93, 0.8  # times the height and the contrast of a name is what is said of it
_INK_LEVELS = 40
_ROWS, _UNEVEN = 4, 3  # lines of a list at least, and pixels by which their distances may differ
_SIDE_BY_SIDE = (
    400  # pixels; what is wider is a row, of which the first word is the name, not tabs side by side
)
LETTERS = re.compile(r"[^\W\d_]")
_MARKS = re.compile(r"^[^\w#@$€£+(\"'.&/-]+|[\s:*•▾▼⌄˅∨›»…\[|]+$")
_FRAMES = str.maketrans("", "", "☐□☑☒✓✔○●◯▢")


@dataclass(frozen=True)
class Text:
    """A line of text and where it stands in the work picture: `line` itself, `box` with what it belongs to."""

    text: str
    confidence: float
    box: Box
    line: Box | None = None


def spelt(text: str) -> str:
    """Return a text without the marks around it that are not part of its name: colons, stars, arrows, frames."""
    plain = UNWANTED.sub(" ", text.translate(_FRAMES)).strip()
    while (shorter := _MARKS.sub("", plain).strip()) != plain:
        plain = shorter
    return plain[:MAX_LABEL_CHARACTERS].strip()


def is_in(box: Box, control: Box) -> bool:
    return box.common(control.grown(3)).area >= 0.6 * box.area


def is_word(line: Text) -> bool:
    """Return whether a line says something, and is no icon that was taken for a letter."""
    plain = spelt(line.text)
    return len(LETTERS.findall(plain)) >= 3 or (len(plain) >= 2 and line.confidence >= _SURELY)


def is_sign(line: Text) -> bool:
    """Return whether a line is a letter or digit by itself, as on a key, and no icon that looks like one."""
    plain = spelt(line.text)
    return (
        len(plain) == 1
        and plain.isascii()
        and plain.isalnum()
        and plain not in "IlOo"
        and line.confidence >= _SURELY
    )


def letter_height(sample: Sample, box: Box) -> float:
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


def chosen(
    sample: Sample, lines: list[Text], control: Box, tip: tuple[int, int], *, is_row: bool
) -> tuple[list[Text], Box]:
    """Return the lines of a control that the pointer is on, and the box of the row that they make."""
    x, y = tip
    if _is_list(lines):
        groups = [[line] for line in lines]
        group = min(groups, key=lambda group: abs(group[0].box.top + group[0].box.bottom - 2 * y))
    else:
        groups = _groups(lines, sample)
        group = min(groups, key=lambda group: min(line.box.distance(x, y) for line in group))
    if control.width <= _SIDE_BY_SIDE or not is_row:
        group = _in_column(group, min(group, key=lambda line: line.box.distance(x, y)))
    top, bottom = min(line.box.top for line in group), max(line.box.bottom for line in group)
    row = Box(control.left, max(control.top, top - 7), control.right, min(control.bottom, bottom + 7))
    return group, row if len(groups) > 1 else control


def _is_list(lines: list[Text]) -> bool:
    """Return whether lines below one another are the rows of a list: many, at one distance, with one left edge."""
    if len(lines) < _ROWS or max(abs(line.box.left - lines[0].box.left) for line in lines) > _LEFT_EDGE:
        return False
    middles = sorted((line.box.top + line.box.bottom) / 2 for line in lines)
    distances = [second - first for first, second in pairwise(middles)]
    return max(distances) - min(distances) <= _UNEVEN


def _groups(lines: list[Text], sample: Sample | None = None) -> list[list[Text]]:
    """Return the lines that stand close below one another together, as a name and what is said of it. With a picture,
    lines that are smaller or fainter than the one above them may be further off."""
    groups: list[list[Text]] = []
    for line in sorted(lines, key=lambda line: (line.box.top, line.box.left)):
        group = groups[-1] if groups else None
        gap = line.box.top - max(other.box.bottom for other in group) if group else 0
        is_close = gap <= _CLOSE * line.box.height or (
            group and sample and gap <= line.box.height and _is_lesser(sample, line, group[0])
        )
        if group and is_close:
            group.append(line)
        else:
            groups.append([line])
    return groups


def _is_lesser(sample: Sample, line: Text, name: Text) -> bool:
    """Return whether a line is smaller or fainter than another one."""
    if letter_height(sample, line.box) < _SMALLER * letter_height(sample, name.box):
        return True
    return _contrast(sample, line.box) < _FAINTER * _contrast(sample, name.box)


def _contrast(sample: Sample, box: Box) -> float:
    """Return by how many levels letters stand out from their ground."""
    import numpy as np

    area = box.common(sample.bounds)
    pixels = sample.grey[area.top : area.bottom, area.left : area.right].astype(np.int16)
    return float(np.percentile(np.abs(pixels - int(np.median(pixels))), 97)) if pixels.size else 0.0


def _in_column(lines: list[Text], chosen: Text) -> list[Text]:
    """Return the lines that stand over or under one of them, with it."""
    return [line for line in lines if line.box.left < chosen.box.right and chosen.box.left < line.box.right]


def head_of(line: Text, lines: list[Text]) -> Text:
    """Return the line above one that only says more of it: close to it, and with the same left edge."""
    for group in _groups([other for other in lines if abs(other.box.left - line.box.left) <= _LEFT_EDGE]):
        if line in group:
            return group[0]
    return line


def first_of(lines: list[Text]) -> Text:
    """Return the line at the top left."""
    top = min(lines, key=lambda line: (line.box.top, line.box.left))
    level = [line for line in lines if line.box.top < (top.box.top + top.box.bottom) // 2]
    return min(level, key=lambda line: line.box.left)


def nearest(lines: list[Text], x: int, y: int) -> Text | None:
    return min(lines, key=lambda line: (line.box.distance(x, y), abs(line.box.top - y)), default=None)


def before(lines: list[Text], box: Box) -> Text | None:
    """Return the line left of a box, at its height."""
    middle = (box.top + box.bottom) // 2
    level = [line for line in lines if line.box.top - 4 <= middle <= line.box.bottom + 4]
    return max(level, key=lambda line: line.box.right, default=None)


def beside(lines: list[Text], box: Box) -> Text | None:
    """Return the line right of a box, at its height and near it."""
    level = [
        line
        for line in lines
        if line.box.top - 4 <= (box.top + box.bottom) // 2 <= line.box.bottom + 4
        and line.box.left - box.right <= 36
    ]
    return min(level, key=lambda line: line.box.left, default=None)
