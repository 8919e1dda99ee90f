"""The rows of the room `jobs`: users, projects, jobs and what is written down about them."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django_fsm import RETURN_VALUE, FSMField
from django_fsm import transition as fsm_transition
from uuid6 import uuid7

from jobs import states
from jobs.states import JobStatus
from jobs.work import WorkRow


class AppendOnly(pgtrigger.Trigger):
    """Rows that are never changed, and deleted only by the purge, which says `SET LOCAL stepwright.purge = 'on'`."""

    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete

    def get_func(self, model: Any) -> str:
        return """
            IF TG_OP = 'DELETE' AND current_setting('stepwright.purge', true) = 'on' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME;
        """


class Users(UserManager["User"]):
    def provision(self, *, issuer: str, subject: str) -> User:
        """The user that a token speaks of, made when first seen."""
        user = self.filter(issuer=issuer, subject=subject).first()
        if user is not None:
            return user
        try:
            with transaction.atomic():
                return self.create(issuer=issuer, subject=subject, username=str(uuid7()))
        except IntegrityError:  # two first requests at once
            return self.get(issuer=issuer, subject=subject)


class User(AbstractUser):
    """Who signs in: API users by issuer and subject of their token, staff by name and password."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.CharField(max_length=255, default="", blank=True)
    subject = models.CharField(max_length=255, default="", blank=True)
    objects = Users()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], condition=~Q(subject=""), name="one_user_a_subject"
            )
        ]

    def __str__(self) -> str:
        return self.subject or self.username


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> ProjectQuerySet:
        return self.filter(owner_id=user.pk)


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="project_list")]

    def __str__(self) -> str:
        return self.name


def fsm(verb: str) -> Any:
    """django-fsm's decorator for one verb of the table; a verb with several targets is called with one."""
    rows = states.rows(verb)
    targets = list(dict.fromkeys(row.target for row in rows))
    sources = list(dict.fromkeys(source for row in rows for source in row.sources))
    return fsm_transition(
        "status", source=sources, target=targets[0] if len(targets) == 1 else RETURN_VALUE(*targets)
    )


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> JobQuerySet:
        return self.filter(owner_id=user.pk)


class Job(models.Model):
    """One recording on its way to a guide. `revision` counts every visible change and is the ETag."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="jobs")
    owner = models.ForeignKey(
        User, models.PROTECT, related_name="+"
    )  # the project's, so that lists need no join
    status = FSMField(choices=JobStatus.choices, default=JobStatus.CREATED, protected=True, max_length=16)
    revision = models.PositiveBigIntegerField(default=1)
    options = models.JSONField(default=dict)
    manifest = models.JSONField(
        default=dict
    )  # newest URI by kind: video_uri, audio_uri, transcript_uri, draft_uri
    instruction_id = models.UUIDField(null=True)
    dispatch = models.ForeignKey("Dispatch", models.SET_NULL, null=True, related_name="+")  # the current one
    latest_applied_occurred_at = models.DateTimeField(null=True)
    failure = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_list"),
            models.Index(fields=["project", "-id"], name="job_list_of_project"),
            models.Index(fields=["owner", "status", "-id"], name="job_list_by_status"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known")
        ]
        triggers = [
            pgtrigger.FSM(
                name="job_status_table",
                field="status",
                transitions=sorted((str(a), str(b)) for a, b in states.pairs() if a != b),
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @fsm("upload")
    def upload(self) -> None: ...

    @fsm("confirm_upload")
    def confirm_upload(self) -> None: ...

    @fsm("run")
    def run(self) -> None: ...

    @fsm("report")
    def report(self, target: JobStatus) -> JobStatus:
        return target

    @fsm("open_document")
    def open_document(self) -> None: ...

    @fsm("regenerate")
    def regenerate(self) -> None: ...

    @fsm("finish_regenerate")
    def finish_regenerate(self) -> None: ...

    @fsm("export")
    def export(self) -> None: ...

    @fsm("finish_export")
    def finish_export(self) -> None: ...

    @fsm("fail_export")
    def fail_export(self) -> None: ...

    @fsm("fail")
    def fail(self) -> None: ...

    @fsm("cancel")
    def cancel(self) -> None: ...

    @fsm("retry")
    def retry(self, target: JobStatus) -> JobStatus:
        return target


class Artifact(models.Model):
    """One version of something a job was given or made. Append-only; the manifest shows the newest."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="artifacts")
    kind = models.CharField(
        max_length=32
    )  # video, audio, transcript, draft, export, or a key of the orchestrator
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


class Dispatch(WorkRow):
    """One execution of the pipeline. For the local orchestrator it is also the work row that a worker claims."""

    QUEUE = "pipeline"

    class Kind(models.TextChoices):
        RUN = "run"
        RETRY = "retry"

    job = models.ForeignKey(Job, models.CASCADE, related_name="dispatches")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    orchestrator = models.CharField(max_length=8)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["status", "available_at"], name="dispatch_sweep")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="dispatch_status_known",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(status__in=["PENDING", "RUNNING"]), name="one_open_dispatch_a_job"
            ),
        ]

    def perform(self, lease: Any) -> None:
        from jobs.orchestrators.local import perform_dispatch

        perform_dispatch(self, lease)

    def fail_work(self, failure: Any, *, lease: Any) -> None:
        from jobs.orchestrators.local import fail_dispatch

        fail_dispatch(self, failure, lease=lease)


class CallbackEvent(models.Model):
    """The ledger: one row an applied event of an orchestrator, with the hash of its canonical payload."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="callback_events")
    event_id = models.CharField(max_length=255)
    payload_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "event_id"], name="event_applied_once")]
        triggers = [AppendOnly(name="ledger_append_only")]


class AuditEvent(models.Model):
    """What happened to a job, who did it and when. Append-only, by the database itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    event_type = models.CharField(max_length=64)
    actor_type = models.CharField(max_length=16, choices=states.Actor.choices)
    actor_id = models.CharField(max_length=64, default="", blank=True)
    prev_status = models.CharField(max_length=16, default="", blank=True)
    new_status = models.CharField(max_length=16, default="", blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    correlation_id = models.CharField(max_length=128)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="audit_of_job")]
        triggers = [AppendOnly(name="audit_append_only")]


class TranscriptSegment(models.Model):
    """One timed passage of the newest transcript of a job."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, models.CASCADE, related_name="segments")
    position = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "start_ms", "position"], name="segment_order")]


class Worker(models.Model):
    """A worker process and when it last said that it lives."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=128)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
