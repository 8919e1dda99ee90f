"""The operations that edit a document's steps. A step is its heading and all up to the next of its level or a higher.

Each is applied to what the one before left. What is put in, moved or joined keeps to itself: an open code fence is
closed, a blank line set between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from instructions.complexity import DocumentTooComplex
from instructions.drafting import plain_title
from instructions.edits.document import Document
from instructions.edits.headings import (
    MAX_LEVEL,
    as_paragraph,
    new_heading,
    says_title,
    step_form,
    title_of,
    with_form,
)
from instructions.edits.pieces import Piece

DEFAULT_LEVEL = 2  # of steps in a document without any
FIRST_FORM = "Step 1:"


@dataclass(frozen=True)
class SetTitle:
    """Give a step, or another heading, a title in plain text. Times in the heading go, as rows have them."""

    block_id: str
    title: str

    def apply(self, document: Document) -> None:
        index = document.find(self.block_id, "block_id")
        piece = document.pieces[index]
        if piece.level is None:
            raise document.refusal("block_id", "not_a_step", "This block is neither a step nor a heading.")
        form = step_form(piece) if document.is_step(index) else ""
        title = _checked(self.title, document)
        heading = new_heading(self.block_id, piece.level, form, title)
        document.pieces[index] = replace(heading, blank=piece.blank)
        document.touched[self.block_id] = document.operation


@dataclass(frozen=True)
class ReplaceBlock:
    """Put other Markdown in place of a block, or of a whole step; its first block keeps the id."""

    block_id: str
    markdown: str

    def apply(self, document: Document) -> None:
        index = document.find(self.block_id, "block_id")
        is_step = document.is_step(index)
        end = document.after_section(index) if is_step else index + 1
        known_ids = {piece.block_id for piece in document.pieces[index:end]} - {self.block_id, ""}
        new = document.read(self.markdown, known_ids)
        first = next((at for at, piece in enumerate(new) if piece.block_id), None)
        if first is None:
            raise document.refusal("markdown", "blank", "There is no block in this text.")
        if is_step:
            new = _as_step(document, new, first, document.pieces[index])
        new[first] = replace(new[first], block_id=self.block_id)
        document.take_out(index, end, new)


def _as_step(document: Document, new: list[Piece], first: int, step: Piece) -> list[Piece]:
    """Return the pieces with the heading that they begin with as that of a step, at its level."""
    heading = new[first]
    if heading.level is None:
        raise document.refusal("markdown", "no_heading", "The text of a step begins with a heading.")
    if min(piece.level or MAX_LEVEL for piece in new) < heading.level:
        higher = "A heading in the step is of a higher level than the step's own."
        raise document.refusal("markdown", "heading_level", higher)
    new = document.shift(new, (step.level or 1) - heading.level, "markdown")
    if not heading.is_numbered:
        new[first] = with_form(new[first], step_form(step))
    return new


@dataclass(frozen=True)
class InsertStep:
    """Write a new step after another or, with None, before the first. `span` is its start and end in milliseconds."""

    after: str | None
    title: str
    markdown: str = ""
    span: tuple[int, int] | None = None

    def apply(self, document: Document) -> None:
        at, neighbour = _place(document, self.after)
        level = (neighbour.level if neighbour else None) or DEFAULT_LEVEL
        form = step_form(neighbour) if neighbour else FIRST_FORM
        heading = new_heading(document.new_id(), level, form, _checked(self.title, document))
        body = document.read(self.markdown, set())
        highest = min((piece.level for piece in body if piece.level), default=MAX_LEVEL)
        deeper = max(0, level + 1 - highest)
        body = document.shift(body, deeper, "markdown")
        document.splice(at, at, [heading, *body])
        if self.span:
            document.spans[heading.block_id] = self.span


@dataclass(frozen=True)
class DeleteStep:
    """Take a step out, with what lies in it. Definitions of links stay when other text uses them."""

    block_id: str

    def apply(self, document: Document) -> None:
        index = document.find_step(self.block_id, "block_id")
        document.take_out(index, document.after_section(index))


@dataclass(frozen=True)
class MoveStep:
    """Move a step behind another, whose level it takes, or with None before the first. Definitions of links stay
    where they are, so that none is overruled by another."""

    block_id: str
    after: str | None

    def apply(self, document: Document) -> None:
        index = document.find_step(self.block_id, "block_id")
        end = document.section_end(index)
        if self.after is not None and index <= document.find_step(self.after, "after") < end:
            raise document.refusal("after", "inside_itself", "A step cannot come after itself, or within.")
        if self.after is None and index == document.first_step():
            return
        section = document.pieces[index:end]
        document.splice(index, end, [piece for piece in section if not piece.block_id])
        at, neighbour = _place(document, self.after)
        levels = ((neighbour and neighbour.level) or 0) - (section[0].level or 0)
        moved = [piece for piece in section if piece.block_id]
        document.splice(at, at, document.shift(moved, levels, "after"))


@dataclass(frozen=True)
class MergeSteps:
    """Make one step of several that follow one another: the first heading stays, each of the others becomes a
    paragraph, which keeps the block's id. A paragraph below it that says the same takes its place and its id."""

    block_ids: Sequence[str]

    def apply(self, document: Document) -> None:
        places: list[tuple[int, Piece | None]] = []  # of headings, and what their steps begin with
        level, end = None, 0
        for number, block_id in enumerate(self.block_ids):
            field = f"block_ids.{number}"
            index = document.find_step(block_id, field)
            heading = document.pieces[index]
            between = document.pieces[end:index]
            if number and (index < end or heading.level != level or any(piece.block_id for piece in between)):
                apart = "This step does not follow directly on the one before it in the list."
                raise document.refusal(field, "not_adjacent", apart)
            level, end = heading.level, document.section_end(index)
            places.append((index, document.pieces[index + 1] if index + 1 < end else None))
        for number in range(len(places) - 1, 0, -1):
            _open_up(document, *places[number], f"block_ids.{number}")
            document.merged[self.block_ids[number]] = self.block_ids[0]
        # It may have become a part of another before, and be a step again.
        document.merged.pop(self.block_ids[0], None)


