"""Rows of background work, and the workers that perform it.

    WAITING --claim--> RUNNING --close--> SUCCEEDED
       ^                  |------close--> FAILED
       |---retry later----|   (lease lost, or an unexpected error: at most 3 times, after 5, 10, 20 s)

`attempt` counts claims and is the fencing token: a worker writes its results under `Lease.hold()`, which finds no
row if it was cancelled or claimed by another worker. Times are those of the database.
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
    """The work cannot succeed, now or later. It has a code, and a sentence for users."""

    def __init__(self, code: str, message: str, *, stage: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.stage = code, message, stage


class WorkRow(models.Model):
    """A row of work for a worker. Each kind of work is a subclass, and is registered in the `tasks.py` of its app.

    A subclass may rename the four statuses; its check constraint lists them.
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
        """Claim a waiting row and return it; None if another worker has it or it is not due."""
        due = cls._default_manager.filter(pk=pk, status=cls.WAITING, available_at__lte=Now())
        return cls._default_manager.get(pk=pk) if due.update(**cls._claimed(LEASE)) else None

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
        self.status, self.lease_expires_at = status, None
        self.failure_code = failure.code if failure else ""
        self.failure_message = failure.message if failure else ""
        self.failed_stage = failure.stage if failure else ""
        if status == self.SUCCEEDED:
            self.progress_pct = 100
        self.updated_at = timezone.now()
        ended = ("status", "lease_expires_at", "failure_code", "failure_message", "failed_stage")
        self.save(update_fields=[*ended, "progress_pct", "updated_at", *fields])

    def make_waiting(self) -> None:
        """Let a row wait, a new one or one that ended, with all its retries. The caller saves it."""
        self.status, self.retries = self.WAITING, 0

    def enqueue_on_commit(self, *, delay_seconds: int = 0) -> None:
        enqueue_on_commit(type(self), self.pk, delay_seconds=delay_seconds)

    def reopen(self) -> None:
        """Let a FAILED row be tried again, with all its retries. The caller holds the row's lock."""
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
        """Release a running row for another attempt later; return False if it has no retries left."""
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
        """Release a running row at a clean shutdown, for the next worker at once, without counting a retry."""
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
