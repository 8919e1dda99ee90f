"""What should be hidden in a picture of a screen. Lines that were read before are known by their pixels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anchors.sensitive.avatars import Box, avatar_beside
from anchors.sensitive.patterns import Kind, Match, find_in_line, find_name
from jobs.media.screen.ocr import Ocr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    Cells = NDArray[np.bool_]

CELL = 16  # pixels
_STRIP, _OVERLAP = 384, 48  # pixels of height that are searched at once, and that two have in common
_MIN_SHAPE = 2.5  # of a line's width to its height; what is shorter holds nothing that is searched for
_KEPT_LINES = 800
_TRIM = 2  # pixels at the edges of a line, by which it may be found elsewhere
_SAME = 0.22  # of a line's contrast, up to which pixels may differ from those of a line that was read before
_NARROW = frozenset("iljIt|.,:;'!()[]fr1 -")
_WIDE = frozenset("mwMW@%—")


@dataclass(frozen=True)
class Sighting:
    """Something that should be hidden, as it stands in one picture; `text` never leaves the process that reads."""

    kind: Kind
    text: str
    box: Box
    confidence: float


class Reader:
    """Reads pictures one after another."""

    def __init__(self) -> None:
        self._ocr = Ocr()
        self._known: OrderedDict[int, tuple[Picture, str, float]] = OrderedDict()
        self._numbered = 0

    def read(self, picture: Picture, where: Cells | None = None) -> list[Sighting]:
        """Return what should be hidden of the lines that lie in some cells of a picture, or in all of them."""
        found: list[Sighting] = []
        for box in self._lines(picture, where):
            left, top, right, bottom = box
            text, sure = self._text(picture[max(0, top - 1) : bottom + 1, max(0, left - 2) : right + 2])
            for sighting in self._of_line(picture, box, text, sure):
                if all(_shared(sighting.box, other.box) < 0.5 for other in found):
                    found.append(sighting)
        return found

    def _lines(self, picture: Picture, where: Cells | None) -> Iterator[Box]:
        """Yield the boxes of lines, searched in strips over the whole width, so that none is cut."""
        for start, end in _strips(picture.shape[0], where):
            for left, top, right, bottom in self._ocr.find(picture[start:end]):
                is_cut = (top <= 1 and start > 0) or (bottom >= end - start - 1 and end < picture.shape[0])
                box = left, top + start, right, bottom + start
                is_long = right - left >= _MIN_SHAPE * (bottom - top)
                if is_long and not (is_cut and bottom - top < _OVERLAP // 2) and _is_in(box, where):
                    yield box

    def _text(self, line: Picture) -> tuple[str, float]:
        import cv2
        import numpy as np

        grey = np.asarray(cv2.cvtColor(line, cv2.COLOR_RGB2GRAY), np.uint8)
        for key in reversed(self._known):
            known, text, sure = self._known[key]
            if _is_same(grey, known):
                self._known.move_to_end(key)
                return text, sure
        read = self._ocr.read_line(line)
        text, sure = (read.text, read.confidence) if read else ("", 0.0)
        self._numbered += 1
        self._known[self._numbered] = grey.copy(), text, sure
        if len(self._known) > _KEPT_LINES:
            self._known.popitem(last=False)
        return text, sure

    def _of_line(self, picture: Picture, box: Box, text: str, sure: float) -> Iterator[Sighting]:
        matches = find_in_line(text)
        for match in matches:
            part = _part(box, text, match, picture.shape[1])
            yield Sighting(match.kind, text[match.start : match.end], part, round(match.confidence * sure, 3))
        if not matches and (name := find_name(text)) and (beside := avatar_beside(picture, box)):
            written, part = text[: name.end], _part(box, text, name, picture.shape[1])
            yield Sighting(
                "name", written, part, round(self._sure_of_name(picture, written, *beside) * sure, 3)
            )

    def _sure_of_name(self, picture: Picture, text: str, avatar: Box, sure: float) -> float:
        """Return more for an avatar that shows the initials of the name."""
        left, top, right, bottom = avatar
        side = (right - left) // 6
        read = self._ocr.read_line(picture[top + side : bottom - side, left + side : right - side])
        initials = "".join(word[0] for word in text.split())
        return (
            0.9
            if read and read.text.replace(" ", "").upper() in (initials, initials[0] + initials[-1])
            else sure
        )


def _strips(height: int, where: Cells | None) -> Iterator[tuple[int, int]]:
    """Yield from which row to which strips are searched that hold all cells."""
    spans = [(0, height)] if where is None else _spans_of(where, height)
    for start, end in spans:
        top = start
        while True:
            yield top, min(end, top + _STRIP)
            if top + _STRIP >= end:
                break
            top += _STRIP - _OVERLAP


def _spans_of(where: Cells, height: int) -> list[tuple[int, int]]:
    """Return the rows of pixels around cells; those that are close are one span."""
    spans: list[tuple[int, int]] = []
    for row in (number for number, cells in enumerate(where) if cells.any()):
        start, end = max(0, (row - 2) * CELL), min(height, (row + 3) * CELL)
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return spans


def _is_in(box: Box, where: Cells | None) -> bool:
    return where is None or bool(where[cells_under(box)].any())


def cells_under(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of cells that a box touches."""
    left, top, right, bottom = box
    return slice(top // CELL, (bottom - 1) // CELL + 1), slice(left // CELL, (right - 1) // CELL + 1)


def _is_same(line: Picture, known: Picture) -> bool:
    """Return whether a line shows what another one does, which may have been cut out a pixel or two beside it."""
    import cv2

    if abs(line.shape[0] - known.shape[0]) > _TRIM or abs(line.shape[1] - known.shape[1]) > _TRIM + 1:
        return False
    inner = line[_TRIM:-_TRIM, _TRIM:-_TRIM]
    if min(inner.shape) < 4 or inner.shape[0] > known.shape[0] or inner.shape[1] > known.shape[1]:
        return False
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(known, inner, cv2.TM_SQDIFF))
    there = known[y : y + inner.shape[0], x : x + inner.shape[1]]
    contrast = int(there.max()) - int(there.min())
    return float(cv2.blur(cv2.absdiff(inner, there), (3, 3)).max()) <= max(6.0, _SAME * contrast)


def _part(box: Box, text: str, match: Match, width: int) -> Box:
    """Return where some characters of a line stand: by widths of letters that are alike in most fonts, and by equal
    ones, whichever is more; with something around it."""
    left, top, right, bottom = box
    if match.start == 0 and match.end == len(text):
        return max(0, left - 2), max(0, top - 2), min(width, right + 2), bottom + 2
    weights = [0.55 if letter in _NARROW else 1.5 if letter in _WIDE else 1.0 for letter in text]
    shares = []
    for each in (weights, [1.0] * len(text)):
        total = sum(each)
        shares.append((sum(each[: match.start]) / total, sum(each[: match.end]) / total))
    around = round(0.35 * (bottom - top))
    first = left + round(min(start for start, _ in shares) * (right - left)) - around
    last = left + round(max(end for _, end in shares) * (right - left)) + around
    return max(0, left - 2, first), max(0, top - 2), min(width, right + 2, last), bottom + 2


def _shared(one: Box, other: Box) -> float:
    """Return the share of the smaller box that lies in the other one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share, by the area that they cover together (0..1)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def around_both(one: Box, other: Box) -> Box:
    """Return the smallest box that holds two others."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
