"""Audit events: who did what to a job, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from config.accounts.models import User
from config.api import request_id
from jobs.models import AuditEvent, Job
from jobs.states import ActorType


@dataclass(frozen=True)
class Attribution:
    """Who makes a change: the actor's type, a user's id where there is one, and the reason that staff give."""

    actor_type: ActorType
    actor_id: str = ""
    correlation_id: str = ""
    reason: str = ""


def by_editor(user: User) -> Attribution:
    return Attribution(ActorType.EDITOR, str(user.pk))


def by_staff(user: User, reason: str) -> Attribution:
    return Attribution(ActorType.STAFF, str(user.pk), reason=reason)


def by_system(correlation_id: str) -> Attribution:
    return Attribution(ActorType.SYSTEM, correlation_id=correlation_id)


def make_event(
    job: Job,
    event_type: str,
    *,
    by: Attribution,
    prev_status: str = "",
    new_status: str = "",
    occurred_at: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Return the event, not saved yet. A reason stands in its data."""
    return AuditEvent(
        job_id=job.pk,
        project_id=job.project_id,
        event_type=event_type,
        actor_type=by.actor_type,
        actor_id=by.actor_id,
        prev_status=prev_status,
        new_status=new_status,
        occurred_at=occurred_at or timezone.now(),
        correlation_id=by.correlation_id or request_id.current(),
        data={**(data or {}), **({"reason": by.reason} if by.reason else {})},
    )


def record_events(events: Iterable[AuditEvent]) -> None:
    """Write down what `make_event` made, of any jobs, in one statement."""
    AuditEvent.objects.bulk_create(events)


def record_event(
    job: Job, event_type: str, *, by: Attribution, new_status: str = "", data: dict[str, Any] | None = None
) -> None:
    """Write down what is no transition."""
    make_event(job, event_type, by=by, new_status=new_status, data=data).save(force_insert=True)
