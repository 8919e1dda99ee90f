"""How the evidence of steps follows their blocks through a change of the text.

Every block belongs to the innermost step that it stands in. What a step rests on goes where its blocks are after the
change: all of it to one step, or divided among several by the words of its segments (see `alignment`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from instructions.alignment import divide, plain
from instructions.block import Block, innermost_steps
from instructions.blocks import heading_text, split_step_heading
from instructions.evidence import Evidence, EvidenceKind
from jobs.media.transcripts import Segment

Spoken = Callable[[Collection[int]], Mapping[int, Segment]]
"""Return segments by their position in the transcript; asked for only where a step was split."""

MAX_PAIRS = 100_000
"""The number of pairs (a part of a step, something it may rest on) that are looked at in one change, some 0.1 s. What
is split beyond it stays with the first part, and the others get the span alone."""

_FIRST_OF_KINDS = (EvidenceKind.EDITED, EvidenceKind.GENERATED, EvidenceKind.SHOWN, EvidenceKind.SAID)


@dataclass(frozen=True)
class Text:
    """A text with its blocks, as `parse_blocks` gives them."""

    markdown: str
    blocks: Sequence[Block]

    @cached_property
    def steps(self) -> list[Block | None]:
        """Return for each block the innermost step that it stands in."""
        return innermost_steps(self.blocks)


@dataclass
class _Part:
    """The blocks of a former step that followed one another and stand in one step now, and their former text."""

    step_id: str
    texts: list[str] = field(default_factory=list)


def carry_over(
    before: Text,
    evidence: Mapping[str, Evidence],
    after: Text,
    *,
    spoken: Spoken,
    kind: EvidenceKind,
    given: Mapping[str, tuple[int, int]],
    merged: Mapping[str, str] | None = None,
) -> dict[str, Evidence]:
    """Return by block id what each step of `after` rests on.

    `evidence` is that of the steps of `before`; `kind` is how text that is new in `after` came to be; `given` are
    spans (ms) that were said for new steps; `merged` says which step another became a part of, as one of which no
    block is left goes there all the same. A step whose text changed, but for its number, its times and white space,
    has that kind. One that has nothing of a former step has no segments, and the times of its heading. Times that the
    change wrote into a heading are taken; those that stood there before are not, as rows are more exact.
    """
    inherited = _inherited(evidence, _parts(before, after, merged or {}), spoken)
    written = _written(before, after)
    spans: dict[str, tuple[int, int | None]] = {**_times_written(before, after), **given}
    found = {}
    for block in after.blocks:
        if block.kind != "step":
            continue
        carried = _joined(inherited.get(block.block_id, ())) or Evidence(kind)
        if block.block_id in written:
            is_reviewed = kind == EvidenceKind.EDITED
            carried = replace(carried, kind=kind, needs_review=carried.needs_review and not is_reviewed)
        if block.block_id in spans:
            start_ms, end_ms = spans[block.block_id]
            carried = replace(carried, start_ms=start_ms, end_ms=end_ms)
        found[block.block_id] = carried
    return found


def _text(block: Block, markdown: str) -> str:
    """Return a block's own text; of a heading its title, without number and times."""
    return markdown[block.start_offset : block.end_offset] if block.title is None else block.title


def _inherited(
    evidence: Mapping[str, Evidence], former: Mapping[str, list[_Part]], spoken: Spoken
) -> dict[str, list[Evidence]]:
    """Return by block id what each step takes over, a piece of each former step that it has blocks of."""
    split: dict[str, list[_Part]] = {}
    found: dict[str, list[Evidence]] = {}
    pairs = 0
    for former_id, parts in former.items():
        whole = evidence[former_id]
        if len({part.step_id for part in parts}) == 1:
            found.setdefault(parts[0].step_id, []).append(whole)
            continue
        pairs += len(parts) * (len(whole.segments) + len(whole.frames))
        if pairs <= MAX_PAIRS:
            split[former_id] = parts
        else:
            for number, part in enumerate(parts):
                share = whole if number == 0 else replace(whole, segments=(), frames=())
                found.setdefault(part.step_id, []).append(share)
    positions = {position for former_id in split for position in evidence[former_id].segments}
    said = spoken(positions) if positions else {}
    for former_id, parts in split.items():
        for step_id, share in _shares(evidence[former_id], parts, said).items():
            found.setdefault(step_id, []).append(share)
    return found


