"""Tickets for uploads, and how far the walk over the stored files has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from jobs.models.jobs import Job


class Ticket(models.Model):
    """Leave to upload one file of a job: of this size and type, begun before it expires, until it is closed.

    A closed ticket has no file, and takes none. A file that was refused is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255, unique=True)  # of the storage
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=127)
    size_bytes = models.PositiveBigIntegerField()  # as declared, and so many come
    expires_at = models.DateTimeField()
    receipts = models.PositiveIntegerField(
        default=0
    )  # how many times the file came: tells its contents apart
    received_at = models.DateTimeField(null=True, blank=True)  # null when no file lies there
    refusal_code = models.CharField(max_length=64, default="", blank=True)
    refusal_message = models.CharField(max_length=500, default="", blank=True)
    closed_at = models.DateTimeField(
        null=True, blank=True
    )  # confirmed, superseded, expired, or the job went on
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.filename} ({self.size_bytes} bytes)"

    @property
    def declared_sha256(self) -> str:
        """The SHA-256 (hex) of the only bytes that it takes, empty when it takes any."""
        return ""


class UploadTicket(Ticket):
    """Of the recording. Each PUT replaces the file of the one before; a refusal stays until the next PUT."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="upload_tickets")

    class Meta:
        indexes = [
            models.Index(fields=["job", "id"], condition=Q(closed_at=None), name="open_upload_tickets"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(refusal_code="") | Q(received_at=None), name="refused_upload_is_gone"
            )
        ]


class FileWalk(models.Model):
    """How far the sweep of unused files has come, in the one row that there is."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last_folder = models.CharField(max_length=64, default="")  # "" at the start of a walk
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_file_walk")]

    def __str__(self) -> str:
        return self.last_folder or "at the start"
