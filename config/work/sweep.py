"""The sweep: enqueue waiting rows again, recover rows whose lease expired, fail those lost too often.

It runs in the timer of each worker, one at a time over all workers. Apps register parts of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Literal

from django.db import close_old_connections, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from config.locks import place
from config.work.lanes import Lane
from config.work.lease import Lease
from config.work.models import WorkFailed, WorkRow
from config.work.registry import KINDS, Kind

log = logging.getLogger(__name__)

MAX_ROWS = 500  # of each kind in one sweep
MAX_ENQUEUED = (
    50  # of each lane in one sweep: any message of a lane serves any of its rows, so more would pile up
)
MAX_IDLE_MS = 30_000  # of a sweep: one whose process was stopped in it must not keep the others from theirs
OVERDUE = timedelta(seconds=10)  # after its time; then a waiting row is enqueued again
WORKER_LOST = WorkFailed(
    "WORKER_LOST", "The workers that did this stopped several times. Try again, or ask support."
)


def sweep_work_rows() -> dict[str, int]:
    """Sweep the rows of every kind of work; return how many were enqueued, recovered and failed.

    Only one sweep runs at a time over all workers (by an advisory lock of the session). Each row has a transaction
    of its own, so that an error in one does not stop the others.
    """
    counts = {"enqueued": 0, "recovered": 0, "failed": 0}
    with place("sweep", max_idle_ms=MAX_IDLE_MS) as is_only:
        for kind in KINDS.values() if is_only else ():
            rows = kind.model._default_manager
            lost = rows.filter(status=kind.model.RUNNING, lease_expires_at__lt=Now())
            for row in _not_locked(lost.order_by("lease_expires_at")):
                if outcome := _recover(kind, row):
                    counts[outcome] += 1
            waiting = rows.filter(status=kind.model.WAITING, available_at__lt=Now() - OVERDUE)
            for lane in kind.lanes:
                for row in waiting.filter(lane=lane).order_by("available_at")[:MAX_ENQUEUED]:
                    row.enqueue_on_commit()
                    counts["enqueued"] += 1
    if any(counts.values()):
        log.info("sweep: %s", counts)
    return counts


def enqueue_due(lanes: Collection[Lane], after: datetime | None) -> datetime:
    """Enqueue the rows of these lanes whose time came after `after`, by the clock of the database; return its time.

    A row that waited for its time, for another attempt, was not enqueued when it was written. Without `after`, those
    of the last minute are enqueued; older ones are the sweep's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    for kind in (kind for kind in KINDS.values() if not set(lanes).isdisjoint(kind.lanes)):
        due = kind.model._default_manager.filter(
            status=kind.model.WAITING,
            available_at__gt=after or now - timedelta(minutes=1),
            available_at__lte=now,
            lane__in=lanes,
        )
        for row in due.filter(available_at__gt=F("updated_at")).order_by("available_at")[:MAX_ROWS]:
            row.enqueue_on_commit()
    return now


def _not_locked(rows: QuerySet[WorkRow]) -> list[WorkRow]:
    """Read rows, but those that another transaction holds: one that is frozen must not hold up the others."""
    with transaction.atomic():
        return list(rows.select_for_update(skip_locked=True, of=("self",))[:MAX_ROWS])


def _recover(kind: Kind[WorkRow], row: WorkRow) -> Literal["recovered", "failed"] | None:
    """Have a row that lost its worker performed again later, or fail it; None if it has its worker still.

    It is claimed first, so that a worker that was only slow cannot end it any more, nor be ended when it has.
    """
    try:
        if not row.take_over():
            return None
        if row.recover():
            return "recovered"
        kind.fail(row, WORKER_LOST, Lease(row))
    except Exception:
        log.exception("the sweep could not end %s %s", row._meta.model_name, row.pk)
    return "failed"


_PARTS: list[Callable[[], object]] = [sweep_work_rows]


def register_sweep(part: Callable[[], object]) -> None:
    """Let each sweep also call `part`, after the work rows. An error in a part does not stop the others."""
    _PARTS.append(part)


def sweep() -> None:
    for part in _PARTS:
        try:
            part()
        except Exception:
            log.warning("a part of the sweep met an error; the others go on", exc_info=True)
            close_old_connections()
