"""How complex a text may be, found line by line, before anything parses it.

A parser takes time that grows with the number of blocks and lines, not with the bytes: 1 MiB can hold 350,000
paragraphs, or one of 500,000 lines.
"""

from __future__ import annotations

import re

MAX_BLOCKS = 5_000
MAX_NESTING = 64
MAX_LINES = 20_000
MAX_MARKS = 100_000

# CommonMark 0.31: code fences (4.5), and the marks of containers (5.1, 5.2) and headings (4.2) that a line begins with.
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_CONTAINER = re.compile(r"[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$))")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_BLOCK_MARKER = re.compile(r"[ \t]*<!--[ \t]*block:[^>]*-->[ \t]*$")

_DELIMITERS = re.compile(r"[ \t>]*[|:-][|:\- \t]*$")  # of a table (GFM 0.29, 4.10)
# A cell of a table and a level of a line in a quotation that has no `>` take as long as so many marks.
_CELL, _LAZY = 4, 2

# Where an inline parser stops to look for a rule, which takes it 5 to 15 µs: one character of 15 to 25 in manuals.
_MARKS = b"`*_[]<&~\\!-:=#+@>$%^{}"


class DocumentTooComplex(ValueError):
    """The text has over MAX_BLOCKS blocks, MAX_NESTING levels, MAX_LINES lines or MAX_MARKS marks;
    the message says which."""


def check_complexity(markdown: str) -> None:
    """Raise DocumentTooComplex unless the text is one that may be parsed, at a cost that grows with its length.

    Counted as blocks are paragraphs, headings, list items and quotations, what stands in a code fence excepted;
    block markers count for nothing but as lines, of which there may be MAX_LINES beside the text's. Levels of nesting
    are the marks before a line's text, and two columns of indentation one more. As marks count the cells of tables too,
    those that a short row leaves out as well, and the levels of lines that continue a quotation without its marks.
    """
    blocks, marks, fence, is_open, depth, columns = 0, 0, "", False, 0, 0
    lines = markdown.splitlines()
    markers = sum(1 for line in lines if "<!--" in line and _BLOCK_MARKER.match(line))
    if max(len(lines) - markers, markers) > MAX_LINES:
        raise DocumentTooComplex(f"The document has more than {MAX_LINES:,} lines. Split it.")
    for line in lines:
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip():
                fence = ""
            continue
        if not line.strip() or _BLOCK_MARKER.match(line):
            is_open, depth, columns = False, 0, 0
            continue
        levels = _nesting(line)
        opening = _FENCE.match(line)
        if levels or opening or not is_open or _HEADING.match(line):
            blocks += 1
        is_open, depth = True, levels or depth
        fence = opening[1] if opening else ""
        columns = max(columns, line.count("|")) if _DELIMITERS.match(line) else columns
        marks += count_marks(line) + _CELL * max(line.count("|"), columns) + (0 if levels else _LAZY * depth)
        if marks > MAX_MARKS:
            raise DocumentTooComplex(f"The document has more than {MAX_MARKS:,} marks of Markdown. Split it.")
        if blocks > MAX_BLOCKS:
            raise DocumentTooComplex(f"The document has more than {MAX_BLOCKS:,} blocks. Split it.")
        if levels > MAX_NESTING:
            raise DocumentTooComplex(f"The document is nested more than {MAX_NESTING} levels deep.")


def count_marks(text: str) -> int:
    """Return the number of characters at which an inline parser may find the beginning of something."""
    encoded = text.encode(errors="replace")
    return len(encoded) - len(encoded.translate(None, _MARKS))


def _nesting(line: str) -> int:
    """Return how deep the text of a line lies in lists and quotations at most; 0 without a mark of either."""
    at, marks = 0, 0
    indentation = len(line) - len(line.lstrip(" \t"))
    while marks <= MAX_NESTING and (mark := _CONTAINER.match(line, at)):
        at, marks = mark.end(), marks + 1
    return marks + indentation // 2 if marks else 0
