"""The background work of this app: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

from anchors.models import RedactionRun, ScreenActivity, ScreenshotTask, SensitiveSearch
from anchors.services import redactions, searching, watching
from anchors.services.annotation_tasks import perform_annotation
from anchors.services.taking import perform_extraction
from anchors.services.tasks import fail_task
from anchors.services.tickets import PICTURES
from config.work.lanes import Lane
from config.work.lease import Lease
from config.work.registry import register
from config.work.sweep import register_sweep


def perform_task(task: ScreenshotTask, lease: Lease) -> None:
    """Draw the picture, or take it out of the video."""
    is_drawn = task.operation == ScreenshotTask.Operation.ANNOTATE
    (perform_annotation if is_drawn else perform_extraction)(task, lease)


register(
    RedactionRun,
    perform=redactions.perform_redactions,
    on_failure=redactions.fail_redactions,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(hours=6),
)
register(
    ScreenActivity,
    perform=watching.perform_watch,
    on_failure=watching.fail_watch,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(hours=6),
)
register(
    SensitiveSearch,
    perform=searching.perform_search,
    on_failure=searching.fail_search,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(hours=6),
)
register(
    ScreenshotTask,
    perform=perform_task,
    on_failure=fail_task,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(minutes=15),
)
register_sweep(PICTURES.close_old)
