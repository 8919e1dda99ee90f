"""The field that is typed into, and what was typed, if that may be read at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from jobs.media.screen.events import MAX_TEXT_CHARACTERS, UNWANTED
from jobs.media.screen.labels import Reader
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.typing import Typing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

SECRET = re.compile(
    r"\b(?:pass\s?-?(?:word|code|phrase|wort)|kennwort|pass\b|pin\b|secret|geheim\w*|token|api[ -]?key|key\b|"
    r"schlüssel|private|cvv|cvc|security code|prüfziffer|otp|one[- ]time|verification code|tan\b|"
    r"contraseña|mot de passe|senha|iban|card number|kartennummer)",
    re.IGNORECASE,
)
"""What the label of a field says whose content is nobody's business."""

_HIDDEN = re.compile(r"^[•●∙·.*oO0°\-–—…\s]+$")
_MAX_FIELD_HEIGHT = 320
_INK_LEVELS = 40
_GROUND_LEVELS = 3
_LONG, _SAME_TEXT = 6, 0.8  # letters from which a text is compared, and how much of it must be the same


def field_around(sample: Sample, typed: Box) -> Box | None:
    """Return the box of even ground in which a line of letters comes, if it ends within reach."""
    import cv2
    import numpy as np

    around = typed.grown(700, 300).common(sample.bounds)
    area = np.ascontiguousarray(sample.grey[around.top : around.bottom, around.left : around.right])
    middle = (typed.top + typed.bottom) // 2
    best: Box | None = None
    for x, y in (
        (typed.left - 3, middle),
        (typed.right + 6, middle),
        (typed.left + 2, typed.top - 1),
        (typed.right + 16, middle),
    ):
        if not around.holds(x, y):
            continue
        mask: NDArray[np.uint8] = np.zeros((area.shape[0] + 2, area.shape[1] + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8)
        point = x - around.left, y - around.top
        levels = (_GROUND_LEVELS,)
        pixels, _, _, (left, top, width, height) = cv2.floodFill(
            area, mask, point, (0,), levels, levels, flags
        )
        if left <= 0 or top <= 0 or left + width >= area.shape[1] or top + height >= area.shape[0]:
            continue
        box = Box(left + around.left, top + around.top, left + around.left + width, top + around.top + height)
        holds = box.grown(4).common(typed).area >= 0.9 * typed.area
        is_field = holds and pixels >= 0.4 * box.area and box.height <= _MAX_FIELD_HEIGHT
        if is_field and (best is None or box.area < best.area):
            best = box
    return best


@dataclass(frozen=True)
class Typed:
    """What was typed: as text, or None when it cannot be read. `is_hidden`: it shows as dots. `is_new`: it was not
    there before."""

    text: str | None = None
    confidence: float = 0.0
    is_hidden: bool = False
    is_new: bool = True


def typed_in(reader: Reader, typing: Typing) -> Typed:
    """Return what a stretch of typing left on the screen."""
    after = typing.after or typing.before
    texts: list[str] = []
    earlier: list[str] = []
    sure = 1.0
    for line in typing.lines:
        around = line.grown(3, 2)
        picture = _emptier(after.cut(around), typing.later.cut(around) if typing.later else None)
        picture = _without_caret(picture, line.height * after.scale)
        if _is_hidden(picture):
            return Typed(is_hidden=True)
        before = reader.line(typing.before.cut(around))
        earlier += [before[0]] if before else []
        if found := reader.line(picture):
            texts.append(found[0])
            sure = min(sure, found[1])
    text = UNWANTED.sub(" ", " ".join(texts)).strip()[:MAX_TEXT_CHARACTERS]
    if not text:
        return Typed()
    if _HIDDEN.match(text) and not text.isdigit():
        return Typed(is_hidden=True)
    return Typed(text, sure, is_new=not _is_same(text, " ".join(earlier)))


def _is_same(text: str, earlier: str) -> bool:
    """Return whether two readings are of one text, of which a letter or two may be read wrongly."""
    return text == earlier or (
        min(len(text), len(earlier)) >= _LONG and SequenceMatcher(None, text, earlier).ratio() >= _SAME_TEXT
    )


def _emptier(picture: NDArray[np.uint8], later: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return what both pictures of a line show: a caret that blinks is in one of them at most."""
    import numpy as np

    if later is None or later.shape != picture.shape or not picture.size:
        return picture
    ground = int(np.median(picture))
    first, second = np.abs(picture.astype(np.int16) - ground), np.abs(later.astype(np.int16) - ground)
    return np.where(first <= second, picture, later)


def _ink(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    import numpy as np

    grey = picture[:, :, 0].astype(np.int16)
    ink: NDArray[np.bool_] = np.abs(grey - np.median(grey)) > _INK_LEVELS
    return ink


def _without_caret(picture: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Return the picture of a line without the bar behind its last letter, which would be read as one."""
    import numpy as np

    if not picture.size:
        return picture
    ink = _ink(picture)
    columns = np.flatnonzero(ink.any(axis=0))
    if not len(columns):
        return picture
    last = int(columns[-1])
    first = last
    while first > 0 and ink[:, first].sum() >= 0.75 * height:
        first -= 1
    if not 1 <= last - first <= 4:
        return picture
    cleaned = picture.copy()
    cleaned[:, first + 1 :] = np.median(picture)
    return cleaned


def _is_hidden(picture: NDArray[np.uint8]) -> bool:
    """Return whether a line is of dots or stars: three or more marks of one size at one distance."""
    import cv2
    import numpy as np

    if not picture.size:
        return False
    number, _, stats, _ = cv2.connectedComponentsWithStats(_ink(picture).astype(np.uint8))
    marks = sorted(stats[1:number].tolist())
    marks = [mark for mark in marks if mark[4] >= 3]
    if len(marks) < 3:
        return False
    widths, heights = ([mark[place] for mark in marks] for place in (2, 3))
    gaps = [second[0] - first[0] for first, second in zip(marks, marks[1:], strict=False)]
    is_even = all(max(row) - min(row) <= 2 for row in (widths, heights, gaps))
    is_round = 0.6 <= max(widths) / max(heights) <= 1.6 and max(heights) <= 0.7 * picture.shape[0]
    return is_even and is_round
