"""What is written down about a job, and never changed."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from jobs import states
from jobs.media.screen.events import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, EventKind
from jobs.models.jobs import Job, Project
from jobs.states import JobStatus


class AppendOnly(pgtrigger.Trigger):
    """Rows that are never changed, and deleted only by the purge, which sets `SET LOCAL stepwright.purge = 'on'`."""

    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete

    def get_func(self, model: Any) -> str:
        return """
            IF TG_OP = 'DELETE' AND current_setting('stepwright.purge', true) = 'on' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME;
        """


class Artifact(models.Model):
    """One version of something a job was given or made. Append-only; the manifest shows the newest."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="artifacts", db_index=False)
    # video, audio, transcript, draft, export, metrics; a key that we do not know is kept as `other:KEY`
    kind = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    uri = models.CharField(max_length=2048, default="", blank=True)
    data = models.JSONField(null=True)  # what is kept as it came (metrics and unknown keys)
    sha256 = models.CharField(max_length=64, default="", blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "kind", "version"], name="artifact_version_once")
        ]
        triggers = [AppendOnly(name="artifact_append_only")]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


class CallbackEvent(models.Model):
    """The ledger: one row an applied event of an orchestrator, with the hash of its canonical payload."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="callback_events", db_index=False)
    event_id = models.CharField(max_length=255)
    payload_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "event_id"], name="event_applied_once"),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="event_status_known"),
        ]
        triggers = [AppendOnly(name="ledger_append_only")]

    def __str__(self) -> str:
        return f"{self.status} ({self.event_id})"


class RefusedCallback(models.Model):
    """A callback that came with the secret and was refused. Of a job the first MAX_A_JOB are kept, the rest is counted.

    Of what was sent there is the id of the event, the status and the dispatch, where they have the form of such; `code`
    and `message` are what was answered, `fields` the names of those of our fields that were wrong.
    """

    MAX_A_JOB = 50

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="refused_callbacks", db_index=False)
    code = models.CharField(max_length=64)
    message = models.CharField(max_length=500)
    fields = models.CharField(max_length=255, default="", blank=True)
    event_id = models.CharField(max_length=255, default="", blank=True)
    status = models.CharField(max_length=16, default="", blank=True)
    sent_dispatch_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="refused_callbacks_of_job")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["", *JobStatus.values]), name="refused_status_known"
            )
        ]
        triggers = [AppendOnly(name="refused_append_only")]

    def __str__(self) -> str:
        return f"{self.code} ({self.event_id})"


class RefusedCallbackCount(models.Model):
    """How many callbacks of a job were refused, those too that are not kept."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="refused_callback_count")
    number = models.PositiveIntegerField()

    def __str__(self) -> str:
        return str(self.number)


class AuditEvent(models.Model):
    """What happened to a job, who did it and when. Append-only, by the database itself."""

    JOB_FAILED = "JOB_FAILED"  # the type of a job's way to FAILED, by whoever

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="events", db_index=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    event_type = models.CharField(max_length=64)
    actor_type = models.CharField(max_length=16, choices=states.ActorType.choices)
    actor_id = models.CharField(max_length=64, default="", blank=True)
    prev_status = models.CharField(max_length=16, default="", blank=True)
    new_status = models.CharField(max_length=16, default="", blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    correlation_id = models.CharField(max_length=128)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["job", "id"], name="audit_of_job"),
            models.Index(fields=["id"], condition=Q(event_type="JOB_FAILED"), name="failures_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(prev_status__in=["", *JobStatus.values], new_status__in=["", *JobStatus.values]),
                name="audit_status_known",
            )
        ]
        triggers = [AppendOnly(name="audit_append_only")]

    def __str__(self) -> str:
        return self.event_type


class TranscriptSegment(models.Model):
    """One timed passage of the newest transcript of a job."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, models.CASCADE, related_name="segments", db_index=False)
    position = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "start_ms", "position"], name="segment_order")]


class ScreenEvent(models.Model):
    """Something that the newest screen of a job shows being done; see `jobs.media.screen.ScreenEvent`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="screen_events", db_index=False)
    position = models.PositiveIntegerField()
    at_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=16)
    label = models.CharField(max_length=MAX_LABEL_CHARACTERS, default="", blank=True)
    text = models.CharField(max_length=MAX_TEXT_CHARACTERS, default="", blank=True)
    region = models.JSONField()
    confidence = models.FloatField()
    pointer = models.JSONField(null=True)
    picture_ms = models.PositiveIntegerField(null=True)
    frame = models.JSONField(null=True)
    page_share = models.FloatField(default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "at_ms", "position"], name="screen_event_order"),
            models.CheckConstraint(
                condition=Q(kind__in=[str(kind) for kind in EventKind]), name="screen_event_kind_known"
            ),
        ]


class Tombstone(models.Model):
    """What is left of a job that was deleted: that it was there, whose, and when it went."""

    job_id = models.UUIDField(primary_key=True)
    project_id = models.UUIDField()
    owner_id = models.UUIDField()
    last_status = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(db_default=Now())
    deleted_by = models.CharField(max_length=64)
    correlation_id = models.CharField(max_length=128)
    files_removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["deleted_at"], condition=Q(files_removed_at=None), name="tombstones_with_files"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_status__in=sorted(states.TERMINAL)), name="tombstone_status_known"
            )
        ]
        triggers = [
            pgtrigger.Protect(name="tombstone_stays", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="tombstone_is_written_once", exclude=["files_removed_at"]),
        ]
