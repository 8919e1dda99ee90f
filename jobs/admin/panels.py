"""Parts of a job's page, to which later apps add their own when their admin modules are loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.models import Artifact, Job

MAX_ROWS = 100


@dataclass(frozen=True)
class Panel:
    """A part of the page: `read` returns what `template` shows as `panel`. Who lacks `permission` does not see it."""

    title: str
    template: str
    permission: str
    read: Callable[[Job], Any]


def _artifacts(job: Job) -> list[Artifact]:
    return list(job.artifacts.order_by("-pk")[:MAX_ROWS])


PANEL_STYLES: list[str] = []
"""Style sheets of the panels of later apps, by their names below static folders."""

JOB_PANELS: list[Panel] = [
    Panel("Files", "jobs/panels/artifacts.html", "jobs.view_job", _artifacts),
]
