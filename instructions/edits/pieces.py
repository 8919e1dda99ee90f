"""A document as a list of pieces, which edits put in another order: its blocks, and the definitions of links between.

A piece is moved, taken out and put in with all its lines. What is read and joined again is the same text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from markdown_it.token import Token

from instructions.blocks import Outline, TopLevel, ended, split_step_heading


@dataclass(frozen=True)
class Definition:
    """A definition of a link (CommonMark 0.31, 4.7): its label as labels are compared, its target and its title."""

    label: str
    href: str
    title: str


@dataclass(frozen=True)
class Piece:
    """A block without its marker or, without an id, a definition of a link; and the blank lines below it.

    `content` (Markdown) and `text` (plain) are those of a heading. `closing` is the fence that an open code block
    lacks. A definition that is `left_over` belongs to text that is gone.
    """

    block_id: str
    kind: str
    lines: tuple[str, ...]
    blank: tuple[str, ...] = ("",)
    level: int | None = None
    content: str = ""
    text: str = ""
    is_numbered: bool = False
    closing: str = ""
    definitions: tuple[Definition, ...] = ()
    left_over: bool = False
    tokens: Sequence[Token] = field(default=(), repr=False, compare=False)

    def contents(self) -> Iterator[str]:
        """Yield the Markdown of the texts in the piece, as of a heading, a paragraph, or a cell of a table."""
        if self.level is not None:
            yield self.content
        else:
            yield from (token.content for token in self.tokens if token.type == "inline")


def read_pieces(outline: Outline) -> list[Piece]:
    """Return the pieces of a text whose outline with its text is known. Markers are left out."""
    first_lines = [block.first for block in outline.blocks]
    inside: dict[int, list[Definition]] = {}
    spans: list[tuple[int, int, TopLevel | Definition]] = []
    for first, last, definition in _definitions(outline):
        index = bisect_right(first_lines, first) - 1
        if index >= 0 and first < outline.blocks[index].last:
            inside.setdefault(index, []).append(definition)
        else:
            spans.append((first, last, definition))
    spans += [(block.first, block.last, block) for block in outline.blocks]
    spans.sort(key=lambda span: span[0])
    nested = {id(outline.blocks[index]): tuple(found) for index, found in inside.items()}
    starts = [*(span[0] for span in spans), len(outline.lines)]
    pieces = []
    if above := _unmarked(outline, 0, starts[0]):
        pieces.append(Piece("", "blank", (), above))
    for (first, last, found), end in zip(spans, starts[1:], strict=True):
        lines, blank = tuple(outline.lines[first:last]), _unmarked(outline, last, end)
        if isinstance(found, Definition):
            pieces.append(Piece("", "definition", lines, blank, definitions=(found,)))
        else:
            pieces.append(_block(found, lines, blank, nested.get(id(found), ())))
    return pieces


def joined(pieces: Iterable[Piece]) -> str:
    """Return the text of pieces, each block below its marker."""
    lines: list[str] = []
    for piece in pieces:
        if piece.block_id:
            lines.append(f"<!-- block:{piece.block_id} -->")
        lines += [*piece.lines, *piece.blank]
    return ended(lines)


def closed(piece: Piece) -> Piece:
    """Return a piece that another may follow: with a blank line at its end, and the fence that it lacks."""
    closing = (piece.closing,) if piece.closing else ()
    return replace(piece, lines=piece.lines + closing, closing="", blank=piece.blank or ("",))


def left_over(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the definitions of links in pieces that are taken out, each as a piece that may stay."""
    found = []
    for piece in pieces:
        if not piece.block_id:
            found.append(replace(closed(piece), left_over=True))
            continue
        for definition in piece.definitions:
            lines = (_written(definition),)
            found.append(Piece("", "definition", lines, definitions=(definition,), left_over=True))
    return found


def _block(
    block: TopLevel, lines: tuple[str, ...], blank: tuple[str, ...], inside: tuple[Definition, ...]
) -> Piece:
    is_heading = block.level is not None
    return Piece(
        block_id=block.block_id,
        kind=block.kind,
        lines=lines,
        blank=blank,
        level=block.level,
        content=block.tokens[1].content if is_heading else "",
        text=(block.text or "") if is_heading else "",
        is_numbered=is_heading and split_step_heading(block.text or "")[0] is not None,
        closing=_missing_fence(block.tokens[0], lines),
        definitions=inside,
        tokens=block.tokens,
    )


def _missing_fence(token: Token, lines: Sequence[str]) -> str:
    """Return the fence that ends a code block (CommonMark, 4.5) when it has none; it goes on to the end of the text."""
    if token.type != "fence":
        return ""
    closing = rf" {{0,3}}{re.escape(token.markup)}{re.escape(token.markup[0])}*[ \t]*"
    return "" if len(lines) > 1 and re.fullmatch(closing, lines[-1]) else token.markup


def _unmarked(outline: Outline, first: int, last: int) -> tuple[str, ...]:
    return tuple(outline.lines[line] for line in range(first, last) if line not in outline.marker_lines)


def _definitions(outline: Outline) -> Iterator[tuple[int, int, Definition]]:
    """Yield the lines (the last exclusive) of each definition, and what it says."""
    for label, found in outline.environment.get("references", {}).items():
        yield *found["map"], Definition(label, found["href"], found["title"])
    for found in outline.environment.get("duplicate_refs", ()):
        yield *found["map"], Definition(found["label"], found["href"], found["title"])


def _written(definition: Definition) -> str:
    """Return the definition on a line of its own, for one that stood in a quotation or a list."""
    title = re.sub(r'[\\"&<]', r"\\\g<0>", " ".join(definition.title.split()))
    return f"[{definition.label}]: <{definition.href}>" + (f' "{title}"' if title else "")
