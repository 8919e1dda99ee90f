"""Estimates of how high the blocks of a guide are on a page of `guide.typ`, in points (1/72 inch).

They decide on the sizes of pictures, before anything is typeset, for PDF and DOCX alike: both then break pages by
themselves. The widths of letters are those of Noto Sans, rounded up by classes; the lengths are those of `guide.typ`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exports.renderers.tree import (
    Code,
    Heading,
    Inline,
    ListOf,
    Node,
    Paragraph,
    PictureAt,
    Quote,
    Rule,
    Step,
    Table,
    plain,
)

TEXT_WIDTH = 468.0
_SIZE = 10.5
_CAP_HEIGHT = 0.714  # of the type size; a line of typst is as high as its capitals
_LEADING = 0.72 * _SIZE
LINE = _CAP_HEIGHT * _SIZE + _LEADING
_STEP_SIZE, _STEP_LINE = 13.0, (_CAP_HEIGHT + 0.72) * 13.0
_STEP_TIME_WIDTH = 62.0
_SECTION_SIZES = (17.0, 14.0, 12.0, 10.5)
_TITLE_SIZES, _MAX_TITLE_LINES = (30.0, 26.0, 22.0, 19.0), 3
_NARROW = frozenset("iljtfrI.,:;'!|()[]{} `-\"*/\\")
_WIDE = frozenset("mwMWGOQ@%&—…")
_BOLD = 1.07
_LIST_INDENT = 17.0
_TABLE_LINE, _TABLE_INSET = 9.5 * (_CAP_HEIGHT + 0.6), 12.0
_CODE_LINE, _CODE_INSET, _CODE_WIDTH = 12.2, 18.0, 5.4


class Height(NamedTuple):
    """A block's own height, and the space that it wants above and below. Of two that meet the greater is left."""

    above: float
    own: float
    below: float


# Above and below, as in `guide.typ`.
STEP_SPACES = (24.0, 9.5)
SECTION_SPACES = ((30.0, 13.0), (26.0, 11.0), (22.0, 9.5), (20.0, 9.0))
PICTURE_SPACES = (12.1, 13.7)
_PARAGRAPH_SPACES = (10.0, 10.0)


def text_width(text: str, size: float) -> float:
    """Return about how long a line of this text is."""
    return size * sum(map(_em, text))


def _em(character: str) -> float:
    """Return the width of a character in em."""
    if character in _NARROW:
        return 0.33
    if character in _WIDE:
        return 0.9
    if character.isascii():
        return 0.66 if character.isupper() else 0.565
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return 0.0 if unicodedata.category(character)[0] == "M" else 0.65


def count_lines(text: str, width: float, size: float) -> int:
    """Return into how many lines a text breaks: words go on a line while there is room; Han breaks anywhere."""
    lines, used = 1, 0.0
    for word in text.split():
        length = text_width(word, size)
        gap = 0.26 * size if used else 0.0
        if used + gap + length <= width:
            used += gap + length
        elif length > width or any(unicodedata.east_asian_width(each) in "WF" for each in word):
            total = used + gap + length
            lines += math.ceil(total / width) - 1
            used = total % width
        else:
            lines, used = lines + 1, length
    return lines


def height_of(node: Node, width: float = TEXT_WIDTH) -> Height:
    """Return the height of a block that is no picture, as wide as `width`."""
    match node:
        case Paragraph(children):
            return Height(_PARAGRAPH_SPACES[0], _text_height(children, width), _PARAGRAPH_SPACES[1])
        case Step(_, _, children):
            lines = count_lines(plain(children), (width - _STEP_TIME_WIDTH) / _BOLD, _STEP_SIZE)
            return Height(STEP_SPACES[0], lines * _STEP_LINE - 0.72 * _STEP_SIZE, STEP_SPACES[1])
        case Heading(level, children):
            place = min(level, len(_SECTION_SIZES)) - 1
            size, (above, below) = _SECTION_SIZES[place], SECTION_SPACES[place]
            lines = count_lines(plain(children), width / _BOLD, size)
            return Height(above, lines * (_CAP_HEIGHT + 0.72) * size - 0.72 * size, below)
        case ListOf(_, is_tight, items):
            between = 0.7 * _SIZE if is_tight else _SIZE
            parts = [stacked(item, width - _LIST_INDENT) for item in items]
            return Height(_SIZE, sum(parts) + between * max(0, len(parts) - 1), _SIZE)
        case Quote(inner):
            return Height(12.6, stacked(inner, width - 14.0) + 4.0, 12.6)
        case Code(text, _):
            columns = max(1, int((width - 20.0) / _CODE_WIDTH))
            lines = sum(max(1, math.ceil(len(line) / columns)) for line in text.split("\n"))
            return Height(12.6, lines * _CODE_LINE + _CODE_INSET, 12.6)
        case Table():
            return Height(13.7, _table_height(node, width), 13.7)
        case Rule():
            return Height(16.8, 0.6, 16.8)
        case PictureAt():
            raise ValueError("a picture has no height of its own")


def opening_height(title: str, summary: str, logo_height: float) -> float:
    """Return how high the title of a short guide is with what stands around it, down to the rule below."""
    lines = count_lines(title, TEXT_WIDTH / _BOLD, 24.0)
    below_title = 17.0 + _CAP_HEIGHT * 9.5 if summary else 0.0
    logo = logo_height + 17.0 if logo_height else 0.0
    return logo + lines * (_CAP_HEIGHT + 0.45) * 24.0 - 0.45 * 24.0 + below_title + 17.0


def first_title_size(title: str) -> float:
    """Return the type size of the title on the first page: the greatest at which it takes three lines at most."""
    width = TEXT_WIDTH / _BOLD
    fitting = (size for size in _TITLE_SIZES if count_lines(title, width, size) <= _MAX_TITLE_LINES)
    return next(fitting, _TITLE_SIZES[-1])


def first_page_height(title: str, opening: Sequence[Node], logo_height: float) -> float:
    """Return how high all is that stands on the first page between the space above it and the contents' lines."""
    size = first_title_size(title)
    lines = count_lines(title, TEXT_WIDTH / _BOLD, size)
    logo = logo_height + 17.0 if logo_height else 0.0
    named = lines * (_CAP_HEIGHT + 0.45) * size - 0.45 * size
    facts = 16.0 + 4.0 + 22.0 + 22.5
    return logo + named + facts + 26.0 + stacked(opening, TEXT_WIDTH) + 26.0 + 8.6 + 8.0


def stacked(nodes: Iterable[Node], width: float) -> float:
    """Return the height of blocks that stand one below the other."""
    total, below = 0.0, 0.0
    for node in nodes:
        height = height_of(node, width)
        total += (max(below, height.above) if total else 0.0) + height.own
        below = height.below
    return total


def _text_height(children: Sequence[Inline], width: float) -> float:
    return count_lines(plain(tuple(children)), width, _SIZE) * LINE - _LEADING


def _table_height(table: Table, width: float) -> float:
    """Return the height of a table, whose columns share its width by what they hold."""
    rows = [[plain(cell) for cell in row] for row in (table.header, *table.rows)]
    needs = [max(20.0, *(text_width(row[at], 9.5) for row in rows)) for at in range(len(table.alignments))]
    room = width - 14.0 * len(needs)
    share = min(1.0, room / sum(needs))
    return sum(
        max(count_lines(cell, need * share + 1.0, 9.5) for cell, need in zip(row, needs, strict=True))
        * _TABLE_LINE
        + _TABLE_INSET
        for row in rows
    )
