"""A block of an instruction, as rows and answers have it; how it is found in a text: `blocks`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A top-level block, or a whole step; offsets leave out the marker and the last line's newline.

    `block_id` is empty for a block without a marker of its own. `title` is set for headings and steps: plain
    text, without number and times.
    """

    block_id: str
    kind: str
    title: str | None
    start_offset: int
    end_offset: int
    start_ms: int | None
    end_ms: int | None
    level: int | None = None
