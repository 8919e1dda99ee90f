"""How the evidence of steps follows their blocks through a change of the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from instructions.block import Block
from instructions.evidence import Evidence, EvidenceKind

Spoken = Callable[[Iterable[int]], Mapping[int, str]]
"""Return the text of segments by their position in the transcript; asked for only where a step was split."""


@dataclass(frozen=True)
class Text:
    """A text with its blocks, as `parse_blocks` gives them."""

    markdown: str
    blocks: Sequence[Block]


def carry_over(
    before: Text,
    evidence: Mapping[str, Evidence],
    after: Text,
    *,
    spoken: Spoken,
    kind: EvidenceKind,
    given: Mapping[str, tuple[int, int]],
) -> dict[str, Evidence]:
    """Return by block id what each step of `after` rests on.

    `evidence` is that of the steps of `before`; `kind` is how text that is new in `after` came to be; `given` are
    spans (ms) that were said for new steps.
    """
    found = {}
    for block in after.blocks:
        if block.kind == "step":
            start_ms, end_ms = given.get(block.block_id, (block.start_ms, block.end_ms))
            found[block.block_id] = evidence.get(block.block_id) or Evidence(kind, start_ms, end_ms)
    return found
