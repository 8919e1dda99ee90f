"""The row of the app `exports`."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from config.accounts.models import User
from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from exports import states
from exports.look import PAPER_SIZES, Look
from exports.states import ExportStatus
from instructions.models import InstructionVersion
from jobs.models import Job, Project


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> ExportQuerySet:
        return self.filter(job__owner_id=user.pk)


class Export(WorkRow):
    """One artifact of one version in one format, with the pictures that were active when it was requested.

    `snapshot` is the frozen input (see snapshot.Document); once SUCCEEDED the database refuses every change.
    """

    WAITING = ExportStatus.REQUESTED.value
    ACTIVE = (WAITING, ExportStatus.RUNNING.value)
    MAX_OPEN_PER_OWNER = 20

    class Format(models.TextChoices):
        PDF = "PDF"
        MD_ZIP = "MD_ZIP"
        HTML = "HTML"
        DOCX = "DOCX"

    lane = models.CharField(max_length=16, default=Lane.EXPORTS)
    job = models.ForeignKey(Job, models.CASCADE, related_name="exports", db_index=False)
    instruction_version = models.ForeignKey(InstructionVersion, models.RESTRICT, related_name="exports")
    format = models.CharField(max_length=8, choices=Format.choices)
    identity_key = models.CharField(max_length=64)
    screenshot_set_hash = models.CharField(max_length=64)
    renderer_version = models.CharField(max_length=255)
    instruction_snapshot_id = models.UUIDField()
    snapshot = models.JSONField()
    manifest = models.JSONField(null=True)
    generated_at = models.DateTimeField(null=True)
    provenance_frozen_at = models.DateTimeField(null=True)
    last_audit_event = models.CharField(max_length=64, default="EXPORT_REQUESTED")
    artifact_uri = models.CharField(max_length=2048, default="", blank=True)
    artifact_sha256 = models.CharField(max_length=64, default="", blank=True)
    artifact_size_bytes = models.PositiveBigIntegerField(null=True)
    artifact_name = models.CharField(max_length=255, default="", blank=True)
    artifact_mime_type = models.CharField(max_length=128, default="", blank=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    objects = ExportQuerySet.as_manager()

    class Meta:
        permissions = [
            ("render_any_export", "Can render any failed export again"),
            ("verify_any_export", "Can verify any export"),
        ]
        indexes = [
            *work_indexes("export", waiting="REQUESTED"),
            models.Index(fields=["status", "id"], name="exports_by_status"),
            models.Index(fields=["job", "id"], name="export_list"),
            models.Index(fields=["format", "id"], name="exports_by_format"),
            models.Index(fields=["identity_key"], name="exports_by_identity"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ExportStatus.values),
                name="export_status_known",
            ),
            models.UniqueConstraint(fields=["job", "identity_key"], name="export_once"),
            models.UniqueConstraint(fields=["job", "idempotency_key"], name="export_idempotency"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="export_frozen",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="SUCCEEDED"),
            ),
            pgtrigger.FSM(name="export_status_table", field="status", transitions=states.pairs()),
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.job.title}, version {self.instruction_version.version}"


class GuideTemplate(models.Model):
    """How the guides of a project look. What is empty is the default. The logo lies in the row: it is small, and files
    hang on jobs."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="guide_template")
    accent_color = models.CharField(max_length=7, default="", blank=True)
    footer = models.CharField(max_length=120, default="", blank=True)
    paper_size = models.CharField(max_length=8, default="A4", choices=[(size, size) for size in PAPER_SIZES])
    logo = models.BinaryField(default=b"", blank=True)
    logo_width = models.PositiveIntegerField(default=0)
    logo_height = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"template of {self.project_id}"

    @property
    def look(self) -> Look:
        png = base64.b64encode(bytes(self.logo)).decode() if self.logo else None
        return Look(self.paper_size, self.accent_color or None, self.footer or None, png)

    @property
    def shown_logo(self) -> dict[str, Any] | None:
        """What is told of the logo."""
        if not self.logo:
            return None
        sha256 = hashlib.sha256(bytes(self.logo)).hexdigest()
        return {"sha256": sha256, "width": self.logo_width, "height": self.logo_height}
