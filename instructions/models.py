"""The rows of the app `instructions`: one document a job, its immutable versions."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7

from config.accounts.models import User
from instructions.block import Block
from jobs.models import AppendOnly, Job


class InstructionQuerySet(models.QuerySet["Instruction"]):
    def visible_to(self, user: User) -> InstructionQuerySet:
        return self.filter(job__owner_id=user.pk)


class Instruction(models.Model):
    """The document of a job. Its text stands in its versions; `version` is the newest one's number."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.OneToOneField(Job, models.CASCADE, related_name="instruction")
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    objects = InstructionQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.pk)


class InstructionVersion(models.Model):
    """One text of a document, never changed afterwards (the database refuses it)."""

    class Source(models.TextChoices):
        DRAFT = "draft"
        EDIT = "edit"
        REGENERATE = "regenerate"
        RESTORE = "restore"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, models.CASCADE, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    markdown = models.TextField()
    blocks = models.JSONField(default=list)  # of the markdown, as `parse_blocks` gives them
    source = models.CharField(max_length=16, choices=Source.choices)
    created_by = models.CharField(max_length=64)  # a user's id, or "system"
    created_at = models.DateTimeField(db_default=Now())
    validation_errors = models.JSONField(default=list)
    validated_at = models.DateTimeField(db_default=Now())
    validator_version = models.CharField(max_length=32)
    model_profile_id = models.CharField(max_length=128, default="", blank=True)
    prompt_template_id = models.CharField(max_length=128, default="", blank=True)
    prompt_params_ref = models.CharField(max_length=255, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["instruction", "id"], name="version_list")]
        constraints = [models.UniqueConstraint(fields=["instruction", "version"], name="version_once")]
        triggers = [AppendOnly(name="version_immutable")]

    def __str__(self) -> str:
        return f"version {self.version}"

    def read_blocks(self) -> list[Block]:
        """Return the blocks as they were parsed when this version was written."""
        return [Block(**block) for block in self.blocks]

    @property
    def validation_status(self) -> str:
        return "FAIL" if self.validation_errors else "PASS"
