"""Commands that are typed at a prompt, as in a terminal: a row that begins with the prompt, without a field around."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.media.screen.events import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, PROMPT, UNWANTED
from jobs.media.screen.labels import Reader
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.typing import Typing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INK_LEVELS = 40
_GAP = 2.5  # of the line's height: wider than a space between words
_REACH = 24  # of the line's height, to each side
_ALIGNED = 3  # pixels
_SURE = 0.6  # of a reading, from which it is given
_HIGH = 3  # times the line's height: a field for one line is lower
_ROW = re.compile(r"(\S{0,80}[$>❯»]|\S*[@~\]]\S*\s?[%#])\s+(\S.*)")


@dataclass(frozen=True)
class Command:
    """What was typed at a prompt: where, when its first letter came, and how sure its reading is (0..1)."""

    prompt: str
    text: str
    confidence: float
    start_ms: int
    box: Box


def commands_in(reader: Reader, typing: Typing, field: Box | None) -> list[Command]:
    """Return the commands of a stretch of typing, one a line; none of lines without a prompt before them, that
    cannot be read, or in a field for one line. A line that begins below or above a command that follows its prompt has
    that prompt too, be it read or not."""
    if field and field.height < _HIGH * typing.lines[0].height:
        return []
    samples = [sample for sample in (typing.later, typing.after) if sample]
    read = [
        next(filter(None, (_command(reader, sample, line, at_ms) for sample in samples)), None)
        for line, at_ms in zip(typing.lines, typing.lines_ms, strict=True)
    ]
    prompts = [
        (line.left, found.prompt)
        for line, found in zip(typing.lines, read, strict=True)
        if found and found.box.left < line.left - _ALIGNED
    ]
    for place, (line, at_ms) in enumerate(zip(typing.lines, typing.lines_ms, strict=True)):
        prompt = next((prompt for left, prompt in prompts if abs(left - line.left) <= _ALIGNED), None)
        if read[place] is None and prompt and (typed := reader.line(samples[-1].cut(line.grown(3, 2)))):
            read[place] = _made(prompt, *typed, at_ms, line)
    return [command for command in read if command]


def _command(reader: Reader, sample: Sample, line: Box, at_ms: int) -> Command | None:
    row = _row(sample, line)
    whole = _line(reader, sample, row)
    if whole and (match := _ROW.fullmatch(whole[0])):
        return _made(match[1], match[2], whole[1], at_ms, row)
    before = _line(reader, sample, Box(row.left, row.top, line.left, row.bottom))
    typed = _line(reader, sample, Box(line.left - 3, row.top, row.right, row.bottom))
    if before is None or typed is None or not PROMPT.fullmatch(before[0]):
        return None
    return _made(before[0], *typed, at_ms, row)


def _line(reader: Reader, sample: Sample, box: Box) -> tuple[str, float] | None:
    read = reader.line(sample.cut(box))
    return (read[0].strip(), read[1]) if read else None


def _made(prompt: str, text: str, confidence: float, at_ms: int, row: Box) -> Command | None:
    text = UNWANTED.sub(" ", text).strip()[:MAX_TEXT_CHARACTERS] if confidence >= _SURE else ""
    return Command(prompt[-MAX_LABEL_CHARACTERS:], text, confidence, at_ms, row) if text else None


def _row(sample: Sample, line: Box) -> Box:
    """Return the box of a typed line with what stands in its row without a wide gap: the prompt before it, and what a
    shell completed behind it."""
    import numpy as np

    reach = _REACH * line.height
    around = Box(line.left - reach, line.top - 3, line.right + reach, line.bottom + 3).common(sample.bounds)
    pixels: NDArray[np.int16] = sample.grey[around.top : around.bottom, around.left : around.right].astype(
        np.int16
    )
    ink = np.flatnonzero((np.abs(pixels - int(np.median(pixels))) > _INK_LEVELS).any(axis=0)) + around.left
    left, right, gap = line.left, line.right, _GAP * line.height
    for x in ink[ink < line.left][::-1].tolist():
        if left - x > gap:
            break
        left = x
    for x in ink[ink >= line.right].tolist():
        if x - right > gap:
            break
        right = x + 1
    return Box(left - 3, line.top - 2, right + 3, line.bottom + 2).common(sample.bounds)
