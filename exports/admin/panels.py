"""What the page of a job in the admin shows of its exports."""

from __future__ import annotations

from exports.models import Export
from jobs.admin.panels import JOB_PANELS, MAX_ROWS, Panel
from jobs.models import Job


def _exports(job: Job) -> list[Export]:
    return list(job.exports.defer("snapshot", "manifest").order_by("-pk")[:MAX_ROWS])


JOB_PANELS.append(Panel("Exports", "exports/job_panel.html", "exports.view_export", _exports))
