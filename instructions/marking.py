"""The outline of a text that has just been given its markers, without parsing it a second time."""

from __future__ import annotations

from dataclasses import replace

from instructions.blocks import Outline
from instructions.parser import work_of

_BEGIN, _END = "<!-- block:", " -->"  # of a marker, as `with_markers` writes it
_MARKER_WORK = 50  # of the parser, for a line more that is a marker


def marked_outline(outline: Outline, marked: str) -> Outline | None:
    """Return the outline of `with_markers(outline, …)`, without its text, or None where the parser must look again.

    A marker that is added stands before a block that begins there without it too, so the blocks stay what they are,
    some lines further down. The parser must look where markers go, which may put apart or together what is around
    them, and where the text with its markers might take more work than the parser allows. Lines in tokens stay those
    of the text before.
    """
    if outline.marker_lines != {block.first - 1 for block in outline.blocks if block.block_id}:
        return None
    work = work_of(outline.environment)
    # A line more is read by all that read the lines around it: no more than double the lines, and their work.
    if work is None or 2 * work.done + _MARKER_WORK * len(outline.blocks) > work.limit:
        return None
    lines = marked.split("\n")
    blocks, added = [], 0
    for block in outline.blocks:
        added += not block.block_id
        first = block.first + added
        block_id = lines[first - 1].removeprefix(_BEGIN).removesuffix(_END)
        blocks.append(replace(block, first=first, last=block.last + added, block_id=block_id))
    return Outline(
        lines=lines,
        blocks=blocks,
        marker_lines={block.first - 1 for block in blocks},
        environment=outline.environment,
    )
