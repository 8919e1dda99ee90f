"""The Dramatiq actors of this room."""

from __future__ import annotations

import dramatiq

from jobs.models import Dispatch
from jobs.services import messages
from jobs.work import actor

perform_dispatch = actor(Dispatch)


@dramatiq.actor(queue_name="default", time_limit=20_000)
def tell_cancelled(dispatch_id: str, job_id: str, correlation_id: str) -> None:
    messages.tell_cancelled(dispatch_id, job_id, correlation_id)
