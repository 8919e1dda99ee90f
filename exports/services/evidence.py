"""What an export says of the evidence of its steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from config.compiled import prepared_cursor
from instructions.evidence import Evidence
from instructions.models import InstructionVersion
from instructions.services.sources import evidence_of_all
from jobs.models import TranscriptSegment

# By hand and prepared, for a backfill asks it of each guide. Our own table.
_TIMES = f"""
    SELECT job_id, position, start_ms, end_ms
    FROM unnest(%s::uuid[], %s::text[]) AS asked (id, positions)
    JOIN {TranscriptSegment._meta.db_table} ON job_id = asked.id AND position = ANY(asked.positions::integer[])
"""  # nosec B608
_UNKNOWN = {"start_ms": None, "end_ms": None}

Times = Mapping[int, Mapping[str, int | None]]


def published_evidence(versions: Collection[InstructionVersion]) -> dict[UUID, tuple[dict[str, Any], ...]]:
    """Return by version, for each of its steps, in the order of the text, what the step rests on.

    Segments are given by position and times (ms), never by their words. Frames are given by `pts` alone: with the
    SHA-256 of the video this determines what was shown, and a hash of a frame would let everybody test guesses of what
    is hidden in a picture of it, now or by a later redaction.
    """
    evidence = evidence_of_all(versions)
    positions: dict[UUID, set[int]] = {version.job_id: set() for version in versions}
    for version in versions:
        for found in evidence[version.pk].values():
            positions[version.job_id].update(found.segments)
    spoken = _times_of(positions)
    return {
        version.pk: _of_version(version, evidence[version.pk], spoken[version.job_id]) for version in versions
    }


def _of_version(
    version: InstructionVersion, evidence: Mapping[str, Evidence], spoken: Times
) -> tuple[dict[str, Any], ...]:
    numbers = {block["block_id"]: block.get("number") for block in version.blocks}
    return tuple(
        {
            "block_id": block_id,
            "number": numbers[block_id],
            "kind": found.kind.value,
            "start_ms": found.start_ms,
            "end_ms": found.end_ms,
            "needs_review": found.needs_review,
            "segments": [{"position": at, **spoken.get(at, _UNKNOWN)} for at in found.segments],
            "frames": [{"pts": frame.pts} for frame in found.frames],
        }
        for block_id, found in evidence.items()
    )


def _times_of(positions: Mapping[UUID, Collection[int]]) -> dict[UUID, dict[int, dict[str, int | None]]]:
    """Return by job and position when these segments are spoken."""
    asked = {job_id: f"{{{','.join(map(str, found))}}}" for job_id, found in positions.items() if found}
    times: dict[UUID, dict[int, dict[str, int | None]]] = {job_id: {} for job_id in positions}
    if asked:
        cursor = prepared_cursor()
        cursor.execute(_TIMES, [[*asked], [*asked.values()]])
        for job_id, position, start, end in cursor.fetchall():
            times[job_id][position] = {"start_ms": start, "end_ms": end}
    return times
