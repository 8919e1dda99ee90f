"""Tables: rows of the header repeated on each page, columns as wide as their text asks for. Lengths are twips."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from exports.renderers.docx.paragraphs import Form, Place, add_paragraph
from exports.renderers.docx.runs import Links, RunLook, add_inline
from exports.renderers.docx.xml import Element, add
from exports.renderers.text import is_rtl
from exports.renderers.tree import Inline, Table, plain

# Word opens no file with a wider table.
_MAX_COLUMNS = 63
# A row with more text may be split between two pages, and is not repeated: it would leave no room.
_MAX_WHOLE_CHARACTERS = 600
_MAX_COUNTED = 60  # characters of a cell that ask for width

_BOLD = 115  # per cent: how much wider the letters of the header are
# Half points of code in cells.
_CODE_SIZES = {"TableText": 18, "TableTextSmall": 15, "TableTextTiny": 13}

Cell = tuple[Inline, ...]


def add_table(parent: Element, table: Table, place: Place, links: Links, *, width: int) -> None:
    """Add a table at most this wide, or several beside which Word would not open the file."""
    columns = len(table.alignments)
    for begin in range(0, columns, _MAX_COLUMNS):
        part = slice(begin, begin + _MAX_COLUMNS)
        cut = Table(table.alignments[part], table.header[part], tuple(row[part] for row in table.rows))
        _add_whole(parent, cut, place, links, width=width)
        # Without a paragraph between them Word makes one table of two.
        add_paragraph(parent, "AfterTable", place)


def _add_whole(parent: Element, table: Table, place: Place, links: Links, *, width: int) -> None:
    columns = len(table.alignments)
    style, size, inset = _scale(columns)
    direction = is_rtl(" ".join(plain(cell) for cell in table.header))
    rtl = place.is_rtl if direction is None else direction
    widths = _widths(table, size, inset, width)
    made = add(parent, "w:tbl")
    _add_properties(made, sum(widths), place.indent, inset, is_rtl=rtl)
    grid = add(made, "w:tblGrid")
    for each in widths:
        add(grid, "w:gridCol", w=each)
    for number, row in enumerate((table.header, *table.rows)):
        opened = add(made, "w:tr")
        row_properties = add(opened, "w:trPr")
        if sum(len(plain(cell)) for cell in row) <= _MAX_WHOLE_CHARACTERS:
            add(row_properties, "w:cantSplit")
            if number == 0:
                add(row_properties, "w:tblHeader")
        is_kept = place.kept(number == 0 and bool(table.rows)).is_kept
        inside = Place(rtl, place.bar_color, is_kept=is_kept)
        for cell, alignment, each in zip(row, table.alignments, widths, strict=True):
            opened_cell = add(opened, "w:tc")
            add(add(opened_cell, "w:tcPr"), "w:tcW", w=each, type="dxa")
            _add_cell(opened_cell, cell, inside, links, style=style, align=alignment)


def _add_properties(table: Element, width: int, indent: int, inset: int, *, is_rtl: bool) -> None:
    """Add what holds for a whole table; lengths are in twips, `inset` is between the edge of a cell and its text."""
    properties = add(table, "w:tblPr")
    add(properties, "w:tblStyle", val="GuideTable")
    if is_rtl:
        add(properties, "w:bidiVisual")
    add(properties, "w:tblW", w=width, type="dxa")
    add(properties, "w:tblInd", w=indent, type="dxa")
    if inset < _scale(1)[2]:
        margins = add(properties, "w:tblCellMar")
        add(margins, "w:left", w=inset, type="dxa")
        add(margins, "w:right", w=inset, type="dxa")
    shown = {"firstRow": 1, "lastRow": 0, "firstColumn": 0, "lastColumn": 0, "noHBand": 1, "noVBand": 1}
    add(properties, "w:tblLook", val="0020", **shown)


def _add_cell(parent: Element, cell: Cell, place: Place, links: Links, *, style: str, align: str) -> None:
    direction = is_rtl(plain(cell))
    paragraph = add_paragraph(parent, style, place, Form(align=align), is_rtl=direction)
    rtl = place.is_rtl if direction is None else direction
    add_inline(paragraph, cell, links, is_rtl=rtl, look=RunLook(code_size=_CODE_SIZES[style]))


def _scale(columns: int) -> tuple[str, int, int]:
    """Return the style, the size of its type and the room at the sides of a cell for so many columns."""
    if columns <= 5:
        return "TableText", 200, 140
    return ("TableTextSmall", 170, 80) if columns <= 8 else ("TableTextTiny", 140, 50)


def _widths(table: Table, size: int, inset: int, width: int) -> list[int]:
    """Return the widths of the columns: as their longest line asks for, or in proportion where the page is too
    narrow."""
    columns = _columns((table.header, *table.rows))
    asked = [
        2 * inset + size * max([_BOLD * _ems(head) // 100, *map(_ems, rest)]) // 100
        for head, *rest in columns
    ]
    total = sum(asked)
    if total <= width:
        return asked
    least = min(width // len(asked), 2 * inset + 3 * size)
    room = width - least * len(asked)
    beyond = [max(each - least, 0) for each in asked]
    return [least + room * each // max(sum(beyond), 1) for each in beyond]


def _columns(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    return zip(*rows, strict=True)


def _ems(cell: Cell) -> int:
    """Return about how wide a text is on one line, in hundredths of the type size; long ones count up to a limit."""
    shown = plain(cell)[:_MAX_COUNTED]
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in shown)
    return 58 * (len(shown) - wide) + 104 * wide + 30
