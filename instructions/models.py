"""The rows of the app `instructions`: one document a job, its immutable versions, and what its steps rest on."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from config.accounts.models import User
from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from instructions.block import Block
from instructions.evidence import EvidenceKind
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
        return f"Document of {self.job}"


class InstructionVersionQuerySet(models.QuerySet["InstructionVersion"]):
    def visible_to(self, user: User) -> InstructionVersionQuerySet:
        return self.filter(instruction__job__owner_id=user.pk)


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
    objects = InstructionVersionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["instruction", "id"], name="version_list")]
        constraints = [models.UniqueConstraint(fields=["instruction", "version"], name="version_once")]
        triggers = [AppendOnly(name="version_immutable")]

    def __str__(self) -> str:
        return f"{self.instruction.job.title}, version {self.version}"

    def read_blocks(self) -> list[Block]:
        """Return the blocks as they were parsed when this version was written."""
        return [Block(**block) for block in self.blocks]

    @property
    def job_id(self) -> UUID:
        return self.instruction.job_id

    @property
    def validation_status(self) -> str:
        return "FAIL" if self.validation_errors else "PASS"


class StepSource(models.Model):
    """What a step rests on, from `version` on until its block has a row of a newer version."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, models.CASCADE, related_name="step_sources", db_index=False)
    version = models.PositiveIntegerField()
    block_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in EvidenceKind])
    start_ms = models.PositiveIntegerField(null=True)
    end_ms = models.PositiveIntegerField(null=True)
    segments = ArrayField(models.PositiveIntegerField(), default=list)  # positions in the transcript
    frames = models.JSONField(default=list)  # [{pts, frame_sha256}]
    needs_review = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instruction", "block_id", "version"], name="step_source_once"),
            models.CheckConstraint(
                condition=Q(start_ms__isnull=True, end_ms__isnull=True)
                | Q(start_ms__isnull=False, end_ms__isnull=True)
                | Q(start_ms__isnull=False, start_ms__lte=models.F("end_ms")),
                name="step_source_span_in_order",
            ),
        ]
        triggers = [AppendOnly(name="step_source_immutable")]

    def __str__(self) -> str:
        return f"{self.block_id} from version {self.version} on"


class RegenerateTaskQuerySet(models.QuerySet["RegenerateTask"]):
    def visible_to(self, user: User) -> RegenerateTaskQuerySet:
        return self.filter(job__owner_id=user.pk)


class RegenerateTask(WorkRow):
    """The work of having one passage of a document rewritten."""

    ACTIVE: ClassVar[tuple[str, ...]] = (WorkRow.WAITING, WorkRow.RUNNING)
    lane = models.CharField(max_length=16, default=Lane.LANGUAGE)
    job = models.ForeignKey(Job, models.CASCADE, related_name="regenerate_tasks")
    instruction = models.ForeignKey(
        Instruction, models.CASCADE, related_name="regenerate_tasks", db_index=False
    )
    base_version = models.PositiveIntegerField()
    selection = models.JSONField()  # {block_id} or {char_range: {start_offset, end_offset}}
    client_request_id = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)  # of the canonical JSON of the request's body
    context = models.TextField(
        default="", blank=True
    )  # the owner's words to the model: never shown or logged
    model_profile = models.CharField(max_length=128, default="", blank=True)
    prompt_template_id = models.CharField(max_length=128, default="", blank=True)
    prompt_params_ref = models.CharField(max_length=255, default="", blank=True)
    requested_by = models.CharField(max_length=64)  # a user's id
    instruction_version = models.PositiveIntegerField(null=True)  # the version that it made
    objects = RegenerateTaskQuerySet.as_manager()

    class Meta:
        indexes = [
            *work_indexes("regenerate"),
            models.Index(fields=["status", "id"], name="regenerations_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="regenerate_status_known",
            ),
            models.UniqueConstraint(
                fields=["instruction"],
                condition=Q(status__in=["PENDING", "RUNNING"]),
                name="one_active_regenerate",
            ),
            models.UniqueConstraint(
                fields=["instruction", "client_request_id"], name="regenerate_request_once"
            ),
        ]


class ModelCall(models.Model):
    """A call of a language model that was paid for: its tokens count into the job's budget, and its answer is not
    asked for again. `key` is the SHA-256 of what was asked; `answer` is null when it could not be used."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="model_calls", db_index=False)
    key = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["job", "key"], name="model_calls_of_job")]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "key"], condition=Q(answer__isnull=False), name="model_answer_once"
            )
        ]

    def __str__(self) -> str:
        return self.key
