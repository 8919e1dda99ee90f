"""A block of an instruction, as rows and answers have it; how it is found in a text: `blocks`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_STEP_NUMBER = 999  # what is read as the number of a step has three digits


@dataclass(frozen=True)
class Block:
    """A top-level block, or a whole step; offsets leave out the marker and the last line's newline.

    `block_id` is empty for a block without a marker of its own. `title` is set for headings and steps: plain
    text, without number and times. `number` is that of a step's heading.
    """

    block_id: str
    kind: str
    title: str | None
    start_offset: int
    end_offset: int
    start_ms: int | None
    end_ms: int | None
    level: int | None = None
    number: int | None = None


def innermost_steps(blocks: Sequence[Block]) -> list[Block | None]:
    """Return for each block the innermost step that it stands in, None for one outside of all steps.

    The heading of a step stands in that step. `blocks` are all of a text, in its order.
    """
    around: list[Block] = []
    found: list[Block | None] = []
    for block in blocks:
        while around and block.start_offset >= around[-1].end_offset:
            around.pop()
        if block.kind == "step":
            around.append(block)
        found.append(around[-1] if around else None)
    return found