@dataclass(frozen=True)
class SplitStep:
    """Begin a new step before a block that lies directly in a step."""

    block_id: str
    at: str
    title: str

    def apply(self, document: Document) -> None:
        index = document.find_step(self.block_id, "block_id")
        at = document.find(self.at, "at")
        if _step_around(document, at) != index:
            outside = "This block does not lie directly in the step."
            raise document.refusal("at", "not_in_step", outside)
        step = document.pieces[index]
        title = _checked(self.title, document)
        heading = new_heading(document.new_id(), step.level or 1, step_form(step), title)
        document.splice(at, at, [heading])


Operation = SetTitle | ReplaceBlock | InsertStep | DeleteStep | MoveStep | MergeSteps | SplitStep


def _checked(title: str, document: Document) -> str:
    if not any(character.isprintable() and not character.isspace() for character in plain_title(title)):
        raise document.refusal(
            "title", "blank", "Nothing is left of this title without its number and times."
        )
    return title


def _place(document: Document, after: str | None) -> tuple[int, Piece | None]:
    """Return where a step is put in, and the step whose level it takes, if there is one."""
    if after is not None:
        index = document.find_step(after, "after")
        return document.section_end(index), document.pieces[index]
    first = document.first_step()
    if first is not None:
        return first, document.pieces[first]
    blocks = [index for index, piece in enumerate(document.pieces) if piece.block_id]
    return (blocks[-1] + 1 if blocks else len(document.pieces)), None


def _step_around(document: Document, index: int) -> int | None:
    """Return the innermost step around a block; of a step's heading, the one that the step lies in."""
    level = document.pieces[index].level or MAX_LEVEL + 1
    for above in range(index - 1, -1, -1):
        if (document.pieces[above].level or MAX_LEVEL + 1) < level:
            level = document.pieces[above].level or 1
            if document.is_step(above):
                return above
    return None


def _open_up(document: Document, index: int, below: Piece | None, field: str) -> None:
    """Make a paragraph of the heading of a step; `below` is what the step begins with."""
    heading = document.pieces[index]
    if below and below.kind == "paragraph" and says_title(below, heading, document.references):
        document.splice(index, index + 2, [replace(below, block_id=heading.block_id)])
    else:
        document.splice(index, index + 1, _paragraph(document, heading, field))


def _paragraph(document: Document, heading: Piece, field: str) -> list[Piece]:
    """Return the title of a step as a paragraph with the same marks in it, or nothing for an empty one.

    Raises EditRefused for a title that reads otherwise as a paragraph, such as HTML.
    """
    title = title_of(heading, document.references)
    if not title:
        return []
    for markdown in (title, as_paragraph(title)):
        try:
            blocks = document.read_outline(markdown).blocks
        except DocumentTooComplex:
            continue
        if [block.kind for block in blocks] == ["paragraph"] and blocks[0].tokens[1].content == markdown:
            return [Piece(heading.block_id, "paragraph", (markdown,), tokens=blocks[0].tokens)]
    otherwise = (
        "The title of this step would read otherwise as a paragraph. Give it another first, by set_title."
    )
    raise document.refusal(field, "title_reads_otherwise", otherwise)
