"""The sweep: enqueue waiting rows again, retry rows whose lease expired, fail those without retries left.

It runs in the timer of each worker, one at a time over all workers. Apps register parts of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now

from config.work.models import WorkFailed, WorkRow
from config.work.registry import KINDS, Kind

log = logging.getLogger(__name__)

LOCK_ID = 0x57455741  # an arbitrary constant
MAX_ROWS = 500  # of each kind in one sweep
OVERDUE = timedelta(seconds=10)  # after its time; then a waiting row is enqueued again
WORKER_LOST = WorkFailed(
    "WORKER_LOST", "The workers that did this stopped several times. Try again, or ask support."
)


def sweep_work_rows() -> dict[str, int]:
    """Sweep the rows of every kind of work; return how many were enqueued, retried and failed.

    Only one sweep runs at a time over all workers (by an advisory lock of the session). Each row has a transaction
    of its own, so that an error in one does not stop the others.
    """
    counts = {"enqueued": 0, "retried": 0, "failed": 0}
    with _only_sweep() as is_only:
        for kind in KINDS.values() if is_only else ():
            rows = kind.model._default_manager
            lost = rows.filter(status=kind.model.RUNNING, lease_expires_at__lt=Now())
            for row in lost.order_by("lease_expires_at")[:MAX_ROWS]:
                counts["retried" if _is_retried(kind, row) else "failed"] += 1
            waiting = rows.filter(status=kind.model.WAITING, available_at__lt=Now() - OVERDUE)
            for row in waiting.order_by("available_at")[:MAX_ROWS]:
                row.enqueue_on_commit()
                counts["enqueued"] += 1
    if any(counts.values()):
        log.info("sweep: %s", counts)
    return counts


@contextmanager
def _only_sweep() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_ID])
        is_only = bool(cursor.fetchone()[0])
    try:
        yield is_only
    finally:
        if is_only:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_ID])


def _is_retried(kind: Kind[WorkRow], row: WorkRow) -> bool:
    try:
        with transaction.atomic():
            if row.retry_later():
                return True
            kind.on_failure(row, WORKER_LOST, lease=None)
    except Exception:
        log.exception("the sweep could not end %s %s", row._meta.model_name, row.pk)
    return False


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
