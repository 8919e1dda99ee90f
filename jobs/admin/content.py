"""The transcript and the document of a job, for staff who have given a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from config.admin import StaffAction
from jobs.admin.panels import Panel
from jobs.models import Job
from jobs.queries import segments
from jobs.services.audit import by_staff
from jobs.services.content import OPEN_FOR, may_read_content, show_content

PERMISSION = "jobs.read_content"
MAX_SEGMENTS = 2000  # of a transcript that a page shows


def read_action(job_of: Callable[[Any], Job]) -> StaffAction[Any]:
    """Return the action by which staff ask to read what the owner of a job said and wrote, on the page of a row from
    which `job_of` returns the job."""

    def show(row: Any, user: Any, given: dict[str, Any]) -> str:
        show_content(job=job_of(row), by=by_staff(user, given["reason"]))
        return f"You may read what the owner said and wrote for {OPEN_FOR.seconds // 60} minutes."

    return StaffAction(
        name="read",
        label="Read transcript and document",
        permission=PERMISSION,
        consequence="You see what the owner of the job said and wrote. That you did, and why, stands in the audit log "
        "of the job, which the owner can read.",
        is_offered=lambda row: _has_content(job_of(row)),
        perform=show,
    )


def _has_content(job: Job) -> bool:
    return bool(job.manifest.get("transcript_uri")) or job.instruction_id is not None


SHOW_CONTENT: StaffAction[Job] = read_action(lambda job: job)


def _transcript(job: Job) -> Any:
    return list(segments(job)[:MAX_SEGMENTS])


CONTENT_PANELS: list[Panel] = [
    Panel("Transcript", "jobs/panels/transcript.html", PERMISSION, _transcript),
]
"""Later apps add theirs."""


def may_read(request: HttpRequest, job: Job) -> bool:
    """Return whether what the owner said and wrote may stand on this page."""
    return bool(request.user.has_perm(PERMISSION)) and may_read_content(job=job, user_id=request.user.pk)
