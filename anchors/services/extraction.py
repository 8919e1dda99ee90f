"""Ask for pictures out of the video; `anchors.services.taking` takes them."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785
from django.db import transaction

from anchors.models import Anchor, ScreenshotTask
from anchors.services.anchors import add_anchor, check_address, get_version
from anchors.services.tasks import require_task_room, start_again
from config.accounts.models import User
from config.api import errors, request_id
from config.api.ownership import parse_id
from instructions.models import Instruction, InstructionVersion
from instructions.services.versions import open_document
from jobs.models import Job
from jobs.services.artifacts import newest_artifact
from jobs.services.audit import Attribution, by_editor, record_event
from jobs.services.transitions import lock_job


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
    require_inside_video(job, body)
    key = extraction_key(job, version, address, body)
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        if known := known_task(job, key, body.get("idempotency_key")):
            return start_again(known)
        require_task_room(job.owner_id)
        if fields:
            anchor = add_anchor(instruction, version, next(iter(address)), **fields)
        task = add_task(
            job,
            version,
            anchor,
            body,
            by=by_editor(user),
            operation=ScreenshotTask.Operation.EXTRACT,
            key=key,
        )
    return task, False


def add_task(
    job: Job,
    version: InstructionVersion,
    anchor: Anchor | None,
    body: dict[str, Any],
    *,
    by: Attribution,
    key: str,
    operation: ScreenshotTask.Operation,
    is_auto: bool = False,
) -> ScreenshotTask:
    """Ask for a picture of the video of a locked job, of the time and the form that the body says."""
    task = ScreenshotTask.objects.create(
        job=job,
        owner_id=job.owner_id,
        status=ScreenshotTask.WAITING,
        operation=operation,
        instruction_version=version,
        anchor=anchor,
        at_ms=body["timestamp_ms"] + body["offset_ms"],
        strategy=body["strategy"],
        image_format=body["format"],
        request_key=key,
        idempotency_key=body.get("idempotency_key"),
        is_auto=is_auto,
        correlation_id=request_id.current(),
    )
    record_event(job, "SCREENSHOT_REQUESTED", by=by, data={"task_id": str(task.pk)})
    task.enqueue_on_commit()
    return task


def _get_anchor(instruction: Instruction, address: dict[str, Any]) -> Anchor | None:
    if "anchor_id" not in address:
        return None
    anchor = instruction.anchors.filter(pk=parse_id(address["anchor_id"])).first()
    if anchor is None:
        raise errors.invalid("anchor_id", "This instruction has no such anchor.", code="not_found")
    return anchor


def require_inside_video(job: Job, body: dict[str, Any]) -> None:
    """Raise a 400 for a time outside of the job's video, when its length is known."""
    at_ms = body["timestamp_ms"] + body["offset_ms"]
    video = newest_artifact(job, "video")
    duration = (video.data or {}).get("duration_ms") if video else None
    if at_ms < 0 or (duration is not None and at_ms > duration):
        until = "its end" if duration is None else f"{duration} ms"
        raise errors.invalid(
            "timestamp_ms",
            f"The video lasts from 0 to {until}.",
            code="out_of_range",
            hint="Send a time inside the video; offset_ms is added to it.",
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


def known_task(job: Job, key: str, idempotency_key: str | None) -> ScreenshotTask | None:
    """Return the task that was asked for with this key, locked, and note the idempotency key that it has now.
    Raise 409 for one of another task."""
    if idempotency_key:
        task = ScreenshotTask.objects.filter(job=job, idempotency_key=idempotency_key).first()
        if task and task.request_key != key:
            raise errors.conflict(
                "IDEMPOTENCY_KEY_REUSED",
                "This key was used for another picture.",
                hint="Send a new key for a new picture.",
            )
    known = ScreenshotTask.objects.select_for_update().filter(request_key=key).first()
    if known and idempotency_key and known.idempotency_key is None:
        known.idempotency_key = idempotency_key
        known.save(update_fields=["idempotency_key"])
    return known
