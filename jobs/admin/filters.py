"""Filters and the search of the list of jobs: each is served by an index, however many jobs there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone

from config.accounts.models import User
from config.api.pagination import first_id_from
from jobs import states
from jobs.models import Job
from jobs.states import JobStatus

MAX_CODES = 50
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_AT_WORK = (*states.PROCESSING, JobStatus.REGENERATING, JobStatus.EXPORTING)


def failure_code_of_job() -> Func:
    """Return the expression that the index `failed_jobs_by_code` is of."""
    return Func(
        F("failure"),
        Value("failure_code"),
        function="jsonb_extract_path_text",
        output_field=CharField(),
    )


def is_stuck() -> Q:
    """Return the condition of jobs for which something is being done, and that have not changed for too long."""
    since = timezone.now() - timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)
    return Q(status__in=_AT_WORK, updated_at__lt=since)


class StuckFilter(admin.SimpleListFilter):
    """Jobs for which something is being done, that have not changed for as long as an orchestrator may be silent."""

    title, parameter_name = "stuck", "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", f"No change for {settings.JOB_TIMEOUT_MINUTES} minutes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() != "1":
            return queryset
        return queryset.filter(is_stuck())


class FailureCodeFilter(admin.SimpleListFilter):
    title, parameter_name = "failure code", "failure_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in _failure_codes()]

    def has_output(self) -> bool:
        """Filter by a code that no job has any more, too: Django would show all jobs."""
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() is None:
            return queryset
        failed = queryset.filter(status=JobStatus.FAILED)
        return failed.alias(code=failure_code_of_job()).filter(code=self.value())


def _failure_codes() -> Iterator[str]:
    """Yield the codes of failed jobs, each by one step into the index
    (https://wiki.postgresql.org/wiki/Loose_indexscan)."""
    code = "jsonb_extract_path_text(failure, 'failure_code')"
    failed = f"SELECT {code} AS code FROM jobs_job WHERE status = 'FAILED'"  # our table and columns  # nosec B608
    next_one = f"{failed} AND {{}} ORDER BY {code} LIMIT 1"
    statement = f"""
        WITH RECURSIVE codes AS (
            ({next_one.format(f"{code} IS NOT NULL")})
            UNION ALL
            SELECT following.code FROM codes
            CROSS JOIN LATERAL ({next_one.format(f"{code} > codes.code")}) AS following
        )
        SELECT code FROM codes LIMIT %s"""  # our table and columns  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(statement, [MAX_CODES])
        yield from (code for (code,) in cursor.fetchall())


class PeriodFilter(admin.SimpleListFilter):
    """When a job was made, which its id says."""

    title, parameter_name = "period", "period"
    DAYS = {"1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        days = self.value()
        if days not in self.DAYS:
            return queryset
        return queryset.filter(pk__gte=first_id_from(timezone.now() - timedelta(days=int(days))))


def search_jobs(jobs: QuerySet[Job], term: str) -> QuerySet[Job]:
    """Return the jobs that a term names: an id of anything that belongs to a job, its project or its owner, the URI of
    a file, or the owner's name. Of several ids in it, as URIs have, the first that is known counts."""
    for text in _ID.findall(term):
        if found := _by_id(jobs, UUID(text)):
            return found[0]
    owner = User.objects.filter(Q(subject=term) | Q(username=term)).values_list("pk", flat=True).first()
    return jobs.filter(owner_id=owner) if owner else jobs.none()


def _by_id(jobs: QuerySet[Job], row_id: UUID) -> tuple[QuerySet[Job], ...]:
    """Return the jobs of an id, alone in a tuple; empty if it is nobody's."""
    for column in ("pk", "project_id", "owner_id"):
        named = {column: row_id}
        if Job.objects.filter(**named).order_by().exists():
            return (jobs.filter(**named),)
    for path, model in _models_of_jobs():
        job_id = model.objects.filter(pk=row_id).values_list(path, flat=True).first()
        if job_id:
            return (jobs.filter(pk=job_id),)
    return ()


def _models_of_jobs() -> Iterator[tuple[str, Any]]:
    """Yield each model whose rows have a UUID and belong to a job, with the way to the job's id; later apps' too."""
    for model in apps.get_models():
        if model is Job or model._meta.pk.get_internal_type() != "UUIDField":
            continue
        names = {field.name for field in model._meta.concrete_fields}
        for way in ("job", "instruction", "anchor"):
            if way in names:
                path = {
                    "job": "job_id",
                    "instruction": "instruction__job_id",
                    "anchor": "anchor__instruction__job_id",
                }
                yield path[way], model
                break
