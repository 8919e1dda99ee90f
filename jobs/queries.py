"""Queries of this app that are more than a filter."""

from __future__ import annotations

import base64
import binascii
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import IntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.api.pagination import Fetch, first_id_after, first_id_from
from config.compiled import CompiledQuery
from config.work.fairness import ranked
from jobs.models import Job, PipelineRun, Project, ScreenEvent, TranscriptSegment

Timed = TypeVar("Timed", TranscriptSegment, ScreenEvent)

SHOWN = (
    "id",
    "project_id",
    "status",
    "revision",
    "manifest",
    "options",
    "instruction_id",
    "failure",
    "queue_position",
    "created_at",
    "updated_at",
)


LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


def list_jobs(user: User, query: dict[str, Any], *, project: Project | None = None) -> Fetch:
    """Return what is shown of a user's jobs, or of a project that the user may see, after the filters of a validated
    JobQuery."""
    since = first_id_after(query["created_after"]) if "created_after" in query else LOWEST
    before = first_id_from(query["created_before"]) if "created_before" in query else HIGHEST
    statuses = list(dict.fromkeys(query.get("status", ())))

    def fetch(*, after: UUID | None, limit: int) -> list[Any]:
        until = min(before, after or HIGHEST)
        if len(statuses) > 1:
            jobs = project.jobs.all() if project else Job.objects.visible_to(user)
            return list(_of_statuses(statuses, jobs.filter(pk__gte=since, pk__lt=until), limit))
        place = {"place": project.pk if project else user.pk, "since": since, "until": until}
        status = {"status": statuses[0]} if statuses else {}
        return _page(bool(project), bool(statuses)).rows(limit, **place, **status)

    return fetch


@cache
def _page(of_project: bool, of_status: bool) -> CompiledQuery[Any]:
    """Return the query of a list. Its best plan depends on how much its bounds leave, so it is not prepared."""

    def build(place: UUID, since: UUID, until: UUID, **status: str) -> QuerySet[Job, Any]:
        jobs = Job.objects.filter(project=place) if of_project else Job.objects.visible_to(User(pk=place))
        return as_read(jobs.filter(pk__gte=since, pk__lt=until, **status).order_by("-pk"))

    types: dict[str, type] = {"place": UUID, "since": UUID, "until": UUID}
    return CompiledQuery(build, types | ({"status": str} if of_status else {}), is_prepared=False)


def _of_statuses(statuses: list[str], jobs: QuerySet[Job], limit: int) -> QuerySet[Job, Any]:
    """Return the newest jobs that have one of several statuses.

    An index has the jobs of one status in order, those of several it has not: so a page is read of each.
    """
    first, *others = (jobs.filter(status=status).order_by("-pk").values("pk")[:limit] for status in statuses)
    newest = first.union(*others, all=True).order_by("-pk")[:limit]
    return as_read(Job.objects.filter(pk__in=newest).order_by("-pk"))


def with_queue_position(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Annotate each job with its place in its lane for a worker, from 1; None when it does not wait.

    It is the order in which the runs that wait now would begin if no others came: owners take turns, so a job may
    fall back when another owner asks for a run.
    """
    table = PipelineRun._meta.db_table
    waiting = ranked(table, waiting=PipelineRun.WAITING, running=PipelineRun.RUNNING)
    job = Job._meta.db_table
    # Materialized, they are ranked once for all jobs of a page, and not at all when none of them waits.
    place = f"""CASE (
        SELECT mine.status FROM {table} AS mine WHERE mine.dispatch_id = {job}.dispatch_id
    ) WHEN '{PipelineRun.WAITING}' THEN coalesce((
        WITH line AS MATERIALIZED (
            SELECT job_id, row_number() OVER (
                PARTITION BY lane ORDER BY turn, available_at, id
            ) AS position
            FROM ({waiting}) AS waiting
        )
        SELECT position FROM line WHERE job_id = {job}.id
    ), 1) END"""  # our tables and constants  # nosec B608
    return jobs.annotate(queue_position=RawSQL(place, (), output_field=IntegerField()))  # nosec B611


_READ_JOB = CompiledQuery(
    lambda owner, job: as_read(Job.objects.visible_to(User(pk=owner)).filter(pk=job)),
    {"owner": UUID, "job": UUID},
)


def read_job(user: User, raw_id: object) -> Any:
    """Return what is shown of a job, as `get_visible` does; raise the 404 of the contract."""
    job = _READ_JOB.first(owner=user.pk, job=parse_id(raw_id))
    if job is None:
        raise errors.not_found()
    return job


def as_read(jobs: QuerySet[Job]) -> QuerySet[Job, Any]:
    """Return named tuples of what is shown of jobs: an instance has more, and takes three times as long to make."""
    return with_queue_position(jobs).values_list(*SHOWN, named=True)


def as_created(job: Job) -> Job:
    """Return the job as it was when it was created, to answer a creation that is replayed."""
    return Job(
        id=job.pk,
        project_id=job.project_id,
        options=job.options,
        created_at=job.created_at,
        updated_at=job.created_at,
    )


def segments(job: Job) -> QuerySet[TranscriptSegment]:
    return job.segments.order_by("start_ms", "position")


def read_transcript(
    job: Job, *, limit: int, cursor: str | None
) -> tuple[list[TranscriptSegment], str | None]:
    """Return a page of segments, and the cursor of the next page or None. Raises 400s."""
    return _page_by_time(segments(job), "start_ms", limit, cursor)


def read_screen_events(job: Job, *, limit: int, cursor: str | None) -> tuple[list[ScreenEvent], str | None]:
    """Return a page of what the screen shows being done, and the cursor of the next page or None. Raises 400s."""
    return _page_by_time(job.screen_events.order_by("at_ms", "position"), "at_ms", limit, cursor)


def _page_by_time(
    rows: QuerySet[Timed], time: str, limit: int, cursor: str | None
) -> tuple[list[Timed], str | None]:
    """Return a page of rows that are in order of their field `time` and their position, and the next cursor.

    The cursor holds time and position of the last row, so that it stays valid when the rows are replaced.
    """
    if cursor is not None:
        at_ms, position = _read_cursor(cursor)
        later = Q((f"{time}__gt", at_ms)) | Q(position__gt=position)
        rows = rows.filter(later, (f"{time}__gte", at_ms))  # so that the index is entered there
    page = list(rows[: limit + 1])
    if len(page) <= limit:
        return page, None
    last = page[limit - 1]
    following = f"{getattr(last, time)}.{last.position}"
    return page[:limit], base64.urlsafe_b64encode(following.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at_ms, position = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise errors.invalid("cursor", "The cursor is not one that this list gave.") from error
    if not (0 <= at_ms < 2**31 and 0 <= position < 2**31):
        raise errors.invalid("cursor", "The cursor is not one that this list gave.")
    return at_ms, position
