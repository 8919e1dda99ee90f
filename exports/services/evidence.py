"""What an export says of the evidence of its steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from instructions.models import InstructionVersion
from instructions.services.sources import evidence_of
from jobs.models import TranscriptSegment


def published_evidence(job_id: UUID, version: InstructionVersion) -> tuple[dict[str, Any], ...]:
    """Return for each step of a version, in the order of the text, what it rests on.

    Segments are given by position and times (ms), never by their words. Frames are given by `pts` alone: with the
    SHA-256 of the video this determines what was shown, and a hash of a frame would let everybody test guesses of what
    is hidden in a picture of it, now or by a later redaction.
    """
    evidence = evidence_of(version)
    positions = {position for found in evidence.values() for position in found.segments}
    segments = TranscriptSegment.objects.filter(job=job_id, position__in=positions) if positions else None
    rows = segments.values_list("position", "start_ms", "end_ms") if segments is not None else ()
    spoken = {position: {"start_ms": start_ms, "end_ms": end_ms} for position, start_ms, end_ms in rows}
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
