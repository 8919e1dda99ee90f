"""Headings as edits write them: with another title, level or number, or as a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from markdown_it.token import Token

from instructions.blocks import MAX_BRACKETS, STEP_NUMBER, split_step_heading
from instructions.complexity import count_marks
from instructions.drafting import escape_text, plain_title
from instructions.edits.pieces import Piece
from instructions.parser import INLINE_NESTING, make_parser, parse_inline, plain_text

MAX_LEVEL = 6  # of Markdown
_ATX = re.compile(r"( {0,3})#{1,6}(?=[ \t]|$)")  # CommonMark 0.31, 4.2; other headings are underlined (4.3)
_LINE_BREAK = re.compile(r"(?: {2,}|\\)?\n[ \t]*")
_CLOSING = re.compile(r"(?:^|[ \t])#+$")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,3}(?![0-9])")
_TIMES = re.compile(r"\s*\([0-9:.–—\s-]+\)")
_MARKED_TIMES = re.compile(rf"\s*(?P<marks>[*_]+){_TIMES.pattern}(?P=marks)")
_MARKED_NUMBER = re.compile(rf"(?P<marks>[*_]+){STEP_NUMBER.pattern}(?P=marks)\s*", re.IGNORECASE)
_OPENING = re.compile(r"^(?:[0-9]{1,9}(?=[.)])|(?=[-+*>#~=]))")
_END_MARKS = " .!?…:;,"
_MAX_LOOKS = 4  # at digits in a heading, of which some are the step's number or times
_MAX_MARKS = 500  # in a heading, to be read for its number and times
_PARSER = make_parser(nesting=INLINE_NESTING)

References = dict[str, Any]
"""Definitions of links by their label, as the parser keeps them."""


def read_plain(content: str, references: References) -> str:
    """Return the plain text of the Markdown of a heading or paragraph, as `blocks` reads that of headings."""
    token = Token("inline", "", 0, content=content)
    if content.count("[") > MAX_BRACKETS:
        return plain_text([token])
    return plain_text(parse_inline(token, _PARSER, {"references": references}))


def step_form(heading: Piece) -> str:
    """Return how the heading of a step begins, as `Step 3:` or `3.`; one that has no mark after its number gets one."""
    number = STEP_NUMBER.match(heading.text.strip())
    form = number.group().rstrip() if number else "Step 1:"
    return f"{form}:" if form[-1].isdigit() else form


def new_heading(block_id: str, level: int, form: str, title: str) -> Piece:
    """Return a heading with a title in plain text, `form` (of `step_form`) before it, or without one.

    A number and times that the title has itself are left out: steps are counted, and their times are rows.
    """
    text = plain_title(title)
    return Piece(
        block_id=block_id,
        kind="heading",
        lines=(heading_line(level, f"{form} {escape_text(text)}".strip()),),
        level=level,
        content=f"{form} {escape_text(text)}".strip(),
        text=f"{form} {text}".strip(),
        is_numbered=bool(form),
    )


def with_form(heading: Piece, form: str) -> Piece:
    """Return a heading that has no number of a step with one before it."""
    content = f"{form} {_on_one_line(heading.content)}".strip()
    lines = (heading_line(heading.level or 1, content),)
    text = f"{form} {heading.text}".strip()
    return replace(heading, lines=lines, content=content, text=text, is_numbered=True)


def shifted(piece: Piece, levels: int) -> Piece:
    """Return a piece, if it is a heading as one so many levels deeper."""
    if piece.level is None or not levels:
        return piece
    level = piece.level + levels
    if len(piece.lines) == 1 and (opening := _ATX.match(piece.lines[0])):
        line = opening[1] + "#" * level + piece.lines[0][opening.end() :]
    else:
        line = heading_line(level, _on_one_line(piece.content))
    return replace(piece, lines=(line,), level=level)


def heading_line(level: int, content: str) -> str:
    """Return a heading of one line. Marks at its end that would be read as closing it get others that do."""
    return f"{'#' * level} {content}".rstrip() + (" #" if _CLOSING.search(content) else "")


def with_number(heading: Piece, number: int, references: References) -> Piece:
    """Return the heading of a step with another number; all but the digits stays. One whose number cannot be found
    in the Markdown, as its digits are entities or have marks between them, stays as it is."""
    before = split_step_heading(heading.text)
    if before[0] == number:
        return heading
    text = "\n".join(heading.lines)
    start = text.find(heading.content)
    for first, last in _places(heading.content, before[0] or 0):
        content = f"{heading.content[:first]}{number}{heading.content[last:]}"
        if split_step_heading(read_plain(content, references)) == (number, *before[1:]):
            lines = f"{text[:start]}{content}{text[start + len(heading.content) :]}"
            return replace(heading, lines=tuple(lines.split("\n")))
    return heading


def _places(content: str, number: int) -> Iterator[tuple[int, int]]:
    """Yield where the digits of a number stand in a heading's Markdown, first where they most often do."""
    if count_marks(content) > _MAX_MARKS:
        return
    found = [match.span() for match in _NUMBER.finditer(content) if int(match.group()) == number]
    yield from found[:_MAX_LOOKS]


def title_of(heading: Piece, references: References) -> str:
    """Return the Markdown of a step's title: its heading without the number, and without times at its end. What cannot
    be told from marks between, as digits in bold, stays."""
    content = _on_one_line(heading.content)
    number, title, start_ms, _ = split_step_heading(heading.text)
    if start_ms is not None:
        content = without_times(content, heading.text, references)
    return content if number is None else _without([STEP_NUMBER, _MARKED_NUMBER], content, title, references)


def without_times(content: str, text: str, references: References) -> str:
    """Return the Markdown of a step's heading, whose plain text ends in times, without them."""
    text = text.strip()
    number = STEP_NUMBER.match(text)
    form = text[: number.end()] if number else ""
    untimed = f"{form}{split_step_heading(text)[1]}".strip()
    return _without([_TIMES, _MARKED_TIMES], content, untimed, references)


def says_title(paragraph: Piece, heading: Piece, references: References) -> bool:
    """Return whether a paragraph says nothing but the title of a step, but for the mark at its end and the case of
    letters. A title with links, pictures, code or HTML says more than its text."""
    content = "\n".join(paragraph.contents())
    if set(heading.content) & set("[<!`") or count_marks(content) > _MAX_MARKS:
        return False
    said, title = read_plain(content, references), split_step_heading(heading.text)[1]
    return bool(title) and said.rstrip(_END_MARKS).casefold() == title.rstrip(_END_MARKS).casefold()


def as_paragraph(markdown: str) -> str:
    """Return Markdown of one line so that it opens no list, quotation, heading or code block (CommonMark 0.31, 4 and
    5), by a backslash before what is no mark within a line."""
    return _OPENING.sub(r"\g<0>\\", markdown)


def _without(patterns: Sequence[re.Pattern[str]], content: str, text: str, references: References) -> str:
    """Return Markdown without what one of the patterns finds, where its plain text is `text` then; else as it is."""
    if count_marks(content) > _MAX_MARKS:
        return content
    for pattern in patterns:
        for match in islice(pattern.finditer(content), _MAX_LOOKS):
            rest = f"{content[: match.start()]}{content[match.end() :]}".strip()
            if read_plain(rest, references) == text:
                return rest
    return content


def _on_one_line(content: str) -> str:
    return _LINE_BREAK.sub(" ", content)
