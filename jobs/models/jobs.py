"""Projects, jobs and the executions of their pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_fsm import RETURN_VALUE, FSMField
from django_fsm import transition as fsm_transition
from uuid6 import uuid7

from config.api.idempotency import CreatedOnce
from jobs import states
from jobs.models.people import User
from jobs.states import JobStatus
from jobs.work import WorkRow


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> ProjectQuerySet:
        return self.filter(owner_id=user.pk)


class Project(CreatedOnce):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="project_list")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "idempotency_key"], name="one_project_a_key"),
        ]

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


class Job(CreatedOnce):
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
    taken_in = models.JSONField(
        default=dict
    )  # by kind, the URI of the transcript and draft that we have read
    instruction_id = models.UUIDField(null=True)
    dispatch = models.ForeignKey("Dispatch", models.SET_NULL, null=True, related_name="+")  # the current one
    latest_applied_occurred_at = models.DateTimeField(null=True)
    failure = models.JSONField(null=True)
    updated_at = models.DateTimeField(db_default=Now())
    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_list"),
            models.Index(fields=["project", "-id"], name="job_list_of_project"),
            models.Index(fields=["owner", "status", "-id"], name="job_list_by_status"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.UniqueConstraint(fields=["project", "idempotency_key"], name="one_job_a_key"),
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


class Dispatch(WorkRow):
    """One execution of the pipeline, from the moment it is opened.

    PENDING: to be sent (or, for our own workers, to be performed); RUNNING: held by whoever sends or performs
    it, or, with no lease, in the hands of an HTTP orchestrator; SUCCEEDED and FAILED: closed. `accepted_at`
    says that the orchestrator took it; a dispatch that was refused is closed without it, and opened again,
    with the same id, when it is asked for again.
    """

    QUEUE = "pipeline"
    TIME_LIMIT = timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)

    class Kind(models.TextChoices):
        RUN = "run"
        RETRY = "retry"

    job = models.ForeignKey(Job, models.CASCADE, related_name="dispatches")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    orchestrator = models.CharField(max_length=8)
    requested_by = models.CharField(max_length=64, default="", blank=True)
    accepted_at = models.DateTimeField(null=True)
    # Of a retry: what the caller sent, and where the job goes on.
    client_request_id = models.CharField(max_length=128, default="", blank=True)
    model_profile = models.CharField(max_length=64, default="", blank=True)
    resume_from_status = models.CharField(max_length=16, default="", blank=True)
    checkpoint_ref = models.CharField(max_length=2048, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "available_at"], name="dispatch_sweep")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="dispatch_status_known",
            ),
            models.CheckConstraint(
                condition=Q(resume_from_status__in=["", JobStatus.UPLOADED, *states.CHECKPOINTS]),
                name="dispatch_checkpoint_known",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(status__in=["PENDING", "RUNNING"]), name="one_open_dispatch_a_job"
            ),
            models.UniqueConstraint(fields=["job"], condition=Q(kind="run"), name="one_run_a_job"),
            models.UniqueConstraint(
                fields=["job", "client_request_id"], condition=Q(kind="retry"), name="one_retry_a_request"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in (self.WAITING, self.RUNNING)

    def perform(self, lease: Any) -> None:
        from jobs.services.dispatches import perform_dispatch

        perform_dispatch(self, lease)

    def fail_work(self, failure: Any, *, lease: Any) -> None:
        from jobs.services.dispatches import fail_dispatch

        fail_dispatch(self, failure, lease=lease)
