"""How complex a text may be, found line by line, before anything parses it.

A parser takes time that grows with the number of blocks, not with the bytes: 1 MiB can hold 350,000 paragraphs.
"""

from __future__ import annotations

import re

MAX_BLOCKS = 5_000
MAX_NESTING = 64

# CommonMark 0.31: code fences (4.5), and the marks of containers (5.1, 5.2) and headings (4.2) that a line begins with.
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_CONTAINER = re.compile(r"[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$))")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_BLOCK_MARKER = re.compile(r"[ \t]*<!--[ \t]*block:[^>]*-->[ \t]*$")


class DocumentTooComplex(ValueError):
    """The text has over MAX_BLOCKS blocks, or over MAX_NESTING levels of nesting; the message says which."""


def check_complexity(markdown: str) -> None:
    """Raise DocumentTooComplex unless the text is one that may be parsed, at a cost that grows with its length.

    Counted as blocks are paragraphs, headings, list items and quotations, what stands in a code fence excepted;
    block markers count for nothing. Levels of nesting are the marks before a line's text, and two columns of
    indentation one more.
    """
    blocks, fence, is_open = 0, "", False
    for line in markdown.splitlines():
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip():
                fence = ""
            continue
        if not line.strip() or _BLOCK_MARKER.match(line):
            is_open = False
            continue
        marks = _nesting(line)
        opening = _FENCE.match(line)
        if marks or opening or not is_open or _HEADING.match(line):
            blocks += 1
        is_open = True
        fence = opening[1] if opening else ""
        if blocks > MAX_BLOCKS:
            raise DocumentTooComplex(f"The document has more than {MAX_BLOCKS:,} blocks. Split it.")
        if marks > MAX_NESTING:
            raise DocumentTooComplex(f"The document is nested more than {MAX_NESTING} levels deep.")


def _nesting(line: str) -> int:
    """Return how deep the text of a line lies in lists and quotations at most; 0 without a mark of either."""
    at, marks = 0, 0
    indentation = len(line) - len(line.lstrip(" \t"))
    while marks <= MAX_NESTING and (mark := _CONTAINER.match(line, at)):
        at, marks = mark.end(), marks + 1
    return marks + indentation // 2 if marks else 0
