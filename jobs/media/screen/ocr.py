"""Text in pictures of a screen, read by PP-OCRv6 through rapidocr. Its models lie in the package: nothing is fetched.

Pictures are arrays (rows, columns, 3) of bytes, RGB. Reading takes time by the picture's size and by its lines, about
0.02 s for a button and 0.2 s for a dialog: give it parts of a screen, not the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

MIN_CONFIDENCE = 0.5
"""A line that is read with less is not given: most are marks and icons taken for letters."""

_MIN_SIDE = 5  # pixels; no letter is lower
_MAX_SIDE = 2_000  # pixels; the same
_MAX_LINES = 200  # of a picture
_SMALL, _MIDDLE = (
    60_000,
    200_000,
)  # pixels of a picture up to which it is searched at two and one and a half times
_MANY = 400_000  # pixels, of which the finder of lines takes 300 MB; of a larger picture a smaller copy is searched
_MAX_RATIO = 80  # a line's width to its height; about 160 letters
_MARGIN = 1  # pixels above and below a line for the recogniser, twice that beside it
_LINE_HEIGHT = 48  # pixels, of the lines that the recogniser was trained with
_GAP_SHARE = 0.45  # of a line's height, up to which two boxes beside one another are one line
_SAME_LINE = 0.6  # of the lower one's height must lie at the height of the other one


@dataclass(frozen=True)
class Line:
    """A line of text: what it says, how sure that is (0..1), and where it stands, in pixels of the picture."""

    text: str
    confidence: float
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class _Box:
    left: int
    top: int
    right: int
    bottom: int


class Ocr:
    """Finds and reads lines of text. The models are loaded at the first reading, once a process, with one thread."""

    def read(self, picture: Picture) -> list[Line]:
        """Return the lines of a picture, from the top down and from the left to the right."""
        found = []
        for box in _joined(self._boxes(picture)):
            text, confidence = _recognise(_cut(picture, box))
            if text and confidence >= MIN_CONFIDENCE:
                width, height = box.right - box.left, box.bottom - box.top
                found.append(Line(text, confidence, box.left, box.top, width, height))
        return found

    def find(self, picture: Picture) -> list[tuple[int, int, int, int]]:
        """Return where lines stand, in the order of `read`, without reading them: left, top, right and bottom."""
        return [(box.left, box.top, box.right, box.bottom) for box in _joined(self._boxes(picture))]

    def read_line(self, picture: Picture) -> Line | None:
        """Return the text of a picture that holds one line and little else; None without any. It is not searched
        for, so this takes a third of the time and misses no lone letter."""
        if min(picture.shape[:2]) < _MIN_SIDE or picture.shape[1] > _MAX_RATIO * picture.shape[0]:
            return None
        text, confidence = _recognise(picture)
        if not text or confidence < MIN_CONFIDENCE:
            return None
        return Line(text, confidence, 0, 0, picture.shape[1], picture.shape[0])

    def _boxes(self, picture: Picture) -> list[_Box]:
        import cv2
        import numpy as np

        height, width = picture.shape[:2]
        if min(height, width) < _MIN_SIDE:
            return []
        scale = min(_scale(width, height), _MAX_SIDE / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        searched = np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)
        with _engine() as engine:
            found = engine(_bgr(searched), use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None:
            return []
        corners = np.asarray(found.boxes, float)[:_MAX_LINES] / scale
        lows, highs = np.floor(corners.min(axis=1)).astype(int), np.ceil(corners.max(axis=1)).astype(int)
        return [
            _Box(max(0, left), max(0, top), min(width, right), min(height, bottom))
            for (left, top), (right, bottom) in zip(lows.tolist(), highs.tolist(), strict=True)
            if min(width, right) - max(0, left) >= 2 and min(height, bottom) - max(0, top) >= _MIN_SIDE
        ]


def _scale(width: int, height: int) -> float:
    pixels = width * height
    if pixels > _MANY:
        return float((_MANY / pixels) ** 0.5)
    return 2.0 if pixels <= _SMALL else 1.5 if pixels <= _MIDDLE else 1.0


def _joined(boxes: list[_Box]) -> list[_Box]:
    """Return boxes in reading order, those that are parts of one line as one box."""
    rows: list[list[_Box]] = []
    for box in sorted(boxes, key=lambda box: (box.top + box.bottom, box.left)):
        row = next((row for row in rows if _is_level(row[0], box)), None)
        if row is None:
            rows.append([box])
        else:
            row.append(box)
    joined = []
    for row in rows:
        line: _Box | None = None
        for box in sorted(row, key=lambda box: box.left):
            if line and _is_level(line, box) and box.left - line.right <= _GAP_SHARE * _lower(line, box):
                top, bottom = min(line.top, box.top), max(line.bottom, box.bottom)
                line = _Box(line.left, top, max(line.right, box.right), bottom)
                continue
            if line:
                joined.append(line)
            line = box
        if line:
            joined.append(line)
    return joined


def _lower(first: _Box, second: _Box) -> int:
    return min(first.bottom - first.top, second.bottom - second.top)


def _is_level(first: _Box, second: _Box) -> bool:
    return min(first.bottom, second.bottom) - max(first.top, second.top) >= _SAME_LINE * _lower(first, second)


def _cut(picture: Picture, box: _Box) -> Picture:
    top, left = max(0, box.top - _MARGIN), max(0, box.left - 2 * _MARGIN)
    return picture[top : box.bottom + _MARGIN, left : box.right + 2 * _MARGIN]


def _recognise(line: Picture) -> tuple[str, float]:
    """Return what a line says, and how sure that is."""
    import cv2
    import numpy as np

    if (scale := _LINE_HEIGHT / line.shape[0]) > 1:  # the recogniser's own enlarging blurs small letters
        size = max(1, round(line.shape[1] * scale)), _LINE_HEIGHT
        line = np.asarray(cv2.resize(line, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    with _engine() as engine:
        found = engine(_bgr(line), use_det=False, use_cls=False, use_rec=True)
    if not found.txts:
        return "", 0.0
    return " ".join(found.txts[0].split()), float(found.scores[0])


def _bgr(picture: Picture) -> Picture:
    import numpy as np

    return np.ascontiguousarray(picture[:, :, ::-1])


_in_use = Lock()


@contextmanager
def _engine() -> Iterator[Any]:
    """Yield the engine, to one thread at a time: what a call asks of it is kept in it."""
    with _in_use:
        yield _loaded()


@cache
def _loaded() -> Any:
    # Imported here: it takes half a second, and most processes never read a picture.
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",  # it would log to the terminal
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "Global.min_side_len": 1,
            "Global.max_side_len": 2 * _MAX_SIDE,
            "Global.use_vertical_padding": False,
            # Else small pictures are searched at many times their size, which takes seconds.
            "Det.limit_type": "max",
            "Det.limit_side_len": _MAX_SIDE,
            # Of lines that are read together the shorter ones are read with empty space behind them.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
