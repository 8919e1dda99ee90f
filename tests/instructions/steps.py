"""The steps of a document."""

from __future__ import annotations

from instructions.blocks import Block, parse_blocks


def step_blocks(markdown: str) -> list[Block]:
    """Return the steps alone, in the order of the document."""
    return [block for block in parse_blocks(markdown) if block.kind == "step"]
