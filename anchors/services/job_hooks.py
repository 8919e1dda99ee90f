"""What the flow of jobs asks of pictures: registered in `AppConfig.ready()`, so without the engines."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from anchors.models import Asset, ScreenshotTask
from config.work.models import WorkFailed
from jobs.models import Job


def abort_tasks(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_aborted*."""
    if job.instruction_id is None:
        return  # without a document there is none, and a failing callback is spared a statement
    active = job.screenshot_tasks.select_for_update().filter(
        status__in=[ScreenshotTask.WAITING, ScreenshotTask.RUNNING]
    )
    for task in active:
        task.close(task.FAILED, failure=WorkFailed("JOB_CANCELLED", "The job has ended."))


def asset_files(job_id: UUID) -> list[str]:
    """Return the URIs of all pictures of a job; registered as *file_references*."""
    return list(Asset.objects.filter(job_id=job_id).values_list("uri", flat=True))


def kept_assets(owner_id: UUID) -> QuerySet[Asset]:
    """Return all pictures of an owner, whose bytes count into the quota; registered as *kept_bytes*."""
    return Asset.objects.filter(job__owner_id=owner_id)
