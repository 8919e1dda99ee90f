"""The Dramatiq actors of this room."""

from __future__ import annotations

import dramatiq

from jobs.models import Dispatch
from jobs.services import dispatches
from jobs.work import actor

perform_dispatch = actor(Dispatch)


@dramatiq.actor(queue_name="default", time_limit=20_000)
def tell_cancelled(dispatch_id: str) -> None:
    dispatches.tell_cancelled(dispatch_id)
