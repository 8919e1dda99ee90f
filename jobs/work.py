"""Rows that are work: claim, lease, heartbeat, fencing, retries and sweep, for every kind of work row.

The row is the truth and the message a doorbell: losing a message costs time, never work.

    WAITING --claim--> RUNNING --finish--> SUCCEEDED
       ^                  |------fail----> FAILED
       |---take back------|   (lease lost, or an unexpected error: at most 3 times, after 5, 10, 20 s)

`attempt` counts claims and is the fencing token: whatever a worker writes at the end of its work is
guarded by `Lease.hold()`, which finds no row once somebody else has claimed it, or it was cancelled.
All times are the database's.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

import dramatiq
import structlog
from django.db import close_old_connections, connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from uuid6 import uuid7

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)
HEARTBEAT_SECONDS = 2.0
RETRY_DELAYS = (5, 10, 20)
SWEEP_LOCK = 0x57455741  # any constant of our own: the advisory lock of the sweep
SWEEP_ROWS = 500  # of each kind in one sweep
OVERDUE = timedelta(seconds=10)  # a waiting row this long past its time is rung for again


class WorkFailed(Exception):
    """The work cannot succeed, now or later: a code, and a sentence that a user may read."""

    def __init__(self, code: str, message: str, *, stage: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.stage = code, message, stage


class LeaseLost(Exception):
    """The row is no longer this worker's: cancelled, or taken over. Whatever was done is thrown away."""


