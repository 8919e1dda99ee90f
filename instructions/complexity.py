"""How complex a text may be, found line by line, before anything parses it.

A parser takes time that grows with the number of blocks and lines, not with the bytes: 1 MiB can hold 350,000
paragraphs, or one of 500,000 lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_BLOCKS = 5_000
MAX_NESTING = 64
MAX_LINES = 20_000
MAX_MARKS = 100_000

# CommonMark 0.31: lines (2.1), code fences (4.5), blocks of HTML with their ends (4.6), and the marks of containers
# (5.1, 5.2) and headings (4.2) that a line begins with.
_LINE_END = re.compile(r"\r\n?|\n")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}(?![^`]*`)|~{3,})")
_HTML = [
    (re.compile(rf"[ ]{{0,3}}{start}", re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for start, end in (
        (r"<(?:script|pre|style|textarea)(?=[ \t>]|$)", r"</(?:script|pre|style|textarea)>"),
        (r"<!--", r"-->"),
        (r"<\?", r"\?>"),
        (r"<!\[CDATA\[", r"\]\]>"),
        (r"<![a-z]", r">"),
        (r"</?[a-z]", r"\A[ \t]*\Z"),
    )
]
_CONTAINER = re.compile(r"[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$))")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_BLOCK_MARKER = re.compile(r"[ \t]*<!--[ \t]*block:[^>]*-->[ \t]*$")

# Where an inline parser stops to look for a rule, which takes it 5 to 15 µs: one character of 15 to 25 in manuals.
_MARKS = b"`*_[]<&~\\!-:=#+@>$%^{}"


class DocumentTooComplex(ValueError):
    """The text has over MAX_BLOCKS blocks, MAX_NESTING levels, MAX_LINES lines or MAX_MARKS marks, or takes more work
    to parse than `instructions.parser` allows; the message says which."""


def check_complexity(markdown: str) -> None:
    """Raise DocumentTooComplex for a text that no parse is spent on. What a line scan cannot see, such as lines that
    a quotation further up takes in, the parser's limit of work stops.

    Counted as blocks are paragraphs, headings, list items and quotations, what stands in a code fence excepted;
    block markers count for nothing but as lines, of which there may be MAX_LINES beside the text's. Levels of nesting
    are the marks before a line's text, and two columns of indentation one more.
    """
    blocks, marks, is_open = 0, 0, False
    lines = _LINE_END.split(markdown)
    if not lines[-1]:
        lines.pop()
    markers = sum(1 for line in lines if "<!--" in line and _BLOCK_MARKER.match(line))
    if max(len(lines) - markers, markers) > MAX_LINES:
        raise DocumentTooComplex(f"The document has more than {MAX_LINES:,} lines. Split it.")
    for line, opens_code in _outside_of_code(lines):
        if not line.strip() or _BLOCK_MARKER.match(line):
            is_open = False
            continue
        levels = _nesting(line)
        if levels or opens_code or not is_open or _HEADING.match(line):
            blocks += 1
        is_open = True
        marks += count_marks(line)
        check_marks(marks)
        if blocks > MAX_BLOCKS:
            raise DocumentTooComplex(f"The document has more than {MAX_BLOCKS:,} blocks. Split it.")
        if levels > MAX_NESTING:
            raise DocumentTooComplex(f"The document is nested more than {MAX_NESTING} levels deep.")


def check_marks(marks: int) -> None:
    """Raise DocumentTooComplex for more than MAX_MARKS."""
    if marks > MAX_MARKS:
        raise DocumentTooComplex(f"The document has more than {MAX_MARKS:,} marks of Markdown. Split it.")


def count_marks(text: str) -> int:
    """Return the number of characters at which an inline parser may find the beginning of something."""
    encoded = text.encode(errors="replace")
    return len(encoded) - len(encoded.translate(None, _MARKS))


def _outside_of_code(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the lines that are not in a code fence, and whether they open one; in HTML none does."""
    fence, html_end = "", None
    for line in lines:
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip(" \t"):
                fence = ""
            continue
        if html_end is None and "<" in line:
            html_end = next((end for start, end in _HTML if start.match(line)), None)
        opening = None if html_end else _FENCE.match(line)
        fence = opening[1] if opening else ""
        if html_end and html_end.search(line):
            html_end = None
        yield line, bool(opening)


def _nesting(line: str) -> int:
    """Return how deep the text of a line lies in lists and quotations at most; 0 without a mark of either."""
    at, marks = 0, 0
    indentation = len(line) - len(line.lstrip(" \t"))
    while marks <= MAX_NESTING and (mark := _CONTAINER.match(line, at)):
        at, marks = mark.end(), marks + 1
    return marks + indentation // 2 if marks else 0
