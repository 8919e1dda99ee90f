"""Rows of background work, and the workers that perform it.

    WAITING --claim--> RUNNING --close--> SUCCEEDED
       ^                  |------close--> FAILED
       |---retry later----|   (an unexpected error: at most 3 times, after 5, 10, 20 s)
       |---recover--------|   (the worker was lost: at most 8 times, after about 2, 4, 8 … s)

`attempt` counts claims and is the fencing token: a worker writes its results under `Lease.hold()`, which finds no
row if it was cancelled or claimed by another worker. Times are those of the database.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Least, Now
from django.utils import timezone
from uuid6 import uuid7

from config.accounts.models import User
from config.updates import update_rows
from config.work.enqueue import enqueue_on_commit
from config.work.fairness import claim_due, claim_next_in_line

LEASE = timedelta(seconds=10)
RETRY_DELAYS = (5, 10, 20)  # seconds
MAX_LOSSES = 8
LOSS_DELAY_SECONDS = 2  # after the first loss, on average; it doubles with each
ALIVE_SECONDS = 30  # a worker after its last heartbeat
MAX_CLAIMS_AT_ONCE = 32  # in one lane, in the same moment


_ENDED = (
    *("status", "lease_expires_at", "failure_code", "failure_message", "failed_stage"),
    *("progress_pct", "updated_at"),
)


class WorkFailed(Exception):
    """The work cannot succeed, now or later. It has a code, and a sentence for users."""

    def __init__(self, code: str, message: str, *, stage: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.stage = code, message, stage


class WorkRow(models.Model):
    """A row of work for a worker. Each kind of work is a subclass, and is registered in the `tasks.py` of its app.

    A subclass may rename the four statuses; its check constraint lists them. It gives `lane` a default, and has the
    indexes of `work_indexes`.
    """

    WAITING: ClassVar[str] = "PENDING"
    RUNNING: ClassVar[str] = "RUNNING"
    SUCCEEDED: ClassVar[str] = "SUCCEEDED"
    FAILED: ClassVar[str] = "FAILED"
    MAX_OPEN_PER_OWNER: ClassVar[int | None] = None
    """Rows of one owner that may wait or run (see `limits`); None where something else limits them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=16)
    # The job's owner, so that claims take owners in turn without a join.
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    lane = models.CharField(max_length=16)
    attempt = models.PositiveIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(default=0)  # after errors of its own
    losses = models.PositiveSmallIntegerField(default=0)  # of its worker
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

    def __str__(self) -> str:
        return f"{str(self._meta.verbose_name).capitalize()} {str(self.pk)[-6:]}"

    @classmethod
    def claim(cls, pk: UUID) -> Self | None:
        """Claim a waiting row and return it; None if another worker has it or it is not due."""
        due = cls._default_manager.filter(pk=pk, status=cls.WAITING, available_at__lte=Now())
        return cls._default_manager.get(pk=pk) if due.update(**cls._claimed(LEASE)) else None

    @classmethod
    def claim_next(cls, lane: str) -> Self | None:
        """Claim the row whose turn it is in the lane (see `fairness`) and return it; None if none is due."""
        claim = claim_next_in_line(
            cls._meta.db_table,
            waiting=cls.WAITING,
            running=cls.RUNNING,
            at_once=MAX_CLAIMS_AT_ONCE,
            workers=Worker._meta.db_table,
            alive_seconds=ALIVE_SECONDS,
        )
        return next(iter(cls._default_manager.raw(claim, {"lane": lane, "lease": LEASE})), None)

    @classmethod
    def claim_in_bulk(cls, lane: str, limit: int) -> list[Self]:
        """Claim up to `limit` rows that are due in a lane of BULK and return them."""
        claim = claim_due(cls._meta.db_table, waiting=cls.WAITING, running=cls.RUNNING)
        return list(cls._default_manager.raw(claim, {"lane": lane, "lease": LEASE, "limit": limit}))

    @classmethod
    def held_of(cls, rows: Iterable[Self]) -> list[Self]:
        """Lock these rows in the caller's transaction, and return those whose claims have not ended."""
        asked = {row.pk: row for row in rows}
        running = cls._default_manager.filter(pk__in=asked, status=cls.RUNNING).select_for_update(
            of=("self",)
        )
        held = running.values_list("pk", "attempt")
        return [asked[pk] for pk, attempt in held if asked[pk].attempt == attempt]

    def begin(self, lease: timedelta) -> None:
        """Claim a row of any status for this process, for the time of `lease`. The caller holds the row's lock."""
        type(self)._default_manager.filter(pk=self.pk).update(
            **self._claimed(lease), failure_code="", failure_message="", failed_stage=""
        )
        self.refresh_from_db()

    @classmethod
    def _claimed(cls, lease: timedelta) -> dict[str, Any]:
        return {
            "status": cls.RUNNING,
            "attempt": models.F("attempt") + 1,
            "lease_expires_at": Now() + lease,
            "heartbeat_at": Now(),
            "updated_at": Now(),
        }

    def take_over(self) -> bool:
        """Claim a running row whose lease has run out. False if it was renewed, ended or claimed in between."""
        lost = self.held().filter(lease_expires_at__lt=Now())
        if not lost.update(**self._claimed(LEASE)):
            return False
        self.refresh_from_db()
        return True

    def held(self) -> models.QuerySet[Self]:
        """Return the row as a queryset, which is empty when the claim of this instance has ended."""
        return type(self)._default_manager.filter(pk=self.pk, status=self.RUNNING, attempt=self.attempt)

    def close(self, status: str, *fields: str, failure: WorkFailed | None = None) -> None:
        """Set the final status, and save `fields` with it. The caller holds the row's lock."""
        self._end(status, failure)
        self.save(update_fields=[*_ENDED, *fields])

    @classmethod
    def close_all(cls, rows: Sequence[Self], status: str, *fields: str) -> None:
        """Close these rows as `close` does one, by one statement. The caller holds their locks."""
        for row in rows:
            row._end(status, None)
        update_rows(rows, [*_ENDED, *fields])

    def _end(self, status: str, failure: WorkFailed | None) -> None:
        self.status, self.lease_expires_at = status, None
        self.failure_code = failure.code if failure else ""
        self.failure_message = failure.message if failure else ""
        self.failed_stage = failure.stage if failure else ""
        if status == self.SUCCEEDED:
            self.progress_pct = 100
        self.updated_at = timezone.now()

    def make_waiting(self) -> None:
        """Let a row wait, a new one or one that ended, with all its retries. The caller saves it."""
        self.status, self.retries, self.losses = self.WAITING, 0, 0

    def enqueue_on_commit(self) -> None:
        enqueue_on_commit(type(self), self.pk, self.lane)

    def enqueue_next_of_owner(self) -> None:
        """Tell the lane that this row's owner has another, if one is due: its message may have come while the owner
        had his share of the lane already, and nobody could claim it."""
        due = {"status": self.WAITING, "available_at__lte": Now()}
        waiting = type(self)._default_manager.filter(lane=self.lane, owner_id=self.owner_id, **due)
        if row_id := waiting.order_by("available_at", "id").values_list("pk", flat=True).first():
            enqueue_on_commit(type(self), row_id, self.lane)

    def reopen(self) -> None:
        """Let a FAILED row be tried again, with all its retries. The caller holds the row's lock."""
        type(self)._default_manager.filter(pk=self.pk).update(**self._reopened())
        self.refresh_from_db()
        self.enqueue_on_commit()

    def reopen_failed(self) -> bool:
        """Do the same to a row that is not locked; False if it is not the failed one any more that was read."""
        failed = {"pk": self.pk, "status": self.FAILED, "attempt": self.attempt}
        if not type(self)._default_manager.filter(**failed).update(**self._reopened()):
            return False
        self.enqueue_on_commit()
        return True

    def hasten(self) -> bool:
        """Let the time of a waiting row come now, and tell its lane again; False if it does not wait any more."""
        waiting = type(self)._default_manager.filter(pk=self.pk, status=self.WAITING)
        if not waiting.update(available_at=Least(models.F("available_at"), Now()), updated_at=Now()):
            return False
        self.enqueue_on_commit()
        return True

    @classmethod
    def _reopened(cls) -> dict[str, Any]:
        return {
            "status": cls.WAITING,
            "retries": 0,
            "losses": 0,
            "progress_pct": 0,
            "failure_code": "",
            "failure_message": "",
            "failed_stage": "",
            "available_at": Now(),
            "updated_at": Now(),
        }

    def retry_later(self) -> bool:
        """Release a running row, after an error, for another attempt later; False if it has no retries left."""
        if self.retries >= len(RETRY_DELAYS):
            return False
        self._release(timedelta(seconds=RETRY_DELAYS[self.retries]), retries=models.F("retries") + 1)
        return True

    def recover(self) -> bool:
        """Release a running row whose worker was lost, for another attempt later; False after too many losses.

        The delays are spread, so that rows that were lost together are not performed together again: it may have
        been one of them that ended the worker.
        """
        if self.losses >= MAX_LOSSES:
            return False
        seconds = LOSS_DELAY_SECONDS * 2**self.losses * random.uniform(0.5, 1.5)  # nosec B311
        self._release(timedelta(seconds=seconds), losses=models.F("losses") + 1)
        return True

    def requeue(self) -> None:
        """Release a running row at a clean shutdown, for the next worker at once, without counting a retry."""
        self._release(timedelta(0))
        self.enqueue_on_commit()

    def _release(self, delay: timedelta, **counted: models.F | models.expressions.Combinable) -> None:
        """Let the row wait again. When a delay has passed, by the clock of the database, `due` enqueues it."""
        self.held().update(
            status=self.WAITING,
            available_at=Now() + delay,
            lease_expires_at=None,
            updated_at=Now(),
            **counted,
        )


def work_indexes(
    name: str, *, waiting: str = WorkRow.WAITING, running: str = WorkRow.RUNNING
) -> list[models.Index]:
    """Return the indexes by which `claim_next` and the sweep find their rows: none grows with those that have ended."""
    is_waiting, is_running = models.Q(status=waiting), models.Q(status=running)
    return [
        models.Index(
            fields=["lane", "owner", "available_at", "id"], condition=is_waiting, name=f"{name}_claim"
        ),
        models.Index(fields=["lane", "available_at"], condition=is_waiting, name=f"{name}_due"),
        models.Index(fields=["id"], condition=is_running, name=f"{name}_running"),
    ]


class Worker(models.Model):
    """A worker process, its last heartbeat, and the lanes that it serves: each as often as it has threads there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=128)
    lanes = ArrayField(models.CharField(max_length=16), default=list)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("requeue_any_work", "Can requeue any work that waits or has failed")]

    def __str__(self) -> str:
        return self.name
