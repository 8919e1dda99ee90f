"""Writes of anchors and pictures: put an anchor, take a frame out of the video, annotate."""

from __future__ import annotations

import hashlib
import io
from typing import Any, cast
from uuid import UUID

import rfc8785
from django.db import transaction
from django.utils import timezone
from PIL import Image

from anchors.frames import MIME_TYPES, ImageFormat, Strategy, TimestampOutOfRange, encode_image, grab_frame
from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.render import OperationsInvalid, normalise_operations, ops_hash, render_annotations
from config.api import errors, request_id
from config.api.ownership import parse_id
from config.api.storage import Stored, kept_folder, read_bytes, storage
from instructions.blocks import parse_blocks
from instructions.models import Instruction, InstructionVersion
from instructions.services import open_document
from jobs.models import Job, User
from jobs.probe import UnreadableVideo
from jobs.services.transitions import SYSTEM, By, by_editor, lock_job, record_event
from jobs.videos import newest, video_path
from jobs.work import Lease, WorkFailed

MAX_PICTURE_BYTES = 64 * 2**20
Operation = ScreenshotTask.Operation


def get_version(instruction: Instruction, raw_id: object) -> InstructionVersion:
    """The version of this instruction that a body names; raises a 400."""
    version = instruction.versions.filter(pk=parse_id(raw_id)).first()
    if version is None:
        raise errors.invalid(
            "instruction_version_id", "This is not a version of the instruction.", code="not_found"
        )
    return version


def check_address(version: InstructionVersion, address: dict[str, Any]) -> dict[str, Any]:
    """The anchor's fields for `{block_id}` or `{char_range}`; raises a 400 when it is not in the version."""
    if "block_id" in address:
        if str(address["block_id"]) not in {block.block_id for block in parse_blocks(version.markdown)}:
            raise errors.invalid("block_id", "This version has no such block.", code="not_found")
        return {"address_type": Anchor.AddressType.BLOCK_ID, "block_id": address["block_id"]}
    start, end = address["char_range"]["start_offset"], address["char_range"]["end_offset"]
    if not start < end <= len(version.markdown):
        raise errors.invalid("char_range", "The range is empty or outside the text.", code="out_of_range")
    return {"address_type": Anchor.AddressType.CHAR_RANGE, "char_start": start, "char_end": end}


def create_anchor(
    *,
    instruction: Instruction,
    user: User,
    instruction_version_id: object,
    address: dict[str, Any],
    strategy: str,
) -> Anchor:
    version = get_version(instruction, instruction_version_id)
    fields = check_address(version, address)
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        open_document(job, by=by_editor(user))
        anchor = Anchor.objects.create(
            instruction=instruction, instruction_version=version, strategy=strategy, **fields
        )
        record_event(job, "ANCHOR_CREATED", by=by_editor(user), data={"anchor_id": str(anchor.pk)})
    return anchor


def extract_screenshot(*, job: Job, user: User, body: dict[str, Any]) -> tuple[ScreenshotTask, bool]:
    """A task that takes one picture; answers (task, replayed). The same picture is the same task."""
    instruction = Instruction.objects.filter(job=job, pk=parse_id(body["instruction_id"])).first()
    if instruction is None:
        raise errors.invalid("instruction_id", "This is not the instruction of the job.", code="not_found")
    version = get_version(instruction, body["instruction_version_id"])
    address: dict[str, Any] = {
        name: body[name] for name in ("anchor_id", "block_id", "char_range") if name in body
    }
    anchor = _get_anchor(instruction, address)
    fields = check_address(version, address) if address and not anchor else {}
    at_ms = body["timestamp_ms"] + body["offset_ms"]
    _require_inside_video(job, at_ms)
    key = extraction_key(job, version, address, body)
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        if known := _known_task(job, key, body.get("idempotency_key")):
            return _start_again(known)
        if fields:
            anchor = Anchor.objects.create(
                instruction=instruction, instruction_version=version, strategy=body["strategy"], **fields
            )
        task = ScreenshotTask.objects.create(
            job=job,
            status=ScreenshotTask.WAITING,
            operation=Operation.EXTRACT,
            instruction_version=version,
            anchor=anchor,
            at_ms=at_ms,
            strategy=body["strategy"],
            image_format=body["format"],
            extraction_key=key,
            idempotency_key=body.get("idempotency_key"),
            correlation_id=request_id.current(),
        )
        record_event(job, "SCREENSHOT_REQUESTED", by=by_editor(user), data={"task_id": str(task.pk)})
        task.ring()
    return task, False


