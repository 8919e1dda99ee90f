"""What the steps of a version rest on: rows by block id, each valid from its version on until the block has a newer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection
from uuid6 import uuid7

from config.compiled import prepared_cursor
from instructions.block import Block
from instructions.evidence import Evidence, EvidenceKind, Frame
from instructions.models import Instruction, InstructionVersion, StepSource
from instructions.sources import Text, carry_over
from jobs.media.transcripts import Segment
from jobs.models import TranscriptSegment

SOURCE_FIELDS = ("block_id", "kind", "start_ms", "end_ms", "segments", "frames", "needs_review")
_TABLE, _FIELDS = StepSource._meta.db_table, ", ".join(SOURCE_FIELDS)
# By hand and as one value, for the ORM takes longer over the rows of 200 steps than the parser over their text.
# Our own table's name and columns.
_NEWEST = f"""
    SELECT (
        SELECT json_agg(newest) FROM (
            SELECT DISTINCT ON (block_id) {_FIELDS} FROM {_TABLE}
            WHERE instruction_id = asked.instruction_id AND block_id = ANY(asked.block_ids::uuid[])
            AND version <= asked.version ORDER BY block_id, version DESC
        ) AS newest
    )
    FROM unnest(%s::uuid[], %s::integer[], %s::text[])
        WITH ORDINALITY AS asked (instruction_id, version, block_ids, place)
    ORDER BY asked.place
"""  # nosec B608
# Likewise: the job is locked while 5,000 rows may be written.
_INSERT = f"""
    INSERT INTO {_TABLE} (id, instruction_id, version, {_FIELDS})
    SELECT id, %s, %s, {_FIELDS} FROM json_to_recordset(%s) AS source (
        id uuid, block_id uuid, kind text, start_ms integer, end_ms integer, segments integer[], frames jsonb,
        needs_review boolean
    )
"""  # nosec B608


class Carried(dict[str, Evidence]):
    """What the steps of a changed text rest on, by block id, and the rows of `version` that it was made from."""

    def __init__(self, found: Mapping[str, Evidence], *, version: int, rows: Mapping[str, Evidence]) -> None:
        super().__init__(found)
        self.version, self.rows = version, rows


def evidence_of(version: InstructionVersion) -> dict[str, Evidence]:
    """Return by block id what each step of a version rests on."""
    return evidence_of_all([version])[version.pk]


def evidence_of_all(versions: Collection[InstructionVersion]) -> dict[UUID, dict[str, Evidence]]:
    """Return by version what `evidence_of` does, all by one statement."""
    rows = zip(versions, _rows_of(versions), strict=True)
    return {version.pk: _of_steps(version.read_blocks(), found) for version, found in rows}


def _of_steps(blocks: Iterable[Block], rows: Mapping[str, Evidence]) -> dict[str, Evidence]:
    return {
        block.block_id: rows.get(block.block_id) or unrecorded(block)
        for block in blocks
        if block.kind == "step"
    }


def _rows_of(versions: Iterable[InstructionVersion]) -> list[dict[str, Evidence]]:
    return _newest(
        (
            version.instruction_id,
            version.version,
            [block["block_id"] for block in version.blocks if block["kind"] == "step"],
        )
        for version in versions
    )


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


def _newest(asked: Iterable[tuple[UUID, int, Collection[str]]]) -> list[dict[str, Evidence]]:
    """Return by block id, for each (instruction, version, block ids), the newest row up to that version of these
    blocks: a document may have had many more."""
    instructions, versions, block_ids = zip(*asked, strict=True)
    cursor = prepared_cursor()
    # An array of arrays of several lengths is none: those of the blocks are given as text.
    cursor.execute(_NEWEST, [[*instructions], [*versions], [f"{{{','.join(ids)}}}" for ids in block_ids]])
    return [{row["block_id"]: read_source(row) for row in rows or ()} for (rows,) in cursor.fetchall()]


def write_evidence(instruction: Instruction, evidence: Mapping[str, Evidence]) -> None:
    """Write what is new in the version that is being added: the document's job is locked."""
    if isinstance(evidence, Carried) and evidence.version == instruction.version - 1:
        known = evidence.rows
    else:
        (known,) = _newest([(instruction.pk, instruction.version, evidence)])
    new = [
        {"id": str(uuid7()), "block_id": block_id, **vars(found), "frames": found.frames_json()}
        for block_id, found in evidence.items()
        if known.get(block_id) != found
    ]
    if new:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [instruction.pk, instruction.version, json.dumps(new)])


def with_span(block: Block, evidence: Mapping[str, Evidence]) -> Block:
    """Return a block of a text with the span of its step, which stands in no other block."""
    found = evidence.get(block.block_id)
    return replace(block, start_ms=found.start_ms, end_ms=found.end_ms) if found else block


def carried_over(
    newest: InstructionVersion,
    markdown: str,
    blocks: list[Block],
    *,
    kind: EvidenceKind = EvidenceKind.EDITED,
    given: Mapping[str, tuple[int, int]] | None = None,
    merged: Mapping[str, str] | None = None,
) -> dict[str, Evidence]:
    """Return what the steps of a changed text rest on, as they follow from those of the version before."""

    def spoken(positions: Collection[int]) -> dict[int, Segment]:
        segments = TranscriptSegment.objects.filter(
            job__instruction=newest.instruction_id, position__in=positions
        )
        rows = segments.values_list("position", "start_ms", "end_ms", "text")
        return {position: Segment(start_ms, end_ms, text) for position, start_ms, end_ms, text in rows}

    before = Text(newest.markdown, newest.read_blocks())
    (rows,) = _rows_of([newest])
    found = carry_over(
        before,
        _of_steps(before.blocks, rows),
        Text(markdown, blocks),
        spoken=spoken,
        kind=kind,
        given=given or {},
        merged=merged or {},
    )
    return Carried(found, version=newest.version, rows=rows)
