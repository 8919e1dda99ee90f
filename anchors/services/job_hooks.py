"""What the flow of jobs asks of pictures: registered in `AppConfig.ready()`, so without the engines."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from anchors.models import Asset, RedactionRun, ScreenActivity, SensitiveSearch
from config.api import request_id
from config.work.models import WorkFailed, WorkRow
from jobs.models import Job


def abort_tasks(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_aborted*.

    While pictures are concealed, what they wait for goes on: the document can be read, and they would never be shown.
    """
    options = (job.options.get("auto_screenshots"), job.options.get("auto_redact"))
    if job.instruction_id is None and not any(options):
        return  # then there is none, and a failing callback is spared a statement
    ended = WorkFailed("JOB_CANCELLED", "The job has ended.")
    is_active = {"status__in": [WorkRow.WAITING, WorkRow.RUNNING]}
    concealed = Asset.objects.filter(job=job, is_concealed=True, is_deleted=False)
    are_awaited = job.instruction_id is not None and concealed.exists()
    models = (ScreenActivity,) if are_awaited else (ScreenActivity, SensitiveSearch, RedactionRun)
    for model in models:
        for row in model.objects.select_for_update().filter(job=job, **is_active):
            row.close(row.FAILED, failure=ended)
    for task in job.screenshot_tasks.select_for_update().filter(**is_active):
        task.close(task.FAILED, failure=ended)


def watch_started(job: Job) -> None:
    """Have the video of a job that begins looked at, if its draft is to get pictures; registered as *job_started*."""
    if job.options.get("auto_screenshots"):
        watch_video(job)


def search_started(job: Job) -> None:
    """Have it found what should be hidden in the video of a job that begins, if its options say so; registered as
    *job_started*."""
    if job.options.get("auto_redact"):
        search_video(job)


def picture_draft(job: Job) -> None:
    """Have pictures made of a draft that has come, if the job's options say so; registered as *drafted*."""
    if job.options.get("auto_screenshots"):
        watch_video(job, makes_pictures=True)


def watch_video(job: Job, *, makes_pictures: bool = False) -> None:
    """Have it found out when the screen changes in the video of a locked job, unless it is known or being found out;
    with `makes_pictures`, have the newest draft get its pictures then."""
    row, is_new = ScreenActivity.objects.get_or_create(
        job=job,
        defaults={
            "owner_id": job.owner_id,
            "status": ScreenActivity.WAITING,
            "correlation_id": request_id.current(),
            "makes_pictures": makes_pictures,
        },
    )
    if is_new:
        row.enqueue_on_commit()
        return
    if makes_pictures:
        ScreenActivity.objects.filter(pk=row.pk).update(makes_pictures=True)
    has_failed = row.status == ScreenActivity.FAILED
    if has_failed or (makes_pictures and row.status == ScreenActivity.SUCCEEDED):
        row.reopen()


def search_video(job: Job) -> None:
    """Have it found what should be hidden in the video of a locked job, unless it is known or being found."""
    row, is_new = SensitiveSearch.objects.get_or_create(
        job=job,
        defaults={
            "owner_id": job.owner_id,
            "status": SensitiveSearch.WAITING,
            "correlation_id": request_id.current(),
        },
    )
    if is_new:
        row.enqueue_on_commit()
    elif row.status == SensitiveSearch.FAILED:
        row.reopen()


def asset_files(job_id: UUID) -> list[str]:
    """Return the URIs of all pictures of a job; registered as *file_references*."""
    return list(Asset.objects.filter(job_id=job_id).values_list("uri", flat=True))


def kept_assets(owner_ids: Collection[UUID]) -> QuerySet[Asset]:
    """Return all pictures of these owners, whose bytes count into the quota; registered as *kept_bytes*."""
    return Asset.objects.filter(job__owner_id__in=owner_ids)