def _get_anchor(instruction: Instruction, address: dict[str, Any]) -> Anchor | None:
    if "anchor_id" not in address:
        return None
    anchor = instruction.anchors.filter(pk=parse_id(address["anchor_id"])).first()
    if anchor is None:
        raise errors.invalid("anchor_id", "This instruction has no such anchor.", code="not_found")
    return anchor


def _require_inside_video(job: Job, at_ms: int) -> None:
    duration = (newest(job, "video").data or {}).get("duration_ms")
    if at_ms < 0 or (duration is not None and at_ms > duration):
        raise errors.invalid(
            "timestamp_ms", f"The video lasts from 0 to {duration} ms.", code="TIMESTAMP_OUT_OF_RANGE"
        )


def extraction_key(
    job: Job, version: InstructionVersion, address: dict[str, Any], body: dict[str, Any]
) -> str:
    """SHA-256 of the canonical JSON (RFC 8785) of what determines the picture and its place."""
    content = {
        "job_id": str(job.pk),
        "instruction_version_id": str(version.pk),
        "address": {
            name: value if isinstance(value, dict) else str(value) for name, value in address.items()
        },
        **{name: body[name] for name in ("timestamp_ms", "offset_ms", "strategy", "format")},
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _known_task(job: Job, key: str, idempotency_key: str | None) -> ScreenshotTask | None:
    if idempotency_key:
        task = ScreenshotTask.objects.filter(job=job, idempotency_key=idempotency_key).first()
        if task and task.extraction_key != key:
            raise errors.conflict("IDEMPOTENCY_KEY_REUSED", "This key was used for another picture.")
    return ScreenshotTask.objects.select_for_update().filter(extraction_key=key).first()


def _start_again(task: ScreenshotTask) -> tuple[ScreenshotTask, bool]:
    if task.status != ScreenshotTask.FAILED:
        return task, True
    task.reopen()
    return task, False


def perform_extraction(task: ScreenshotTask, lease: Lease) -> None:
    """Take the frame, keep its bytes under their SHA-256, then write the row."""
    try:
        with video_path(task.job, lease.report) as video:
            frame = grab_frame(video, task.at_ms, strategy=cast(Strategy, task.strategy))
    except TimestampOutOfRange as error:
        raise WorkFailed("TIMESTAMP_OUT_OF_RANGE", "The video has no picture at this time.") from error
    except UnreadableVideo as error:
        raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
    lease.check()
    image_format = cast(ImageFormat, task.image_format)
    content = encode_image(frame.image, image_format)
    stored = storage().save_bytes(kept_folder(task.job_id), content, suffix=f".{image_format}")
    with lease.hold(before=lambda: lock_job(task.job_id)):
        asset = _add_asset(
            task.job_id,
            task.anchor_id,
            stored,
            kind=Asset.Kind.EXTRACTED,
            mime_type=MIME_TYPES[image_format],
            size=frame.image.size,
            extraction_key=task.extraction_key,
            extracted_at_ms=frame.shown_at_ms,
        )
        task.asset, task.extracted_at_ms = asset, frame.shown_at_ms
        task.close(task.SUCCEEDED, "asset", "extracted_at_ms")
        by = By(SYSTEM.actor, correlation_id=task.correlation_id)
        record_event(
            task.job, "SCREENSHOT_TAKEN", by=by, data={"task_id": str(task.pk), "asset_id": str(asset.pk)}
        )


def fail_extraction(task: ScreenshotTask, failure: WorkFailed, *, lease: Lease | None) -> None:
    with transaction.atomic():
        job = lock_job(task.job_id)
        if lease:
            lease.verify()
        task.close(task.FAILED, failure=failure)
        by = By(SYSTEM.actor, correlation_id=task.correlation_id)
        record_event(
            job, "SCREENSHOT_FAILED", by=by, data={"task_id": str(task.pk), "failure_code": failure.code}
        )


def end_tasks(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_ended*."""
    active = job.screenshot_tasks.select_for_update().filter(
        status__in=[ScreenshotTask.WAITING, ScreenshotTask.RUNNING]
    )
    for task in active:
        task.close(task.FAILED, failure=WorkFailed("JOB_CANCELLED", "The job has ended."))


def _add_asset(
    job_id: UUID, anchor_id: UUID | None, stored: Stored, *, size: tuple[int, int], **fields: Any
) -> Asset:
    """The next picture of an anchor (whose job is locked), made active; or a picture without an anchor."""
    anchor = Anchor.objects.select_for_update().get(pk=anchor_id) if anchor_id else None
    previous = anchor.assets.order_by("-version").first() if anchor else None
    asset = Asset.objects.create(
        job_id=job_id,
        anchor=anchor,
        version=previous.version + 1 if previous else 1,
        previous_asset=anchor.active_asset if anchor else None,
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        width=size[0],
        height=size[1],
        **fields,
    )
    if anchor:
        anchor.active_asset, anchor.updated_at = asset, timezone.now()
        anchor.save(update_fields=["active_asset", "updated_at"])
    return asset


def annotate_anchor(*, anchor: Anchor, user: User, base_asset_id: object, operations: Any) -> dict[str, Any]:
    """Draw on a picture of the anchor and make the result active. Same base and operations: the same asset."""
    base = anchor.assets.filter(pk=parse_id(base_asset_id), is_deleted=False).first()
    if base is None:
        raise errors.invalid("base_asset_id", "The anchor has no such picture.", code="not_found")
    try:
        operations = normalise_operations(operations)
    except OperationsInvalid as error:
        raise errors.validation_error(error.errors) from error
    digest = ops_hash(base_checksum=base.checksum_sha256, operations=operations)
    if known := _annotated(anchor, digest):
        return _annotation(anchor, base, known)
    content = render_annotations(read_bytes(base.uri, limit=MAX_PICTURE_BYTES), operations)
    with Image.open(io.BytesIO(content)) as image:
        size = image.size
    with transaction.atomic():
        job = lock_job(base.job_id)
        open_document(job, by=by_editor(user))
        if known := _annotated(anchor, digest):
            return _annotation(anchor, base, known)
        stored = storage().save_bytes(kept_folder(base.job_id), content, suffix=".png")
        asset = _add_asset(
            base.job_id,
            anchor.pk,
            stored,
            kind=Asset.Kind.ANNOTATED,
            mime_type="image/png",
            size=size,
            ops_hash=digest,
            operations=operations,
            rendered_from=base,
            extracted_at_ms=base.extracted_at_ms,
        )
        record_event(job, "SCREENSHOT_ANNOTATED", by=by_editor(user), data={"asset_id": str(asset.pk)})
    anchor.active_asset = asset
    return _annotation(anchor, base, asset)


def _annotated(anchor: Anchor, digest: str) -> Asset | None:
    return anchor.assets.filter(ops_hash=digest, is_deleted=False).first()


def _annotation(anchor: Anchor, base: Asset, asset: Asset) -> dict[str, Any]:
    return {
        "anchor_id": anchor.pk,
        "base_asset_id": base.pk,
        "ops_hash": asset.ops_hash,
        "rendered_asset_id": asset.pk,
        "active_asset_id": anchor.active_asset_id,
    }
