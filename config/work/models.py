"""Rows that are work, and the workers that perform them.

    WAITING --claim--> RUNNING --close--> SUCCEEDED
       ^                  |------close--> FAILED
       |---retry later----|   (lease lost, or an unexpected error: at most 3 times, after 5, 10, 20 s)

`attempt` counts claims and is the fencing token: what a worker writes at the end of its work is guarded by
`Lease.hold()`, which finds no row once it was cancelled or claimed by somebody else. Times are the database's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from uuid6 import uuid7

from config.work.enqueue import enqueue_on_commit

LEASE = timedelta(seconds=10)
RETRY_DELAYS = (5, 10, 20)  # seconds


class WorkFailed(Exception):
    """The work cannot succeed, now or later: a code, and a sentence that a user may read."""

    def __init__(self, code: str, message: str, *, stage: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.stage = code, message, stage


class WorkRow(models.Model):
    """A row that a worker performs. A kind of work inherits this and is registered in its app's `tasks.py`.

    A subclass may give the four statuses names of its own; its check constraint names them all.
    """

    WAITING: ClassVar[str] = "PENDING"
    RUNNING: ClassVar[str] = "RUNNING"
    SUCCEEDED: ClassVar[str] = "SUCCEEDED"
    FAILED: ClassVar[str] = "FAILED"

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

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @classmethod
    def claim(cls, pk: UUID) -> Self | None:
        """Return a waiting row, held by this worker; None when another has it or its time has not come."""
        due = cls._default_manager.filter(pk=pk, status=cls.WAITING, available_at__lte=Now())
        return cls._default_manager.get(pk=pk) if due.update(**cls._claimed(LEASE)) else None

    def begin(self, lease: timedelta) -> None:
        """Hold a row of any status for this process, once, for as long as `lease`. The caller has locked it."""
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

    def held(self) -> models.QuerySet[Self]:
        """The row, as long as the claim that this instance was made by holds it."""
        return type(self)._default_manager.filter(pk=self.pk, status=self.RUNNING, attempt=self.attempt)

    def close(self, status: str, *fields: str, failure: WorkFailed | None = None) -> None:
        """Set the row's last status, and write `fields` with it. The caller holds the row's lock."""
        self.status, self.lease_expires_at = status, None
        self.failure_code = failure.code if failure else ""
        self.failure_message = failure.message if failure else ""
        self.failed_stage = failure.stage if failure else ""
        if status == self.SUCCEEDED:
            self.progress_pct = 100
        self.updated_at = timezone.now()
        ended = ("status", "lease_expires_at", "failure_code", "failure_message", "failed_stage")
        self.save(update_fields=[*ended, "progress_pct", "updated_at", *fields])

    def enqueue_on_commit(self, *, delay_seconds: int = 0) -> None:
        enqueue_on_commit(type(self), self.pk, delay_seconds=delay_seconds)

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
        self.enqueue_on_commit()

    def retry_later(self) -> bool:
        """Give a running row up for another attempt later; False when it has had all its retries."""
        if self.retries >= len(RETRY_DELAYS):
            return False
        delay = RETRY_DELAYS[self.retries]
        changed = self.held().update(
            status=self.WAITING,
            retries=models.F("retries") + 1,
            available_at=Now() + timedelta(seconds=delay),
            lease_expires_at=None,
            updated_at=Now(),
        )
        if changed:
            self.enqueue_on_commit(delay_seconds=delay)
        return True

    def requeue(self) -> None:
        """Give a running row up at a clean shutdown: the next worker takes it at once, no retry is counted."""
        self.held().update(status=self.WAITING, available_at=Now(), lease_expires_at=None, updated_at=Now())
        self.enqueue_on_commit()


class Worker(models.Model):
    """A worker process and its last heartbeat."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=128)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
