"""What the tasks of all pictures have in common, of those out of the video and of those that are drawn."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from anchors.models import ScreenshotTask
from config.work.lease import Lease
from config.work.limits import require_room
from config.work.models import WorkFailed
from instructions.services.versions import require_document
from jobs.models import Job
from jobs.services.audit import by_system, record_event
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job


def require_task_room(owner_id: UUID) -> None:
    """Raise 429 when the owner has too many pictures open, 507 when the quota is used up."""
    require_room(ScreenshotTask, owner_id)
    require_bytes(owner_id)


def start_again(task: ScreenshotTask, *, is_allowed: bool = False) -> tuple[ScreenshotTask, bool]:
    """Return (task, replayed): a task that failed begins anew, and so does one whose picture was deleted since.

    The caller holds the row's lock. Raises 429 and 507, unless it is allowed already.
    """
    is_taken = task.status != ScreenshotTask.FAILED
    if is_taken and not (task.asset and task.asset.is_deleted):
        return task, True
    if not is_allowed:
        require_task_room(task.owner_id)
    # Its former picture is none of it any more.
    ScreenshotTask.objects.filter(pk=task.pk).update(asset=None, extracted_at_ms=None)
    task.reopen()
    return task, False


def require_picture_again(job: Job, task: ScreenshotTask) -> None:
    """Raise 409 unless a failed task of a locked job may be opened again, 429 and 507 when its owner has no room."""
    require_document(job)
    require_task_room(task.owner_id)


def fail_task(task: ScreenshotTask, failure: WorkFailed, *, lease: Lease) -> None:
    with transaction.atomic():
        job = lock_job(task.job_id)
        lease.verify()
        task.close(task.FAILED, failure=failure)
        data = {"task_id": str(task.pk), "failure_code": failure.code}
        record_event(job, "SCREENSHOT_FAILED", by=by_system(task.correlation_id), data=data)
