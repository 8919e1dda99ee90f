"""The rows of the app `anchors`: where a picture stands, its pictures, and the work of getting them."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from config.accounts.models import User
from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from instructions.models import Instruction, InstructionVersion
from jobs.models import AppendOnly, Job


class AnchorQuerySet(models.QuerySet["Anchor"]):
    def visible_to(self, user: User) -> AnchorQuerySet:
        return self.filter(instruction__job__owner_id=user.pk)


class Anchor(models.Model):
    """A place in one version of a document that carries a picture: a block, or a range of its text."""

    class AddressType(models.TextChoices):
        BLOCK_ID = "block_id"
        CHAR_RANGE = "char_range"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, models.CASCADE, related_name="anchors", db_index=False)
    instruction_version = models.ForeignKey(
        InstructionVersion, models.CASCADE, related_name="anchors", db_index=False
    )
    address_type = models.CharField(max_length=16, choices=AddressType.choices)
    block_id = models.UUIDField(null=True)
    char_start = models.PositiveIntegerField(null=True)
    char_end = models.PositiveIntegerField(null=True)
    active_asset = models.ForeignKey("Asset", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    objects = AnchorQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["instruction", "id"], name="anchor_list"),
            models.Index(fields=["instruction_version", "id"], name="anchor_list_of_version"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(address_type="block_id", block_id__isnull=False, char_start__isnull=True)
                | Q(address_type="char_range", block_id__isnull=True, char_start__lt=models.F("char_end")),
                name="anchor_has_one_address",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def addressing(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"address_type": self.address_type}
        if self.address_type == self.AddressType.BLOCK_ID:
            shown["block_id"] = str(self.block_id)
        else:
            shown["char_range"] = {"start_offset": self.char_start, "end_offset": self.char_end}
        return shown


class AnchorResolution(models.Model):
    """Where an anchor stands in another version than its own; found once, as neither of the two ever changes.

    `addressing` is its address there, null when it is unresolved.
    """

    class State(models.TextChoices):
        RETAIN = "retain"
        REMAP = "remap"
        UNRESOLVED = "unresolved"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    anchor = models.ForeignKey(Anchor, models.CASCADE, related_name="resolutions")
    target_version = models.ForeignKey(InstructionVersion, models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices)
    addressing = models.JSONField(null=True)
    trace = models.JSONField()  # {method, score, from, to}
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="resolutions_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["anchor", "target_version"], name="resolved_once_a_version"),
            models.CheckConstraint(
                condition=Q(state="unresolved", addressing__isnull=True)
                | Q(state__in=["retain", "remap"], addressing__isnull=False),
                name="resolution_has_an_address",
            ),
        ]
        triggers = [AppendOnly(name="resolution_immutable")]

    def __str__(self) -> str:
        return f"{self.anchor_id} in {self.target_version_id}: {self.state}"


class AssetQuerySet(models.QuerySet["Asset"]):
    def visible_to(self, user: User) -> AssetQuerySet:
        return self.filter(job__owner_id=user.pk)


class Asset(models.Model):
    """One picture. Its bytes and what they came from never change; only `is_deleted` and `anchor` do."""

    class Kind(models.TextChoices):
        EXTRACTED = "EXTRACTED"
        UPLOADED = "UPLOADED"
        ANNOTATED = "ANNOTATED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="assets")
    anchor = models.ForeignKey(Anchor, models.CASCADE, null=True, related_name="assets")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    previous_asset = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    uri = models.CharField(max_length=2048)
    mime_type = models.CharField(max_length=32)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    checksum_sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField(default=0)  # 0 of pictures older than this column
    extraction_key = models.CharField(max_length=64, default="", blank=True)
    extracted_at_ms = models.PositiveIntegerField(null=True)
    ops_hash = models.CharField(max_length=64, default="", blank=True)
    operations = models.JSONField(null=True)
    rendered_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    is_deleted = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    objects = AssetQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "id"], name="assets_by_kind"),
            models.Index(fields=["is_deleted", "id"], name="assets_by_deletion"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["anchor", "version"], name="asset_version_once"),
            models.UniqueConstraint(
                fields=["anchor", "ops_hash"],
                condition=~Q(ops_hash="") & Q(is_deleted=False),
                name="annotated_once",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="asset_bytes_immutable",
                fields=[
                    "uri",
                    "kind",
                    "mime_type",
                    "width",
                    "height",
                    "checksum_sha256",
                    "size_bytes",
                    "ops_hash",
                    "operations",
                ],
            )
        ]


class ScreenshotTaskQuerySet(models.QuerySet["ScreenshotTask"]):
    def visible_to(self, user: User) -> ScreenshotTaskQuerySet:
        return self.filter(job__owner_id=user.pk)


class ScreenshotTask(WorkRow):
    """The work of taking one picture out of a job's video."""

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
    at_ms = models.PositiveIntegerField()  # timestamp + offset
    strategy = models.CharField(max_length=32)
    image_format = models.CharField(max_length=8)
    extraction_key = models.CharField(max_length=64)
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
            models.UniqueConstraint(fields=["extraction_key"], name="extraction_once"),
            models.UniqueConstraint(fields=["job", "idempotency_key"], name="screenshot_idempotency"),
        ]


class AnnotationRequest(models.Model):
    """What an `idempotency_key` of an anchor's annotations was used for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    anchor = models.ForeignKey(Anchor, models.CASCADE, related_name="annotation_requests")
    idempotency_key = models.CharField(max_length=255)
    ops_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["anchor", "idempotency_key"], name="one_annotation_a_key")
        ]

    def __str__(self) -> str:
        return self.idempotency_key
