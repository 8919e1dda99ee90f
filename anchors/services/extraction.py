"""Writes of screenshots: take a frame out of the video, and put it on an anchor."""

from __future__ import annotations

import hashlib
from typing import Any, cast
from uuid import UUID

import rfc8785
from django.db import transaction

from anchors.frames import MIME_TYPES, EncodedFrame, ImageFormat, Strategy, TimestampOutOfRange, grab_encoded
from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.services.anchors import add_anchor, add_asset, check_address, get_version
from config import sandbox
from config.accounts.models import User
from config.api import errors, request_id
from config.api.ownership import parse_id
from config.storage import kept_folder, storage
from config.work.lease import Lease
from config.work.limits import require_room
from config.work.models import WorkFailed
from instructions.models import Instruction, InstructionVersion
from instructions.services.versions import open_document
from jobs.media.probe import UnreadableVideo
from jobs.models import Job
from jobs.services.artifacts import newest_artifact
from jobs.services.audit import by_editor, by_system, record_event
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job
from jobs.services.videos import open_video


def extract_screenshot(*, job: Job, user: User, body: dict[str, Any]) -> tuple[ScreenshotTask, bool]:
    """Ask for one picture out of the video; return (task, replayed). The same picture is the same task."""
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
        _require_room(job.owner_id)
        if fields:
            field = next(iter(address))
            anchor = add_anchor(instruction, version, field, **fields)
        task = ScreenshotTask.objects.create(
            job=job,
            owner_id=job.owner_id,
            status=ScreenshotTask.WAITING,
            operation=ScreenshotTask.Operation.EXTRACT,
            instruction_version=version,
            anchor=anchor,
            at_ms=at_ms,
            strategy=body["strategy"],
            image_format=body["format"],
            request_key=key,
            idempotency_key=body.get("idempotency_key"),
            correlation_id=request_id.current(),
        )
        record_event(job, "SCREENSHOT_REQUESTED", by=by_editor(user), data={"task_id": str(task.pk)})
        task.enqueue_on_commit()
    return task, False


def _get_anchor(instruction: Instruction, address: dict[str, Any]) -> Anchor | None:
    if "anchor_id" not in address:
        return None
    anchor = instruction.anchors.filter(pk=parse_id(address["anchor_id"])).first()
    if anchor is None:
        raise errors.invalid("anchor_id", "This instruction has no such anchor.", code="not_found")
    return anchor


def _require_inside_video(job: Job, at_ms: int) -> None:
    video = newest_artifact(job, "video")
    duration = (video.data or {}).get("duration_ms") if video else None
    if at_ms < 0 or (duration is not None and at_ms > duration):
        raise errors.invalid(
            "timestamp_ms", f"The video lasts from 0 to {duration} ms.", code="TIMESTAMP_OUT_OF_RANGE"
        )


def extraction_key(
    job: Job, version: InstructionVersion, address: dict[str, Any], body: dict[str, Any]
) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of what determines the picture and its place."""
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
        if task and task.request_key != key:
            raise errors.conflict("IDEMPOTENCY_KEY_REUSED", "This key was used for another picture.")
    return ScreenshotTask.objects.select_for_update().filter(request_key=key).first()


def _require_room(owner_id: UUID) -> None:
    """Raise 429 when the owner has too many pictures open, 507 when the quota is used up."""
    require_room(ScreenshotTask, owner_id)
    require_bytes(owner_id)


def _start_again(task: ScreenshotTask) -> tuple[ScreenshotTask, bool]:
    is_taken = task.status != ScreenshotTask.FAILED
    if is_taken and not (task.asset and task.asset.is_deleted):
        return task, True
    _require_room(task.owner_id)
    task.reopen()
    return task, False


def perform_extraction(task: ScreenshotTask, lease: Lease) -> None:
    """Take the frame, keep its bytes under their SHA-256, then write the row."""
    image_format = cast(ImageFormat, task.image_format)
    frame = _grab(task, image_format, lease)
    lease.check()
    stored = storage().save_bytes(kept_folder(task.job_id), frame.content, suffix=f".{image_format}")
    with lease.hold(before=lambda: lock_job(task.job_id)):
        asset = add_asset(
            task.job_id,
            task.anchor_id,
            stored,
            kind=Asset.Kind.EXTRACTED,
            mime_type=MIME_TYPES[image_format],
            size=(frame.width, frame.height),
            extraction_key=task.request_key,
            extracted_at_ms=frame.shown_at_ms,
        )
        task.asset, task.extracted_at_ms = asset, frame.shown_at_ms
        task.close(task.SUCCEEDED, "asset", "extracted_at_ms")
        data = {"task_id": str(task.pk), "asset_id": str(asset.pk)}
        record_event(task.job, "SCREENSHOT_TAKEN", by=by_system(task.correlation_id), data=data)


def _grab(task: ScreenshotTask, image_format: ImageFormat, lease: Lease) -> EncodedFrame:
    at_ms = cast(int, task.at_ms)  # which a picture of the video has
    try:
        with open_video(task.job, lease.report) as video:
            return sandbox.call(
                grab_encoded,
                video,
                at_ms,
                strategy=cast(Strategy, task.strategy),
                image_format=image_format,
                limits=sandbox.limits.FRAME.lasting(at_ms),  # at worst, all before it is decoded
                returns=(EncodedFrame,),
                raises=(TimestampOutOfRange, UnreadableVideo),
                check=lease.check,
            )
    except TimestampOutOfRange as error:
        raise WorkFailed("TIMESTAMP_OUT_OF_RANGE", "The video has no picture at this time.") from error
    except UnreadableVideo as error:
        raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error


def fail_extraction(task: ScreenshotTask, failure: WorkFailed, *, lease: Lease) -> None:
    with transaction.atomic():
        job = lock_job(task.job_id)
        lease.verify()
        task.close(task.FAILED, failure=failure)
        data = {"task_id": str(task.pk), "failure_code": failure.code}
        record_event(job, "SCREENSHOT_FAILED", by=by_system(task.correlation_id), data=data)
