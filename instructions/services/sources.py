"""What the steps of a version rest on: rows by block id, each valid from its version on until the block has a newer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from instructions.block import Block
from instructions.evidence import Evidence, EvidenceKind, Frame
from instructions.models import Instruction, InstructionVersion, StepSource
from instructions.sources import Text, carry_over
from jobs.media.transcripts import Segment
from jobs.models import TranscriptSegment

SOURCE_FIELDS = ("block_id", "kind", "start_ms", "end_ms", "segments", "frames", "needs_review")


def evidence_of(version: InstructionVersion) -> dict[str, Evidence]:
    """Return by block id what each step of a version rests on."""
    rows = _newest(version.instruction_id, version.version)
    return {
        block.block_id: rows.get(block.block_id) or unrecorded(block)
        for block in version.read_blocks()
        if block.kind == "step"
    }


def newest_of_each_block(rows: QuerySet[StepSource]) -> QuerySet[StepSource]:
    return rows.order_by("block_id", "-version").distinct("block_id")


def read_source(row: Mapping[str, Any]) -> Evidence:
    """Return what a row says, as a mapping of SOURCE_FIELDS."""
    return Evidence(
        kind=EvidenceKind(row["kind"]),
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        segments=tuple(row["segments"]),
        frames=tuple(Frame(**frame) for frame in row["frames"]),
        needs_review=row["needs_review"],
    )


def unrecorded(step: Block) -> Evidence:
    """Return what a step rests on in a version that is older than the table: the times of its heading."""
    return Evidence(EvidenceKind.EDITED, step.start_ms, step.end_ms)


def _newest(instruction_id: object, version: int) -> dict[str, Evidence]:
    rows = StepSource.objects.filter(instruction_id=instruction_id, version__lte=version)
    return {
        str(row["block_id"]): read_source(row) for row in newest_of_each_block(rows).values(*SOURCE_FIELDS)
    }


def write_evidence(instruction: Instruction, evidence: Mapping[str, Evidence]) -> None:
    """Write what is new in the version that is being added: the document's job is locked."""
    known = _newest(instruction.pk, instruction.version)
    StepSource.objects.bulk_create(
        StepSource(
            instruction=instruction,
            version=instruction.version,
            block_id=block_id,
            kind=new.kind,
            start_ms=new.start_ms,
            end_ms=new.end_ms,
            segments=list(new.segments),
            frames=new.frames_json(),
            needs_review=new.needs_review,
        )
        for block_id, new in evidence.items()
        if known.get(block_id) != new
    )


def with_span(block: Block, evidence: Mapping[str, Evidence]) -> Block:
    """Return a block with the span of its step, which stands in no other block."""
    found = evidence.get(block.block_id)
    return replace(block, start_ms=found and found.start_ms, end_ms=found and found.end_ms)


def carried_over(
    newest: InstructionVersion,
    markdown: str,
    blocks: list[Block],
    *,
    kind: EvidenceKind = EvidenceKind.EDITED,
    given: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, Evidence]:
    """Return what the steps of a changed text rest on, as they follow from those of the version before."""

    def spoken(positions: Collection[int]) -> dict[int, Segment]:
        segments = TranscriptSegment.objects.filter(
            job__instruction=newest.instruction_id, position__in=positions
        )
        rows = segments.values_list("position", "start_ms", "end_ms", "text")
        return {position: Segment(*said) for position, *said in rows}

    before = Text(newest.markdown, newest.read_blocks())
    return carry_over(
        before, evidence_of(newest), Text(markdown, blocks), spoken=spoken, kind=kind, given=given or {}
    )
