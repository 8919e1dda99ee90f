"""Queries of this app that are more than a filter."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.db.models import IntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from config.api import errors
from config.api.ownership import parse_id
from config.api.pagination import first_id_after, first_id_from
from config.work.fairness import ranked
from jobs.models import Job, JobQuerySet, PipelineRun, TranscriptSegment


def narrow_jobs(jobs: QuerySet[Job], query: dict[str, Any]) -> QuerySet[Job]:
    """Apply the filters of the job lists; `query` is a validated JobQuery."""
    if "created_after" in query:
        jobs = jobs.filter(pk__gte=first_id_after(query["created_after"]))
    if "created_before" in query:
        jobs = jobs.filter(pk__lt=first_id_from(query["created_before"]))
    statuses = list(dict.fromkeys(query.get("status", ())))
    if len(statuses) > 1:
        return jobs.filter(pk__in=_page_of(statuses, jobs, query))
    return jobs.filter(status=statuses[0]) if statuses else jobs


def _page_of(statuses: list[str], jobs: QuerySet[Job], query: dict[str, Any]) -> QuerySet[Job, Any]:
    """Return the ids of the page that `query` asks for, and of the row after it.

    An index has the jobs of one status in order, those of several it has not: so a page is read of each.
    """
    if "cursor" in query:
        jobs = jobs.filter(pk__lt=parse_id(query["cursor"]))
    number = query["limit"] + 1
    first, *others = (jobs.filter(status=status).order_by("-pk").values("pk")[:number] for status in statuses)
    return first.union(*others, all=True).order_by("-pk")[:number]


def with_queue_position(jobs: JobQuerySet) -> QuerySet[Job]:
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
    """Return a page of segments, and the cursor of the next page or None.

    The cursor holds time and position of the last segment, so that it stays valid when the transcript is replaced.
    """
    rows = segments(job)
    if cursor is not None:
        start_ms, position = _read_cursor(cursor)
        later = Q(start_ms__gt=start_ms) | Q(position__gt=position)
        rows = rows.filter(later, start_ms__gte=start_ms)  # so that the index is entered there
    page = list(rows[: limit + 1])
    if len(page) <= limit:
        return page, None
    last = page[limit - 1]
    return page[:limit], base64.urlsafe_b64encode(
        f"{last.start_ms}.{last.position}".encode()
    ).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        start_ms, position = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise errors.invalid("cursor", "The cursor is not one that this list gave.") from error
    if not (0 <= start_ms < 2**31 and 0 <= position < 2**31):
        raise errors.invalid("cursor", "The cursor is not one that this list gave.")
    return start_ms, position
