"""The work of getting pictures."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from anchors.models.anchors import Anchor
from anchors.models.assets import Asset
from config.accounts.models import User
from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from instructions.models import InstructionVersion
from jobs.models import Job


class ScreenshotTaskQuerySet(models.QuerySet["ScreenshotTask"]):
    def visible_to(self, user: User) -> ScreenshotTaskQuerySet:
        return self.filter(job__owner_id=user.pk)


class ScreenshotTask(WorkRow):
    """The work of one picture: taken out of a job's video, or drawn on another.

    `request_key` is the SHA-256 of what determines the picture and its place: the same request is the same task.
    """

    MAX_OPEN_PER_OWNER = 100

    class Operation(models.TextChoices):
        EXTRACT = "extract"
        REPLACE = "replace"
        ANNOTATE = "annotate"

    lane = models.CharField(max_length=16, default=Lane.MEDIA)
    job = models.ForeignKey(Job, models.CASCADE, related_name="screenshot_tasks")
    operation = models.CharField(max_length=16, choices=Operation.choices)
    instruction_version = models.ForeignKey(InstructionVersion, models.CASCADE, related_name="+")
    anchor = models.ForeignKey(Anchor, models.CASCADE, null=True, related_name="tasks")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="+")
    request_key = models.CharField(max_length=64)
    # Of a picture of the video:
    at_ms = models.PositiveIntegerField(null=True)  # timestamp + offset
    strategy = models.CharField(max_length=32, default="", blank=True)
    image_format = models.CharField(max_length=8, default="", blank=True)
    is_auto = models.BooleanField(default=False)  # asked for by `auto`, not by its owner
    # Of one that is drawn:
    base = models.ForeignKey(Asset, models.CASCADE, null=True, related_name="+")
    operations = models.JSONField(null=True)
    extracted_at_ms = models.PositiveIntegerField(null=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    objects = ScreenshotTaskQuerySet.as_manager()

    class Meta:
        indexes = [
            *work_indexes("screenshot"),
            models.Index(fields=["status", "id"], name="screenshots_by_status"),
            models.Index(fields=["operation", "id"], name="screenshots_by_operation"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="screenshot_status_known",
            ),
            models.UniqueConstraint(fields=["request_key"], name="picture_asked_for_once"),
            models.UniqueConstraint(fields=["job", "idempotency_key"], name="screenshot_idempotency"),
            models.CheckConstraint(
                condition=Q(operation="annotate", base__isnull=False, at_ms__isnull=True)
                | Q(operation__in=["extract", "replace"], base__isnull=True, at_ms__isnull=False),
                name="screenshot_has_its_source",
            ),
        ]


class ScreenActivity(WorkRow):
    """When the screen changes in a job's video, and the work of finding that out: once, as a video does not change.

    `activity` is as `anchors.activity` writes it, null until it is known; `key_frames` as `anchors.frames` does.
    `makes_pictures` says that the newest draft gets its pictures then.
    """

    lane = models.CharField(max_length=16, default=Lane.MEDIA)
    job = models.OneToOneField(Job, models.CASCADE, related_name="screen_activity")
    activity = models.JSONField(null=True)
    key_frames = models.JSONField(
        default=list
    )  # [[pts, position]]; empty for a file that has an index of its own
    makes_pictures = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "screen activities"
        indexes = [*work_indexes("activity")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="activity_status_known",
            )
        ]
