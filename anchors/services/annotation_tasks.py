"""Annotations as tasks: asked for now, drawn by a worker."""

from __future__ import annotations

import hashlib
import logging
from typing import Any, cast

import rfc8785
from django.db import transaction

from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.render import ImageUnreadable
from anchors.services.annotation import Annotation
from anchors.services.drawing import draw_on_asset
from anchors.services.redactions import bring_in_line
from anchors.services.tasks import require_task_room, start_again
from config import sandbox
from config.accounts.models import User
from config.api import request_id
from config.storage import Stored
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.services.versions import open_document
from jobs.models import Job
from jobs.services.audit import by_editor, by_system, record_event
from jobs.services.transitions import lock_job

log = logging.getLogger(__name__)

RENDER_FAILED = "RENDER_FAILED"


def request_annotation(
    *, anchor: Anchor, user: User, base_asset_id: object, operations: Any, idempotency_key: str | None = None
) -> tuple[ScreenshotTask, bool]:
    """Have a worker draw on a picture of the anchor; return (task, replayed). The same picture is the same task.

    If the picture is there already, drawn without a task, its task has SUCCEEDED and nothing is drawn. Raises what
    `annotate_anchor` raises, and 429 when the owner has too many pictures open.
    """
    wanted = Annotation.asked(anchor, base_asset_id, operations)
    wanted.refuse_other_use(idempotency_key)
    key = annotation_key(wanted)
    with transaction.atomic():
        job = lock_job(wanted.base.job_id)
        open_document(job, by=by_editor(user))
        wanted.use_key(idempotency_key)
        task = ScreenshotTask.objects.select_for_update().filter(request_key=key).first()
        if picture := wanted.rendered():
            return _ended_with(picture, task) or _add_task(wanted, job, key, picture), True
        if task:
            return start_again(task)
        require_task_room(job.owner_id)
        task = _add_task(wanted, job, key)
        record_event(job, "SCREENSHOT_REQUESTED", by=by_editor(user), data={"task_id": str(task.pk)})
        task.enqueue_on_commit()
    return task, False


def annotation_key(wanted: Annotation) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of what determines the picture and its place."""
    content = {"operation": "annotate", "base_asset_id": str(wanted.base.pk), "ops_hash": wanted.digest}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _ended_with(picture: Asset, task: ScreenshotTask | None) -> ScreenshotTask | None:
    """Return the task; one that failed, or had a picture that was deleted, has this one now. A worker that is at it
    finds the picture by itself."""
    if task and task.status in (task.FAILED, task.SUCCEEDED) and task.asset_id != picture.pk:
        _close(task, picture)
    return task


def _close(task: ScreenshotTask, picture: Asset) -> None:
    task.asset, task.extracted_at_ms = picture, picture.extracted_at_ms
    task.close(task.SUCCEEDED, "asset", "extracted_at_ms")


def _add_task(wanted: Annotation, job: Job, key: str, picture: Asset | None = None) -> ScreenshotTask:
    task = ScreenshotTask.objects.create(
        job=job,
        owner_id=job.owner_id,
        status=ScreenshotTask.WAITING,
        operation=ScreenshotTask.Operation.ANNOTATE,
        instruction_version_id=wanted.anchor.instruction_version_id,
        anchor=wanted.anchor,
        base=wanted.base,
        operations=wanted.operations,
        request_key=key,
        correlation_id=request_id.current(),
    )
    if picture:
        _close(task, picture)
    return task


def perform_annotation(task: ScreenshotTask, lease: Lease) -> None:
    """Draw the picture, keep its bytes under their SHA-256, then write the row. Raises WorkFailed RENDER_FAILED."""
    anchor, base = cast(Anchor, task.anchor), cast(Asset, task.base)  # which an annotation has
    wanted = Annotation.of(anchor, base, cast(list[dict[str, Any]], task.operations))
    drawn = _draw(wanted, lease)
    with lease.hold(before=lambda: lock_job(task.job_id)):
        picture = wanted.rendered()  # by a request that did not wait for a worker
        is_new = picture is None
        picture = picture or wanted.keep(*drawn)
        _close(task, picture)
        if picture.is_concealed:
            bring_in_line(task.job)
        if is_new:
            data = {"task_id": str(task.pk), "asset_id": str(picture.pk)}
            by = by_system(task.correlation_id)
            record_event(task.job, "SCREENSHOT_ANNOTATED", by=by, data=data)


def _draw(wanted: Annotation, lease: Lease) -> tuple[Stored, tuple[int, int]]:
    try:
        return draw_on_asset(wanted.base, wanted.operations, check=lease.check)
    except ImageUnreadable as error:
        raise WorkFailed(RENDER_FAILED, str(error)) from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise
        raise WorkFailed(RENDER_FAILED, error.message) from error
    except sandbox.ChildFailed as error:
        log.exception("a picture could not be drawn")
        raise WorkFailed(RENDER_FAILED, "The picture could not be drawn.") from error