class WorkRow(models.Model):
    """A row that a worker performs. Subclasses set QUEUE and implement `perform` and `fail_work`."""

    WAITING: ClassVar[str] = "PENDING"
    RUNNING: ClassVar[str] = "RUNNING"
    SUCCEEDED: ClassVar[str] = "SUCCEEDED"
    FAILED: ClassVar[str] = "FAILED"
    QUEUE: ClassVar[str] = "default"
    TIME_LIMIT: ClassVar[timedelta] = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=16)
    attempt = models.PositiveIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    progress_pct = models.PositiveSmallIntegerField(default=0)
    correlation_id = models.CharField(max_length=128, default="", blank=True)
    failure_code = models.CharField(max_length=64, default="", blank=True)
    failure_message = models.CharField(max_length=500, default="", blank=True)
    failed_stage = models.CharField(max_length=64, default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    def perform(self, lease: Lease) -> None:
        """The heavy work, outside any transaction; ends by a finishing service under `lease.hold()`."""
        raise NotImplementedError

    def fail_work(self, failure: WorkFailed, *, lease: Lease | None) -> None:
        """Make the failing transition, under `lease.hold()` when a worker asks, else (sweep) under `lock()`."""
        raise NotImplementedError

    @classmethod
    def statuses(cls) -> list[str]:
        return [cls.WAITING, cls.RUNNING, cls.SUCCEEDED, cls.FAILED]

    @classmethod
    def claim(cls, pk: UUID) -> Self | None:
        """Take a waiting row for this worker, or None when somebody else has it or its time has not come."""
        claimed = cls._default_manager.filter(pk=pk, status=cls.WAITING, available_at__lte=Now()).update(
            status=cls.RUNNING,
            attempt=models.F("attempt") + 1,
            lease_expires_at=Now() + LEASE,
            heartbeat_at=Now(),
            updated_at=Now(),
        )
        return cls._default_manager.get(pk=pk) if claimed else None

    def ring(self, delay_seconds: int = 0) -> None:
        """Tell the workers, once the transaction is in. Never fails: the sweep rings again."""
        actor = ACTORS[type(self)]
        transaction.on_commit(lambda: _send(actor, str(self.pk), delay_seconds=delay_seconds))

    def close(self, status: str, *fields: str, failure: WorkFailed | None = None) -> None:
        """Set the row's last status, and write `fields` with it. The caller holds the row's lock."""
        self.status, self.lease_expires_at = status, None
        self.failure_code = failure.code if failure else ""
        self.failure_message = failure.message if failure else ""
        self.failed_stage = failure.stage if failure else ""
        if status == self.SUCCEEDED:
            self.progress_pct = 100
        self.updated_at = timezone.now()
        self.save(
            update_fields=[
                "status", "lease_expires_at", "failure_code", "failure_message", "failed_stage", "progress_pct",
                "updated_at", *fields,
            ]
        )  # fmt: skip

    def reopen(self) -> None:
        """Let a FAILED row be tried anew, with all its retries. The caller holds the row's lock."""
        type(self)._default_manager.filter(pk=self.pk).update(
            status=self.WAITING,
            retries=0,
            progress_pct=0,
            failure_code="",
            failure_message="",
            failed_stage="",
            available_at=Now(),
            updated_at=Now(),
        )
        self.refresh_from_db()
        self.ring()

    def take_back(self) -> bool:
        """Give a running row up for another attempt later; False when it has had all its retries."""
        if self.retries >= len(RETRY_DELAYS):
            return False
        delay = RETRY_DELAYS[self.retries]
        changed = self._mine().update(
            status=self.WAITING,
            retries=models.F("retries") + 1,
            available_at=Now() + timedelta(seconds=delay),
            lease_expires_at=None,
            updated_at=Now(),
        )
        if changed:
            self.ring(delay)
        return True

    def release(self) -> None:
        """Give a running row up at a clean shutdown: the next worker takes it at once, no retry is counted."""
        self._mine().update(status=self.WAITING, available_at=Now(), lease_expires_at=None, updated_at=Now())
        self.ring()

    def _mine(self) -> models.QuerySet[Self]:
        return type(self)._default_manager.filter(pk=self.pk, status=self.RUNNING, attempt=self.attempt)


class Lease:
    """A worker's hold on a claimed row: renewed by a thread every 2 s, asked by the work at each step."""

    def __init__(self, row: WorkRow) -> None:
        self.row = row
        self.progress_pct = row.progress_pct
        self._lost = threading.Event()
        self._ended = threading.Event()

    def check(self) -> None:
        """Raise LeaseLost when the row was cancelled or taken over; cheap enough for inner loops."""
        if self._lost.is_set():
            raise LeaseLost

    def report(self, share: float) -> None:
        """Progress from 0 to 1, written with the next heartbeat; raises LeaseLost like `check`."""
        self.progress_pct = max(0, min(99, int(share * 100)))
        self.check()

    @contextmanager
    def hold(self, before: Callable[[], Any] | None = None) -> Iterator[WorkRow]:
        """A transaction that holds the row's lock, after the locks that `before` takes (jobs first, always).

        Raises LeaseLost, and writes nothing, when the row is no longer this worker's.
        """
        with transaction.atomic():
            if before:
                before()
            self.verify()
            yield self.row

    def verify(self) -> None:
        """The fencing check, inside the caller's transaction: locks the row, or raises LeaseLost."""
        if not self.row._mine().select_for_update(of=("self",)).values_list("pk").first():
            raise LeaseLost

    @contextmanager
    def beating(self) -> Iterator[None]:
        thread = threading.Thread(target=self._beat, name=f"heartbeat-{self.row.pk}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                renewed = self.row._mine().update(
                    lease_expires_at=Now() + LEASE, heartbeat_at=Now(), progress_pct=self.progress_pct
                )
            except Exception:
                # The database may be restarting. The lease has five heartbeats' room; if it does run out, the
                # fencing check at the end says so.
                log.warning("heartbeat failed", exc_info=True)
                close_old_connections()
                continue
            if not renewed:
                self._lost.set()
                break
        connection.close()


ACTORS: dict[type[WorkRow], dramatiq.Actor[..., None]] = {}


def actor(model: type[WorkRow]) -> dramatiq.Actor[..., None]:
    """The Dramatiq actor that performs one kind of work row; made in a room's `tasks.py`."""

    def perform(row_id: str) -> None:
        perform_row(model, UUID(row_id))

    limit = int(model.TIME_LIMIT.total_seconds() * 1000)
    made = dramatiq.actor(
        actor_name=f"perform_{model._meta.model_name}",
        queue_name=model.QUEUE,
        time_limit=limit,
        notify_shutdown=True,
    )(perform)
    ACTORS[model] = made
    return made


def perform_row(model: type[WorkRow], row_id: UUID) -> bool:
    """Claim a row and do its work to the end. False when there was nothing to claim."""
    row = model.claim(row_id)
    if row is None:
        return False
    structlog.contextvars.bind_contextvars(correlation_id=row.correlation_id, work=str(row.pk))
    lease = Lease(row)
    try:
        with lease.beating():
            row.perform(lease)
    except LeaseLost:
        log.info("gave up work that is no longer ours")
    except WorkFailed as failure:
        log.info("work failed: %s", failure.code)
        _end(row, failure, lease)
    except dramatiq.middleware.TimeLimitExceeded:
        _end(row, WorkFailed("TIME_LIMIT_EXCEEDED", "This took longer than the service allows."), lease)
    except dramatiq.middleware.Shutdown:
        log.info("worker is shutting down: work goes back")
        row.release()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        log.exception("work met an error of the system")
        _end_or_take_back(row, lease, _STORAGE_FULL if full else _INTERNAL, retry=not full)
    except Exception:
        log.exception("work met an unexpected error")
        _end_or_take_back(row, lease, _INTERNAL, retry=True)
    finally:
        structlog.contextvars.clear_contextvars()
    return True


_STORAGE_FULL = WorkFailed("STORAGE_FULL", "The storage has no room left. Free some space, then try again.")
_INTERNAL = WorkFailed("INTERNAL_ERROR", "Something went wrong on our side. Try again, or ask support.")
_LOST = WorkFailed(
    "WORKER_LOST", "The workers that did this stopped several times. Try again, or ask support."
)


def _end_or_take_back(row: WorkRow, lease: Lease, failure: WorkFailed, *, retry: bool) -> None:
    if not (retry and row.take_back()):
        _end(row, failure, lease)


def _end(row: WorkRow, failure: WorkFailed, lease: Lease) -> None:
    try:
        row.fail_work(failure, lease=lease)
    except LeaseLost:
        log.info("a failure of work that is no longer ours")


def _send(to: dramatiq.Actor[..., None], *arguments: str, delay_seconds: int = 0) -> None:
    try:
        to.send_with_options(args=arguments, delay=delay_seconds * 1000 or None)
    except Exception:
        log.warning("the broker took no message; the sweep will ring again", exc_info=True)


def ring_once(actor_name: str, *arguments: str) -> None:
    """Ask a worker, once the transaction is in, for something that is worth one try and no more."""
    actor = dramatiq.get_broker().get_actor(actor_name)
    transaction.on_commit(lambda: _send(actor, *arguments))


def sweep() -> dict[str, int]:
    """Ring for what waits, take back what lost its lease, fail what is beyond its retries.

    One sweep at a time over all workers (an advisory lock of the session); each row in a transaction of its
    own, so that one that cannot be ended holds up no other. Answers how many rows of each it met.
    """
    counts = {"rung": 0, "taken_back": 0, "failed": 0}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SWEEP_LOCK])
        if not cursor.fetchone()[0]:
            return counts
    try:
        for model in ACTORS:
            lost = model._default_manager.filter(status=model.RUNNING, lease_expires_at__lt=Now())
            for row in lost.order_by("lease_expires_at")[:SWEEP_ROWS]:
                if _took_back_or_failed(row):
                    counts["taken_back"] += 1
                else:
                    counts["failed"] += 1
            waiting = model._default_manager.filter(status=model.WAITING, available_at__lt=Now() - OVERDUE)
            for row in waiting.order_by("available_at")[:SWEEP_ROWS]:
                row.ring()
                counts["rung"] += 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SWEEP_LOCK])
    return counts


def _took_back_or_failed(row: WorkRow) -> bool:
    try:
        with transaction.atomic():
            if row.take_back():
                return True
            row.fail_work(_LOST, lease=None)
    except Exception:
        log.exception("the sweep could not end %s %s", row._meta.model_name, row.pk)
    return False
