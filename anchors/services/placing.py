"""Putting an anchor that was not found in the newest version on one of its blocks, by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from anchors.models import AnchorResolution
from anchors.resolve import Resolver
from anchors.services.anchors import check_address
from anchors.services.resolutions import sources_of, text_of
from config.api import errors
from instructions.models import Instruction, InstructionVersion
from instructions.services.versions import require_document
from jobs.services.audit import Attribution, record_event
from jobs.services.transitions import lock_job

State = AnchorResolution.State


def place_anchor(*, resolution: AnchorResolution, block_id: UUID, by: Attribution) -> AnchorResolution:
    """Put an unresolved anchor on a block of the version that it was looked for in, and return its resolution.

    Exports of the version that are asked for later show its picture there, and in later versions it is looked for from
    there. The trace says how alike the block is to what the anchor stood on.

    Raises a 400 for a block that is not of this version, and a 409 when the version is not the newest any more, the
    anchor was placed meanwhile, or the job has no open document.
    """
    version = InstructionVersion.objects.select_related("instruction").get(pk=resolution.target_version_id)
    place = {"block_id": str(block_id)}
    check_address(version, place)
    trace = _trace(resolution, version, place)
    with transaction.atomic():
        job = lock_job(version.instruction.job_id)
        require_document(job)
        _require_newest(version)
        row = AnchorResolution.objects.get(pk=resolution.pk)
        if row.state != State.UNRESOLVED:
            raise errors.conflict(
                "FSM_TRANSITION_INVALID",
                "The anchor has its place in this version already.",
                current_status=row.state,
                attempted_status=State.REMAP,
                allowed_next_statuses=[],
            )
        row.state, row.addressing, row.trace = State.REMAP, {"address_type": "block_id", **place}, trace
        row.save(update_fields=["state", "addressing", "trace"])
        told = {"anchor_id": str(row.anchor_id), "instruction_version_id": str(version.pk), **place}
        record_event(job, "ANCHOR_PLACED", by=by, data=told)
    return row


def _trace(
    resolution: AnchorResolution, version: InstructionVersion, place: dict[str, str]
) -> dict[str, Any]:
    """Return the trace of a resolution that is placed: where the anchor came from stays."""
    source = sources_of([resolution.anchor], version)[resolution.anchor_id]
    texts = text_of(InstructionVersion.objects.get(pk=source.version_id)), text_of(version)
    score = Resolver(*texts).likeness(source.addressing, place["block_id"])
    return resolution.trace | {"method": AnchorResolution.BY_HAND, "score": round(score, 4), "to": place}


def _require_newest(version: InstructionVersion) -> None:
    """Raise a 409 unless this is the newest version of a document whose job is locked."""
    newest = Instruction.objects.values_list("version", flat=True).get(pk=version.instruction_id)
    if newest != version.version:
        raise errors.conflict(
            "VERSION_CONFLICT",
            "The document has a newer version.",
            hint="Look for the anchor among those that are not found in that one.",
            base_version=version.version,
            current_version=newest,
        )
