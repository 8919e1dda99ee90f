"""Projects and jobs."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Collate, Now, Upper
from django_fsm import RETURN_VALUE, FSMField
from django_fsm import transition as fsm_transition
from uuid6 import uuid7

from config.accounts.models import User
from config.api.idempotency import CreatedOnce
from jobs import states
from jobs.states import JobStatus


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> ProjectQuerySet:
        return self.filter(owner_id=user.pk)


class Project(CreatedOnce):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, models.PROTECT, related_name="projects", db_index=False)
    name = models.CharField(max_length=200)
    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "id"], name="project_list"),
            models.Index(Collate(Upper("name"), "C"), name="project_name_begins"),  # C: for LIKE
        ]
        constraints = [
            models.UniqueConstraint(fields=["owner", "idempotency_key"], name="one_project_a_key"),
        ]

    def __str__(self) -> str:
        return self.name


def fsm(verb: str) -> Any:
    """Return django-fsm's decorator for one verb of the table; a verb with several targets is called with one."""
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
    project = models.ForeignKey(Project, models.PROTECT, related_name="jobs", db_index=False)
    # The project's owner, so that lists need no join.
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    status = FSMField(choices=JobStatus.choices, default=JobStatus.CREATED, protected=True, max_length=16)
    revision = models.PositiveBigIntegerField(default=1)
    options = models.JSONField(default=dict)
    # The newest URI by kind: video_uri, audio_uri, transcript_uri, draft_uri; and `exports`.
    manifest = models.JSONField(default=dict)
    # By kind, the URI of the transcript and the draft that our rows were made from.
    ingested_uris = models.JSONField(default=dict)
    instruction_id = models.UUIDField(null=True)
    # The current one.
    dispatch = models.ForeignKey("Dispatch", models.SET_NULL, null=True, related_name="+")
    latest_applied_occurred_at = models.DateTimeField(null=True)
    failure = models.JSONField(null=True)
    updated_at = models.DateTimeField(db_default=Now())
    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "id"], name="job_list"),
            models.Index(fields=["project", "id"], name="job_list_of_project"),
            models.Index(fields=["owner", "status", "id"], name="job_list_by_status"),
            models.Index(fields=["project", "status", "id"], name="project_jobs_by_status"),
            models.Index(fields=["status", "id"], name="jobs_by_status"),  # of all owners: sweep, admin
            models.Index(
                Func(F("failure"), Value("failure_code"), function="jsonb_extract_path_text"),
                "id",
                condition=Q(status="FAILED"),
                name="failed_jobs_by_code",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.UniqueConstraint(fields=["project", "idempotency_key"], name="one_job_a_key"),
        ]
        permissions = [
            ("retry_any_job", "Can retry any job"),
            ("dispatch_any_job", "Can dispatch any job again"),
            ("fail_any_job", "Can mark any job as failed"),
            ("cancel_any_job", "Can cancel any job"),
            ("read_content", "Can read transcript and document of any job, for a reason"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="job_status_table",
                field="status",
                transitions=sorted((str(a), str(b)) for a, b in states.pairs() if a != b),
            )
        ]

    def __str__(self) -> str:
        """Its title, and the end of its id, which tells jobs apart: the beginning is the time."""
        return f"{self.title} · {str(self.pk)[-6:]}"

    @property
    def title(self) -> str:
        return str(self.options.get("title") or "Untitled guide")

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
