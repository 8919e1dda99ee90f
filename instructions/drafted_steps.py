"""What the steps of a draft rest on: as the draft says, else by the times that stand in their headings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from instructions.alignment import plain
from instructions.block import Block
from instructions.blocks import split_step_heading
from instructions.evidence import Evidence, EvidenceKind, Frame
from jobs.artifact_updates import MAX_DRAFT_SEGMENTS, UpdateInvalid

Times = tuple[int, int]


def drafted_evidence(
    blocks: Sequence[Block], entries: Sequence[Mapping[str, Any]], spoken: Callable[[], Sequence[Times]]
) -> dict[str, Evidence]:
    """Return by block id what each step of a draft's text rests on.

    `entries` are the draft's `steps`, checked; `spoken` returns when each segment of the transcript begins and ends
    (ms), by position. A step whose segments are not said rests on those that overlap its span. Raises UpdateInvalid.
    """
    steps = [block for block in blocks if block.kind == "step"]
    entry_of = _matched(steps, entries)
    spans = {
        step.block_id: (entry["start_ms"], entry["end_ms"]) if entry else (step.start_ms, step.end_ms)
        for step in steps
        for entry in [entry_of.get(step.block_id)]
    }
    segments = {block_id: entry["segments"] for block_id, entry in entry_of.items() if "segments" in entry}
    timed = [block_id for block_id in spans if block_id not in segments and spans[block_id][0] is not None]
    if timed or any(segments.values()):
        times = spoken()
        _check_positions(entries, len(times))
        room = MAX_DRAFT_SEGMENTS - sum(map(len, segments.values()))
        overlapping = _overlapping([spans[block_id] for block_id in timed], times, room)
        if overlapping is None:
            message = f"the steps rest on more than {MAX_DRAFT_SEGMENTS} segments"
            raise UpdateInvalid("steps" if entries else "markdown", message)
        segments |= dict(zip(timed, overlapping, strict=True))
    return {
        block_id: Evidence(
            _kind_of(entry_of.get(block_id, {}), segments.get(block_id, ())),
            start_ms,
            end_ms,
            segments=tuple(sorted(set(segments.get(block_id, ())))),
            frames=tuple(sorted({Frame(**frame) for frame in entry_of.get(block_id, {}).get("frames", ())})),
            needs_review=entry_of.get(block_id, {}).get("needs_review", False),
        )
        for block_id, (start_ms, end_ms) in spans.items()
    }


def _kind_of(entry: Mapping[str, Any], segments: Sequence[int]) -> EvidenceKind:
    """Return how a step is known: what is said counts before what is shown, and the frames stand beside it."""
    return EvidenceKind.SHOWN if entry.get("frames") and not segments else EvidenceKind.SAID


def _matched(steps: Sequence[Block], entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the entry of each step that has one: of the first step with its heading after the one before."""
    found = {}
    left = iter(steps)
    for number, entry in enumerate(entries):
        names = _names(entry["heading"])
        step = next((step for step in left if _folded(step.title or "") in names), None)
        if step is None:
            message = "the markdown has no step with this heading after those of the steps before"
            raise UpdateInvalid(f"steps.{number}.heading", message)
        found[step.block_id] = entry
    return found


def _names(heading: str) -> set[str]:
    """Return what a heading may be called: as it is written, and without its number and times."""
    number, title, *_ = split_step_heading(heading)
    if number is None:
        title = split_step_heading(f"1. {heading}")[1]
    return {_folded(heading), _folded(title)}


def _folded(title: str) -> str:
    return plain(title).casefold()


def _check_positions(entries: Sequence[Mapping[str, Any]], number_of_segments: int) -> None:
    for number, entry in enumerate(entries):
        for at, position in enumerate(entry.get("segments", ())):
            if position >= number_of_segments:
                message = f"the transcript that is stored has {number_of_segments} segments"
                raise UpdateInvalid(f"steps.{number}.segments.{at}", message)


def _overlapping(spans: Sequence[Any], times: Sequence[Times], room: int) -> list[list[int]] | None:
    """Return for each span the positions of the segments that overlap it, ascending; None for over `room` in all.

    A moment lasts a millisecond. The spans are swept over in the order in which they begin, with the segments that
    last there in a heap: the time is that of sorting and of what is found.
    """
    starts = [start_ms for start_ms, _ in times]
    found: list[list[int]] = [[]] * len(spans)
    lasting: list[Times] = []  # (end, position)
    begun = 0
    for number in sorted(range(len(spans)), key=lambda number: spans[number][0]):
        start_ms, end_ms = spans[number]
        until = bisect_left(starts, start_ms)
        for position in range(begun, until):
            heappush(lasting, (max(times[position][1], times[position][0] + 1), position))
        begun = max(begun, until)
        while lasting and lasting[0][0] <= start_ms:
            heappop(lasting)
        inside = range(until, bisect_left(starts, max(start_ms + 1, end_ms or 0)))
        room -= len(lasting) + len(inside)
        if room < 0:
            return None
        found[number] = [*sorted(position for _, position in lasting), *inside]
    return found
