"""What the page of a job in the admin shows of its pictures."""

from __future__ import annotations

from anchors.models import Anchor
from jobs.admin.panels import JOB_PANELS, MAX_ROWS, PANEL_STYLES, Panel
from jobs.models import Job


def _pictures(job: Job) -> list[Anchor]:
    """Return the anchors of a job's document with their active pictures, in the order in which they were made."""
    anchors = Anchor.objects.filter(instruction__job=job).select_related("active_asset")
    return list(anchors.defer("active_asset__operations").order_by("pk")[:MAX_ROWS])


PANEL_STYLES.append("anchors/pictures.css")
JOB_PANELS.append(Panel("Pictures", "anchors/job_panel.html", "anchors.view_asset", _pictures))
