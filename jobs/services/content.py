"""Looking at what a job's owner said and wrote, by staff: for a reason, which the owner can read, and for a while."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.services.audit import Attribution, record_event
from jobs.services.transitions import lock_job
from jobs.states import ActorType

OPEN_FOR = timedelta(minutes=30)
CONTENT_SHOWN = "CONTENT_SHOWN"


def show_content(*, job: Job, by: Attribution) -> None:
    """Let a member of staff read the transcript and the document of a job for `OPEN_FOR`; the audit event is the proof
    and the permission in one."""
    with transaction.atomic():
        record_event(lock_job(job.pk), CONTENT_SHOWN, by=by)


def may_read_content(*, job: Job, user_id: object) -> bool:
    """Return whether this member of staff has given a reason within `OPEN_FOR`."""
    return reason_given(job=job, user_id=user_id) is not None


def reason_given(*, job: Job, user_id: object) -> str | None:
    """Return the newest reason that this member of staff has given within `OPEN_FOR`, None without one."""
    shown = job.events.filter(event_type=CONTENT_SHOWN, actor_type=ActorType.STAFF, actor_id=str(user_id))
    newest = shown.filter(recorded_at__gt=timezone.now() - OPEN_FOR).order_by("-pk").first()
    return None if newest is None else str(newest.data.get("reason", ""))
