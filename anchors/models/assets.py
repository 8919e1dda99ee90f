"""Pictures, and what their annotations were asked for with."""

from __future__ import annotations

import secrets

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from anchors.models.anchors import Anchor
from anchors.models.uploads import ImageUpload
from config.accounts.models import User
from jobs.media.clock import clock
from jobs.models import Job


def new_salt() -> bytes:
    """Return the 32 random bytes of a picture's commitments."""
    return secrets.token_bytes(32)


class AssetQuerySet(models.QuerySet["Asset"]):
    def visible_to(self, user: User) -> AssetQuerySet:
        return self.filter(job__owner_id=user.pk)


class Asset(models.Model):
    """One picture. Its bytes and what they came from never change.

    A concealed one shows what a redaction hides: its bytes are given to nobody. Its redacted rendering, which says
    whose it is in `redacts`, takes its place.
    """

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
    # Of what the picture shows in exports (`anchors.pixels`). Frames have it when they are taken as PNG; of other
    # pictures the first export finds it, which has to decode them for that.
    pixels_sha256 = models.CharField(max_length=64, default="", blank=True)
    extraction_key = models.CharField(max_length=64, default="", blank=True)
    extracted_at_ms = models.PositiveIntegerField(null=True)
    shown_until_ms = models.PositiveIntegerField(
        null=True
    )  # the next frame comes up then; null when not known
    frame = models.JSONField(
        null=True
    )  # {pts, time_base, pix_fmt, frame_sha256} of what was taken out of the video
    upload = models.ForeignKey(ImageUpload, models.SET_NULL, null=True, related_name="assets")
    ops_hash = models.CharField(max_length=64, default="", blank=True)
    operations = models.JSONField(null=True)
    rendered_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    is_redacted = models.BooleanField(default=False)  # something that the base shows was hidden
    is_rendering = models.BooleanField(
        default=False
    )  # the redacted rendering of another, which `redacts` names
    redacts = models.ForeignKey("self", models.SET_NULL, null=True, related_name="redacted")
    is_concealed = models.BooleanField(default=False)
    commitment_salt = models.BinaryField(max_length=32, default=new_salt)
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
                # By the base, not its bytes: of two frames that look alike a redaction may conceal one.
                fields=["anchor", "rendered_from", "ops_hash"],
                condition=~Q(ops_hash="") & Q(is_deleted=False, is_rendering=False),
                name="annotated_once",
            ),
            models.UniqueConstraint(
                fields=["anchor", "upload"], condition=Q(is_deleted=False), name="attached_once"
            ),
            models.UniqueConstraint(fields=["upload"], condition=Q(anchor=None), name="confirmed_once"),
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
                    "extracted_at_ms",
                    "shown_until_ms",
                    "frame",
                    "commitment_salt",
                    "is_redacted",
                    "is_rendering",
                ],
            ),
            pgtrigger.Protect(
                name="asset_pixels_written_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__pixels_sha256__df=pgtrigger.F("new__pixels_sha256"))
                & ~pgtrigger.Q(old__pixels_sha256=""),
            ),
        ]

    def __str__(self) -> str:
        """Such as `Picture at 0:12 of Pay bills`, by what staff see of a job anyway."""
        kind = {self.Kind.EXTRACTED: "Picture", self.Kind.UPLOADED: "Uploaded picture"}
        at = "" if self.extracted_at_ms is None else f" at {clock(self.extracted_at_ms)}"
        return f"{kind.get(self.Kind(self.kind), 'Annotated picture')}{at} of {self.job.title}"


def shown_assets() -> models.Prefetch[str]:
    """Return the pictures of anchors that are not concealed, to be fetched with them: without their operations, which
    may be megabytes, and which no answer has."""
    shown = Asset.objects.filter(is_concealed=False).defer("operations", "commitment_salt")
    return models.Prefetch("assets", shown)


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
