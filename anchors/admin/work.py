"""The admin's pages of the work that is done once for a job: looking at its video, and hiding."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from anchors.models import RedactionRun, ScreenActivity, SensitiveSearch
from anchors.services.redactions import require_going
from config.work.admin import WorkAdmin
from jobs.admin.requeueing import requeue_action
from jobs.models import Job
from jobs.states import JobStatus


def _require_going(job: Job, row: Any) -> None:
    require_going(job)


GOING = frozenset(JobStatus) - {JobStatus.FAILED, JobStatus.CANCELLED}
REQUEUE = requeue_action(allows=_require_going, reopened_in=GOING)


@admin.register(ScreenActivity)
class ScreenActivityAdmin(WorkAdmin):
    exclude = ("activity", "key_frames")  # long lists of numbers
    staff_actions = (REQUEUE,)


@admin.register(SensitiveSearch)
class SensitiveSearchAdmin(WorkAdmin):
    staff_actions = (REQUEUE,)


@admin.register(RedactionRun)
class RedactionRunAdmin(WorkAdmin):
    staff_actions = (REQUEUE,)
