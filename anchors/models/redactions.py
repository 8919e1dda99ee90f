"""What is hidden in all pictures of a stretch of the video, and the work of hiding it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid6 import uuid7

from config.accounts.models import User
from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from jobs.models import Job


class RedactionQuerySet(models.QuerySet["Redaction"]):
    def visible_to(self, user: User) -> RedactionQuerySet:
        return self.filter(job__owner_id=user.pk)


class Redaction(models.Model):
    """A region, in shares of the picture's width and height, that is hidden wherever a frame of a span shows it."""

    class Mode(models.TextChoices):
        PIXELATE = "pixelate"
        SOLID = "solid"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="redactions", db_index=False)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.PIXELATE)
    created_at = models.DateTimeField(db_default=Now())
    objects = RedactionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="redactions_of_job")]
        constraints = [
            models.CheckConstraint(condition=Q(start_ms__lte=F("end_ms")), name="redaction_ends_after_start")
        ]

    def __str__(self) -> str:
        return f"{self.start_ms} to {self.end_ms} ms of {self.job_id}"


class RedactionRun(WorkRow):
    """The work of bringing the pictures of a job in line with its redactions: one row a job, run after each change.

    `asked` counts the changes, and `seen` is how many of them the run knew when it looked last.
    """

    lane = models.CharField(max_length=16, default=Lane.MEDIA)
    job = models.OneToOneField(Job, models.CASCADE, related_name="redaction_run")
    asked = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [*work_indexes("redaction")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="redaction_status_known",
            )
        ]
