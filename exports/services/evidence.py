"""What an export says of the evidence of its steps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from config.compiled import prepared_cursor
from instructions.models import InstructionVersion
from instructions.services.sources import evidence_of
from jobs.models import TranscriptSegment

# By hand and prepared, for a backfill asks it of each guide. Our own table.
_TIMES = f"""
    SELECT position, start_ms, end_ms FROM {TranscriptSegment._meta.db_table}
    WHERE job_id = %s AND position = ANY(%s::integer[])
"""  # nosec B608


def published_evidence(job_id: UUID, version: InstructionVersion) -> tuple[dict[str, Any], ...]:
    """Return for each step of a version, in the order of the text, what it rests on.

    Segments are given by position and times (ms), never by their words. Frames are given by `pts` alone: with the
    SHA-256 of the video this determines what was shown, and a hash of a frame would let everybody test guesses of what
    is hidden in a picture of it, now or by a later redaction.
    """
    evidence = evidence_of(version)
    positions = {position for found in evidence.values() for position in found.segments}
    spoken = _times_of(job_id, positions) if positions else {}
    unknown = {"start_ms": None, "end_ms": None}
    numbers = {block.block_id: block.number for block in version.read_blocks()}
    return tuple(
        {
            "block_id": block_id,
            "number": numbers[block_id],
            "kind": found.kind.value,
            "start_ms": found.start_ms,
            "end_ms": found.end_ms,
            "needs_review": found.needs_review,
            "segments": [{"position": at, **spoken.get(at, unknown)} for at in found.segments],
            "frames": [{"pts": frame.pts} for frame in found.frames],
        }
        for block_id, found in evidence.items()
    )


def _times_of(job_id: UUID, positions: Collection[int]) -> dict[int, dict[str, int]]:
    cursor = prepared_cursor()
    cursor.execute(_TIMES, [job_id, [*positions]])
    return {position: {"start_ms": start, "end_ms": end} for position, start, end in cursor.fetchall()}
