"""Ask for another picture of an anchor that is there."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.services.anchors import get_version
from anchors.services.extraction import (
    add_task,
    extraction_key,
    known_task,
    require_inside_video,
)
from anchors.services.tasks import require_task_room, start_again
from config.accounts.models import User
from instructions.services.versions import open_document
from jobs.services.audit import by_editor, record_event
from jobs.services.transitions import lock_job


def replace_screenshot(*, anchor: Anchor, user: User, body: dict[str, Any]) -> tuple[ScreenshotTask, bool]:
    """Ask for a picture out of the video that becomes the anchor's active one; return (task, replayed).

    The same picture is the same task, also when it was asked for by `extract`. One that exists becomes active at once.
    """
    job = anchor.instruction.job
    version = get_version(anchor.instruction, body["instruction_version_id"])
    require_inside_video(job, body)
    key = extraction_key(job, version, {"anchor_id": anchor.pk}, body)
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        if known := known_task(job, key, body.get("idempotency_key")):
            task, replayed = start_again(known)
            if replayed and task.asset:
                _activate(anchor, task.asset, user)
            return task, replayed
        require_task_room(job.owner_id)
        operation = ScreenshotTask.Operation.REPLACE
        task = add_task(job, version, anchor, body, by=by_editor(user), operation=operation, key=key)
    return task, False


def _activate(anchor: Anchor, asset: Asset, user: User) -> None:
    """Make a picture that exists the active one; its job is locked."""
    anchor = Anchor.objects.select_for_update().get(pk=anchor.pk)
    if anchor.active_asset_id == asset.pk:
        return
    anchor.active_asset, anchor.updated_at = asset, timezone.now()
    anchor.save(update_fields=["active_asset", "updated_at"])
    data = {"anchor_id": str(anchor.pk), "asset_id": str(asset.pk)}
    record_event(asset.job, "SCREENSHOT_ACTIVATED", by=by_editor(user), data=data)
