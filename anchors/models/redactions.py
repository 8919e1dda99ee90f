"""What is hidden in all pictures of a stretch of the video, what is suggested for it, and the work of both."""

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


class SensitiveSearch(WorkRow):
    """The work of finding what should be hidden in a job's video: once, as a video does not change.

    Of a job with `auto_redact` no picture of the video is shown before `is_decided`. `cover` hides all of the pictures
    where the search failed.
    """

    lane = models.CharField(max_length=16, default=Lane.MEDIA)
    job = models.OneToOneField(Job, models.CASCADE, related_name="sensitive_search")
    is_decided = models.BooleanField(default=False)
    cover = models.ForeignKey(Redaction, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "sensitive searches"
        indexes = [*work_indexes("search")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="search_status_known",
            )
        ]


class RedactionSuggestion(models.Model):
    """Something that was found to be hidden, and the redaction that hides it, if it was accepted. What it says is not
    kept."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        CARD = "card"
        TOKEN = "token"  # nosec B105
        PHONE = "phone"
        NAME = "name"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="redaction_suggestions", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    confidence = models.FloatField()
    redaction = models.ForeignKey(Redaction, models.SET_NULL, null=True, related_name="suggestions")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="suggestions_of_job")]

    def __str__(self) -> str:
        return f"{self.kind} from {self.start_ms} to {self.end_ms} ms of {self.job_id}"