def _parts(before: Text, after: Text, merged: Mapping[str, str]) -> dict[str, list[_Part]]:
    """Return by block id of a former step its parts that are left in steps, in the order in which they stood."""
    now = {
        block.block_id: step.block_id for block, step in zip(after.blocks, after.steps, strict=True) if step
    }
    found: dict[str, list[_Part]] = {}
    for block, step in zip(before.blocks, before.steps, strict=True):
        if step is None or block.block_id not in now:
            continue
        parts = found.setdefault(step.block_id, [])
        if not parts or parts[-1].step_id != now[block.block_id]:
            parts.append(_Part(now[block.block_id]))
        parts[-1].texts.append(_text(block, before.markdown))
    steps = {block.block_id for block in after.blocks if block.kind == "step"}
    for block in before.blocks:
        target = block.block_id
        while target in merged and target not in steps:
            target = merged[target]
        if block.kind == "step" and block.block_id not in found and target in steps:
            found[block.block_id] = [_Part(target)]
    return found


def _shares(whole: Evidence, parts: Sequence[_Part], said: Mapping[int, Segment]) -> dict[str, Evidence]:
    """Return by block id of the steps that a step was split into what each takes over.

    The segments are divided among them; a step to which none falls, or all when the words do not tell, takes it all.
    """
    chosen = None
    if all(position in said for position in whole.segments):
        texts = [" ".join(part.texts) for part in parts]
        chosen = divide(texts, [said[position].text for position in whole.segments])
    taken: dict[str, list[int]] = {part.step_id: [] for part in parts}
    for position, at in zip(whole.segments, chosen or (), strict=chosen is not None):
        taken[parts[at].step_id].append(position)
    shares = {}
    for step_id, positions in taken.items():
        share = replace(whole, segments=tuple(positions)) if positions else whole
        if positions and whole.start_ms is not None:
            first, last = _span(whole.start_ms, whole.end_ms, [said[at] for at in positions])
            share = replace(
                share,
                start_ms=whole.start_ms if step_id == parts[0].step_id else first,
                end_ms=whole.end_ms if step_id == parts[-1].step_id else last,
            )
        shares[step_id] = share
    return shares


def _span(start_ms: int, end_ms: int | None, segments: Sequence[Segment]) -> tuple[int, int]:
    """Return the span of segments within that of the step that they are of."""

    def inside(time_ms: int) -> int:
        return max(start_ms, time_ms if end_ms is None else min(time_ms, end_ms))

    return (
        inside(min(segment.start_ms for segment in segments)),
        inside(max(segment.end_ms for segment in segments)),
    )


def _joined(shares: Sequence[Evidence]) -> Evidence | None:
    """Return what a step rests on that takes over several pieces: their union; None for none."""
    if len(shares) < 2:
        return shares[0] if shares else None
    starts = [share.start_ms for share in shares if share.start_ms is not None]
    ends = [share.end_ms for share in shares if share.end_ms is not None]
    start_ms = min(starts, default=None)
    end_ms = max([*starts, *ends], default=None)
    return Evidence(
        kind=min((share.kind for share in shares), key=_FIRST_OF_KINDS.index),
        start_ms=start_ms,
        end_ms=end_ms if ends or end_ms != start_ms else None,
        segments=tuple(sorted({position for share in shares for position in share.segments})),
        frames=tuple(sorted({frame for share in shares for frame in share.frames})),
        needs_review=any(share.needs_review for share in shares),
    )


def _written(before: Text, after: Text) -> set[str]:
    """Return the block ids of the steps with text that is not as it was, but for its last mark and capitals."""
    former = {block.block_id: _text(block, before.markdown) for block in before.blocks}
    found = set()
    for block, step in zip(after.blocks, after.steps, strict=True):
        if step and step.block_id not in found:
            text, old = _text(block, after.markdown), former.get(block.block_id)
            if old is None or (old != text and _bare(old) != _bare(text)):
                found.add(step.block_id)
    return found


def _bare(text: str) -> str:
    return plain(text).rstrip(" .!?…:;,").casefold()


def _times_written(before: Text, after: Text) -> dict[str, tuple[int, int | None]]:
    """Return by block id the times (ms) that stand in headings now and did not before the change."""
    former = {block.block_id: number for number, block in enumerate(before.blocks)}
    found = {}
    for number, block in enumerate(after.blocks):
        if block.kind == "step" and block.start_ms is not None:
            old = _heading(before, former.get(block.block_id))
            times = (block.start_ms, block.end_ms)
            if old != _heading(after, number) and split_step_heading(heading_text(old))[2:] != times:
                found[block.block_id] = times
    return found


def _heading(text: Text, number: int | None) -> str:
    """Return the text from a heading to the next block; empty for no block."""
    if number is None:
        return ""
    block, end = text.blocks[number], text.blocks[number].end_offset
    if number + 1 < len(text.blocks):
        end = min(end, text.blocks[number + 1].start_offset)
    return text.markdown[block.start_offset : end]
