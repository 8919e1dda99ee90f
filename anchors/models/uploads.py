"""Pictures that their owner uploads, and what an `idempotency_key` of putting one on an anchor was used for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from anchors.models.anchors import Anchor
from config.accounts.models import User
from instructions.models import InstructionVersion
from jobs.models import Job, Ticket


class ImageUploadQuerySet(models.QuerySet["ImageUpload"]):
    def visible_to(self, user: User) -> ImageUploadQuerySet:
        return self.filter(job__owner_id=user.pk)


class ImageUpload(Ticket):
    """The ticket for one picture, whose bytes the checksum determines: a refusal is for good, and closes it.

    It is confirmed when it has an asset, the first of those with its bytes.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="image_uploads")
    checksum_sha256 = models.CharField(max_length=64)
    objects = ImageUploadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["job", "id"], condition=Q(closed_at=None), name="open_image_uploads"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(refusal_code="") | Q(received_at=None, closed_at__isnull=False),
                name="refused_picture_is_gone",
            )
        ]

    @property
    def declared_sha256(self) -> str:
        return self.checksum_sha256


class AttachRequest(models.Model):
    """What an `idempotency_key` of putting a picture on an anchor was used for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    anchor = models.ForeignKey(Anchor, models.CASCADE, related_name="attach_requests")
    idempotency_key = models.CharField(max_length=255)
    upload = models.ForeignKey(ImageUpload, models.CASCADE, related_name="+")
    instruction_version = models.ForeignKey(InstructionVersion, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["anchor", "idempotency_key"], name="one_attach_a_key")]

    def __str__(self) -> str:
        return self.idempotency_key
