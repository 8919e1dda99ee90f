"""Writes of anchors: where a picture stands, and which of its pictures is the active one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from anchors.models import Anchor, Asset
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.storage import Stored
from instructions.models import Instruction, InstructionVersion
from instructions.services.versions import open_document
from jobs.services.audit import by_editor, record_event
from jobs.services.transitions import lock_job

MAX_ANCHORS = 500
"""Of one document: each of them is looked for in each version that is exported, all in some 4 s at worst."""


def get_version(instruction: Instruction, raw_id: object) -> InstructionVersion:
    """Return the version of this instruction that a body names; raises a 400."""
    version = instruction.versions.filter(pk=parse_id(raw_id)).first()
    if version is None:
        raise errors.invalid(
            "instruction_version_id", "This is not a version of the instruction.", code="not_found"
        )
    return version


def check_address(
    version: InstructionVersion, address: dict[str, Any], *, inside: str = ""
) -> dict[str, Any]:
    """Return the anchor's fields for `{block_id}` or `{char_range}`; raises a 400 when the version has no such
    place. `inside` is the path of the body's field that the address stands in, with a dot at its end."""
    if "block_id" in address:
        if str(address["block_id"]) not in {block["block_id"] for block in version.blocks}:
            raise errors.invalid(f"{inside}block_id", "This version has no such block.", code="not_found")
        return {"address_type": Anchor.AddressType.BLOCK_ID, "block_id": address["block_id"]}
    start, end = address["char_range"]["start_offset"], address["char_range"]["end_offset"]
    if not start < end <= len(version.markdown):
        message = "The range is empty or outside the text."
        raise errors.invalid(f"{inside}char_range", message, code="out_of_range")
    return {"address_type": Anchor.AddressType.CHAR_RANGE, "char_start": start, "char_end": end}


def create_anchor(
    *, instruction: Instruction, user: User, instruction_version_id: object, address: dict[str, Any]
) -> Anchor:
    version = get_version(instruction, instruction_version_id)
    fields = check_address(version, address, inside="addressing.")
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        open_document(job, by=by_editor(user))
        anchor = add_anchor(instruction, version, "addressing", **fields)
        record_event(job, "ANCHOR_CREATED", by=by_editor(user), data={"anchor_id": str(anchor.pk)})
    return anchor


def add_anchor(instruction: Instruction, version: InstructionVersion, field: str, **fields: Any) -> Anchor:
    """Make an anchor of a document whose job is locked; raises a 400 for the request's `field` when it has
    `MAX_ANCHORS`."""
    if instruction.anchors.count() >= MAX_ANCHORS:
        raise errors.invalid(
            field,
            f"The document has {MAX_ANCHORS} anchors, which is the most.",
            code="too_many",
            hint="Put the picture on an anchor that is there.",
        )
    return Anchor.objects.create(instruction=instruction, instruction_version=version, **fields)


def add_asset(
    job_id: UUID,
    anchor_id: UUID | None,
    stored: Stored,
    *,
    size: tuple[int, int],
    is_active: bool = True,
    **fields: Any,
) -> Asset:
    """Make the next picture of an anchor (whose job is locked), and the active one; or a picture without an anchor."""
    anchor = Anchor.objects.select_for_update().get(pk=anchor_id) if anchor_id else None
    place = _next_place(anchor) if anchor else {"version": 1}
    asset = Asset.objects.create(
        job_id=job_id,
        **place,
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        width=size[0],
        height=size[1],
        **fields,
    )
    if anchor and is_active:
        _show(anchor, asset)
    return asset


def place_asset(asset: Asset, anchor_id: UUID) -> None:
    """Make a picture that has no anchor the next of one (whose job is locked), and its active one."""
    anchor = Anchor.objects.select_for_update().get(pk=anchor_id)
    place = _next_place(anchor)
    for name, value in place.items():
        setattr(asset, name, value)
    asset.save(update_fields=list(place))
    _show(anchor, asset)


def _next_place(anchor: Anchor) -> dict[str, Any]:
    """Return the fields of the next picture of a locked anchor that say where it stands."""
    previous = anchor.assets.order_by("-version").first()
    version = previous.version + 1 if previous else 1
    return {"anchor": anchor, "version": version, "previous_asset": anchor.active_asset}


def _show(anchor: Anchor, asset: Asset) -> None:
    anchor.active_asset, anchor.updated_at = asset, timezone.now()
    anchor.save(update_fields=["active_asset", "updated_at"])
