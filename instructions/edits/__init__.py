"""Edits of a document by its steps: rename, replace, insert, delete, move, merge and split, without touching Markdown.

What no operation names keeps its bytes, but for the numbers of steps, which are counted anew. All offsets are Unicode
code points, all times milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from instructions.block import Block
from instructions.edits.document import Document, EditRefused, OperationTooComplex
from instructions.edits.operations import (
    DeleteStep,
    InsertStep,
    MergeSteps,
    MoveStep,
    Operation,
    ReplaceBlock,
    SetTitle,
    SplitStep,
)
from instructions.edits.pieces import joined

__all__ = [
    "DeleteStep",
    "EditRefused",
    "Edited",
    "InsertStep",
    "MergeSteps",
    "MoveStep",
    "Operation",
    "OperationTooComplex",
    "ReplaceBlock",
    "SetTitle",
    "SplitStep",
    "apply_operations",
]

Place = tuple[str, bool, int | None, int, int]  # id, whether it is a step, level, first and last offset


@dataclass(frozen=True)
class Edited:
    """The text that operations leave, by block id the spans (milliseconds) that were given for new steps, and by
    that of a merged step the id of the one that it became a part of."""

    markdown: str
    spans: Mapping[str, tuple[int, int]]
    merged: Mapping[str, str]
    document: Document

    def check(self, markdown: str, blocks: Sequence[Block]) -> None:
        """Raise EditRefused unless the text, as it is parsed, has the blocks that the operations put there."""
        found: list[Place] = [
            (block.block_id, block.kind == "step", block.level, block.start_offset, block.end_offset)
            for block in blocks
        ]
        expected = list(_places(self.document))
        if markdown == self.markdown and found == expected:
            return
        wrong = _first_difference(expected, found)
        # What joins another is the one above; else the block itself is not what was expected.
        suspects = [place[0] for place in expected[max(0, wrong - 1) : wrong + 1]]
        touched = [
            self.document.touched[block_id] for block_id in suspects if block_id in self.document.touched
        ]
        raise EditRefused(
            touched[0] if touched else self.document.operation,
            "",
            "joins_neighbour",
            "The text would join what stands beside it, or fall apart there; HTML that is not closed does so.",
        )


def apply_operations(markdown: str, operations: Sequence[Operation], new_id: Callable[[], str]) -> Edited:
    """Return the text of a document after operations, each on what the one before left.

    The text is one that `ensure_markers` has completed. Raises EditRefused, OperationTooComplex for Markdown in
    operations that takes too much work to read.
    """
    document = Document(markdown, new_id)
    for number, operation in enumerate(operations):
        document.operation = number
        operation.apply(document)
    document.drop_unused_definitions()
    document.number_steps()
    left = {piece.block_id for piece in document.pieces}
    spans = {block_id: span for block_id, span in document.spans.items() if block_id in left}
    return Edited(joined(document.pieces), spans, document.merged, document)


def _first_difference(expected: Sequence[Place], found: Sequence[Place]) -> int:
    """Return the index of the first block that is missing or new; if none is, of the first that is not what it should
    be, steps left out: they end elsewhere when a block in them does."""
    ids = [place[0] for place in expected], [place[0] for place in found]
    for index, (one, other) in enumerate(zip_longest(*ids)):
        if one != other:
            return index
    pairs = enumerate(zip(expected, found, strict=True))
    return next((index for index, (one, other) in pairs if one != other and not one[1]), len(expected))


def _places(document: Document) -> Iterator[Place]:
    """Yield what `parse_blocks` should find."""
    starts, ends, at = [], [], 0
    for piece in document.pieces:
        at += len(f"<!-- block:{piece.block_id} -->\n") if piece.block_id else 0
        starts.append(at)
        at += sum(len(line) + 1 for line in piece.lines)
        ends.append(at - 1)
        at += sum(len(line) + 1 for line in piece.blank)
    for index, piece in enumerate(document.pieces):
        if piece.block_id:
            is_step = document.is_step(index)
            last = document.section_end(index) - 1 if is_step else index
            yield piece.block_id, is_step, piece.level, starts[index], ends[last]
