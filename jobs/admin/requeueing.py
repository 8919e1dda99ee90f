"""The action by which staff have work performed that does not go on: for the pages of every kind of work."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from config.admin import StaffAction
from jobs.services.audit import by_staff
from jobs.services.requeueing import Allows, requeue_work
from jobs.states import JobStatus

PERMISSION = "work.requeue_any_work"


def requeue_action(*, allows: Allows, reopened_in: Collection[JobStatus]) -> StaffAction[Any]:
    """Return the action of a kind of work. `reopened_in` are the statuses of a job in which it is offered for work that
    has failed; `allows` says under the job's lock."""

    def is_offered(row: Any) -> bool:
        return row.status == row.WAITING or (row.status == row.FAILED and row.job.status in reopened_in)

    return StaffAction(
        name="requeue",
        label="Requeue",
        permission=PERMISSION,
        consequence="Work that waits is told to the workers again, and its time is now. Work that has failed is opened "
        "again, with all its attempts.",
        is_offered=is_offered,
        perform=_performer(allows),
    )


def _performer(allows: Allows) -> Callable[[Any, Any, dict[str, Any]], str]:
    def perform(row: Any, user: Any, given: dict[str, Any]) -> str:
        requeue_work(row=row, by=by_staff(user, given["reason"]), allows=allows)
        return "The work is enqueued. A worker begins it as soon as one is free."

    return perform
