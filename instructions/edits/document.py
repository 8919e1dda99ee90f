"""The document that edits work on: its pieces, and which of them are steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from markdown_it.common.utils import normalizeReference

from instructions.block import MAX_STEP_NUMBER
from instructions.blocks import Outline, add_text, normalized, read_outline
from instructions.complexity import DocumentTooComplex, check_complexity
from instructions.edits.headings import MAX_LEVEL, References, shifted, with_number
from instructions.edits.pieces import Piece, closed, left_over, read_pieces
from instructions.parser import MAX_WORK, work_of

# What may be the label of a link (CommonMark 0.31, 6.3): brackets without brackets in them.
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){1,999})\]", re.DOTALL)


class EditRefused(ValueError):
    """An operation cannot be carried out, or its result would not be what it should. The message says why.

    `operation` is its number from 0, `field` the dotted path in it (empty for the whole), `code` says what is wrong.
    """

    def __init__(self, operation: int, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.operation, self.field, self.code = operation, field, code


class OperationTooComplex(DocumentTooComplex):
    """The Markdown of an operation takes too much work to read; `operation` is its number from 0."""

    def __init__(self, operation: int, message: str) -> None:
        super().__init__(message)
        self.operation = operation


class Document:
    """A document while operations change it. `new_id` gives the ids of new blocks; `operation` is the number of the
    operation that is at work."""

    def __init__(self, markdown: str, new_id: Callable[[], str]) -> None:
        outline = read_outline(markdown)
        self.pieces = read_pieces(outline)
        if not any(piece.lines for piece in self.pieces):
            self.pieces = []  # blank lines, which the first step would begin with
        self.references: References = outline.environment.get("references", {})
        self.new_id = new_id
        self.operation = -1
        self.spans: dict[str, tuple[int, int]] = {}
        self.merged: dict[str, str] = {}  # the step that another became a part of
        self.touched: dict[str, int] = {}  # the last operation that put something on a block or beside it
        self._gone: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._work_left, self._marks_read = MAX_WORK, outline.marks_read
        self._steps_before = self._count_steps()

    def refusal(self, field: str, code: str, message: str) -> EditRefused:
        return EditRefused(self.operation, field, code, message)

    def find(self, block_id: str, field: str) -> int:
        """Return the index of a block; raise EditRefused for one that is not there, or no longer."""
        if not self._places:
            self._places = {piece.block_id: i for i, piece in enumerate(self.pieces) if piece.block_id}
        if block_id in self._places:
            return self._places[block_id]
        if block_id in self._gone:
            taken = f"Operation {self._gone[block_id]} of this call has taken this block away."
            raise self.refusal(field, "deleted_block", taken)
        raise self.refusal(field, "unknown_block", "The document has no such block.")

    def find_step(self, block_id: str, field: str) -> int:
        """Return the index of the heading of a step; raise EditRefused for another block."""
        index = self.find(block_id, field)
        if not self.is_step(index):
            raise self.refusal(field, "not_a_step", "This block is not a step.")
        return index

    def first_step(self) -> int | None:
        return next((index for index in range(len(self.pieces)) if self.is_step(index)), None)

    def is_step(self, index: int) -> bool:
        """Return whether a piece is the heading of a step. The heading of level 1 that opens a document is its title,
        whatever it reads."""
        piece = self.pieces[index]
        return piece.is_numbered and not (piece.level == 1 and self._opens(index))

    def _count_steps(self) -> int:
        return sum(map(self.is_step, range(len(self.pieces))))

    def _opens(self, index: int) -> bool:
        above = islice(self.pieces, index)
        return not any(piece.block_id and piece.kind != "html" for piece in above)

    def section_end(self, index: int) -> int:
        """Return the index after the last block of the section that a heading opens."""
        level = self.pieces[index].level or 1
        end = index + 1
        for at in range(index + 1, len(self.pieces)):
            if (self.pieces[at].level or 7) <= level:
                break
            end = at + 1 if self.pieces[at].block_id else end
        return end

    def after_section(self, index: int) -> int:
        """Return the index of the first block after a section: the definitions of links below it are its own."""
        end = self.section_end(index)
        while end < len(self.pieces) and not self.pieces[end].block_id:
            end += 1
        return end

    def splice(self, first: int, last: int, new: Sequence[Piece]) -> None:
        """Put pieces in place of those from `first` to `last` (exclusive), and see to it that none joins another."""
        old = self.pieces[first:last]
        self.pieces[first:last] = new
        for edge in (first - 1, first + len(new) - 1):
            if 0 <= edge < len(self.pieces) - 1:
                self.pieces[edge] = closed(self.pieces[edge])
                self.touched[self.pieces[edge].block_id] = self.operation
        self.touched |= {piece.block_id: self.operation for piece in new}
        self._gone |= {piece.block_id: self.operation for piece in old if piece.block_id}
        for piece in new:
            self._gone.pop(piece.block_id, None)
        self._places = {}

    def take_out(self, first: int, last: int, new: Sequence[Piece] = ()) -> None:
        """Put pieces in place of others that are given up, but for the definitions of links in them."""
        self.splice(first, last, [*new, *left_over(self.pieces[first:last])])

    def shift(self, pieces: Sequence[Piece], levels: int, field: str) -> list[Piece]:
        """Return pieces whose headings are so many levels deeper; raise EditRefused below the deepest level."""
        if any(piece.level and piece.level + levels > MAX_LEVEL for piece in pieces):
            too_deep = f"A heading would have to be deeper than level {MAX_LEVEL}."
            raise self.refusal(field, "heading_level", too_deep)
        return [shifted(piece, levels) for piece in pieces]

    def read(self, markdown: str, known_ids: set[str]) -> list[Piece]:
        """Return the pieces of Markdown that an operation brings; a block of it has the id in its marker if that is
        among the known ones, else a new one.

        Raises OperationTooComplex; the Markdown of all operations together may take as much work as a document.
        """
        try:
            outline = self.read_outline(markdown)
        except DocumentTooComplex as error:
            raise OperationTooComplex(self.operation, str(error)) from error
        self._add_text(outline)
        pieces = [closed(piece) for piece in read_pieces(outline) if piece.lines]
        for index, piece in enumerate(pieces):
            if piece.block_id not in known_ids and piece.kind != "definition":
                pieces[index] = replace(piece, block_id=self.new_id())
        return pieces

    def read_outline(self, markdown: str) -> Outline:
        """Return the outline, without text, of Markdown from an operation."""
        check_complexity(markdown)
        outline = read_outline(normalized(markdown), with_text=False, max_work=self._work_left)
        if work := work_of(outline.environment):
            self._work_left -= work.done
        return outline

    def _add_text(self, outline: Outline) -> None:
        """Complete an outline; its links may be defined in the document, and the document's in it."""
        own = outline.environment.get("references", {})
        self.references = {**own, **self.references}
        outline.environment["references"] = self.references
        outline.marks_read = self._marks_read
        add_text(outline)
        self._marks_read = outline.marks_read
        outline.environment["references"] = own

    def drop_unused_definitions(self) -> None:
        """Drop the definitions that are left over of text that is gone, and that no other text uses."""
        if not any(piece.left_over for piece in self.pieces):
            return
        used = {
            normalizeReference(label)
            for piece in self.pieces
            for content in piece.contents()
            for label in _LABEL.findall(content)
        }
        kept, defined = [], set[str]()
        for piece in self.pieces:
            labels = {definition.label for definition in piece.definitions}
            if piece.left_over and not (labels & used - defined):
                continue
            kept.append(piece)
            defined |= labels
        self.pieces = kept

    def number_steps(self) -> None:
        """Number the steps anew, as `validation` counts them: those within a step on their own.

        Raises EditRefused when operations make more steps than can be numbered; of a text that had more the others
        stay as they are.
        """
        last_numbers = {0: 0}  # by the level of the step around them; 0 is the document
        for index, piece in enumerate(self.pieces):
            if piece.level is None:
                continue
            last_numbers = {level: number for level, number in last_numbers.items() if level < piece.level}
            if not self.is_step(index):
                continue
            around = max(last_numbers)
            number = last_numbers[around] = last_numbers[around] + 1
            last_numbers[piece.level] = 0
            if number > MAX_STEP_NUMBER:
                if self._count_steps() > self._steps_before:
                    raise self.refusal("", "too_many_steps", f"A guide has at most {MAX_STEP_NUMBER} steps.")
                continue
            self.pieces[index] = with_number(piece, number, self.references)
