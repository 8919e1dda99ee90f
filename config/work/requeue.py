"""Have a row of work performed that does not go on by itself: its message was lost, or it has failed."""

from __future__ import annotations

from config.api import errors
from config.work.models import WorkRow


def requeue_row(row: WorkRow) -> None:
    """Have a row performed as soon as a worker is free: one that waits, and one that has failed, with all its retries.

    Each is one update on the condition that the row is as it was read; raise 409 when it is not, or does not wait and
    has not failed. Whether a failed row may be opened again is for the caller to know, who holds the lock of its job.
    """
    ways = {row.WAITING: row.hasten, row.FAILED: row.reopen_failed}
    if row.status not in ways or not ways[row.status]():
        raise _moved_on(row)


def _moved_on(row: WorkRow) -> errors.ApiError:
    now = type(row)._default_manager.filter(pk=row.pk).values_list("status", flat=True).first()
    return errors.conflict(
        "FSM_TRANSITION_INVALID",
        f"Only work that waits, or has failed, is requeued, and this is {now} now.",
        current_status=now,
        attempted_status=row.WAITING,
        allowed_next_statuses=[],
    )
