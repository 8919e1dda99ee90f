"""What the pages show of an owner's jobs, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from config.accounts.models import User
from config.api.ownership import parse_id
from exports.models import Export
from exports.web import words
from jobs.models import AuditEvent, PipelineRun, Project
from jobs.queries import list_jobs, read_job
from jobs.services.runs import may_be_retried
from jobs.states import ActorType, JobStatus, allowed_next

PAGE = 25
MAX_EXPORTS = MAX_EVENTS = 200
EXPORT_FIELDS = (
    "id",
    "format",
    "status",
    "progress_pct",
    "failure_code",
    "failure_message",
    "artifact_name",
    "artifact_size_bytes",
    "created_at",
    "instruction_version__version",
)


@dataclass(frozen=True)
class Shown:
    """A job as the pages show it. `row` is as `jobs.queries` reads it."""

    row: Any
    project: str
    progress: int | None
    age: str
    created: str
    words: words.Words

    @property
    def title(self) -> str:
        return str(self.row.options.get("title") or "Untitled recording")

    @property
    def short_id(self) -> str:
        """The end of the id, which is random; its beginning is the time."""
        return str(self.row.id)[-8:]

    @property
    def is_live(self) -> bool:
        """Whether it changes without the reader."""
        return self.words.group == words.RUNNING

    @property
    def may_export(self) -> bool:
        return self.row.status in (JobStatus.EDITING, JobStatus.EXPORTING, JobStatus.DONE)

    @property
    def may_cancel(self) -> bool:
        return JobStatus.CANCELLED in allowed_next(self.row.status, ActorType.EDITOR)

    @property
    def may_retry(self) -> bool:
        return may_be_retried(self.row.status, self.row.manifest)


@dataclass(frozen=True)
class Step:
    """One of the steps that a job goes through: "done", "now", "failed", "stopped" or "later"."""

    name: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class ShownExport:
    row: Any
    words: words.Words
    age: str

    @property
    def format(self) -> str:
        return words.FORMATS[self.row["format"]]


def page_of_jobs(user: User, group: str, before: str) -> tuple[list[Shown], UUID | None]:
    """Return a page of a user's jobs, newest first, and the id after which the next begins. `before` is the id that a
    page ended with, or empty."""
    query: dict[str, Any] = {"status": words.statuses_of(group)} if group else {}
    found = list_jobs(user, query)(after=parse_id(before) if before else None, limit=PAGE + 1)
    shown = found[:PAGE]
    return _shown(user, shown), shown[-1].id if len(found) > PAGE else None


def one_job(user: User, raw_id: object) -> Shown:
    """Return a job of the user's; raise the 404 of the contract."""
    return _shown(user, [read_job(user, raw_id)])[0]


def _shown(user: User, rows: list[Any]) -> list[Shown]:
    projects = Project.objects.visible_to(user).filter(pk__in={row.project_id for row in rows})
    names = dict(projects.values_list("pk", "name"))
    runs = PipelineRun.objects.filter(job__in=[row.id for row in rows], status__in=PipelineRun.OPEN)
    pct, now = dict(runs.values_list("job_id", "progress_pct")), timezone.now()
    return [
        Shown(
            row=row,
            project=names[row.project_id],
            progress=words.progress_of(row.status, pct.get(row.id, 0)),
            age=words.age(row.updated_at, now),
            created=words.age(row.created_at, now),
            words=words.QUEUED if row.queue_position is not None else words.STATES[row.status],
        )
        for row in rows
    ]


def steps_of(job: Shown) -> list[Step]:
    """Return what the job has behind it, what happens, and what comes, with the times from its audit events."""
    events = AuditEvent.objects.filter(job=job.row.id).exclude(new_status="").order_by("-pk")
    found = list(events.values_list("new_status", "prev_status", "occurred_at")[:MAX_EVENTS])
    times = {new: at for new, _, at in reversed(found)}
    status, ended = job.row.status, {JobStatus.FAILED: "failed", JobStatus.CANCELLED: "stopped"}
    stopped = ended.get(status)
    if stopped:
        status = next((prev for new, prev, _ in found if new == status), JobStatus.CREATED)
    place = words.ROAD.index(status) if status in words.ROAD else 0
    steps: list[Step] = []
    for name, over in words.STEPS:
        if words.ROAD.index(over) <= place:
            steps.append(Step(name, "done", times.get(over)))
        else:
            is_next = not steps or steps[-1].state == "done"
            state = (stopped or "now") if is_next else "later"
            steps.append(Step(name, state, times.get(job.row.status) if is_next and stopped else None))
    return steps


def exports_of(user: User, job: Shown) -> list[ShownExport]:
    """Return the newest exports of a job, without what they were made of."""
    rows = Export.objects.visible_to(user).filter(job=job.row.id).order_by("-pk").values(*EXPORT_FIELDS)
    now = timezone.now()
    return [
        ShownExport(row, words.EXPORTS[row["status"]], words.age(row["created_at"], now))
        for row in rows[:MAX_EXPORTS]
    ]
