"""Which jobs and exports an operator's command is about; they are read in pages by key, so that memory stays flat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from exports.models import Export
from exports.services.signing import current_renderer_version
from instructions.models import InstructionVersion
from jobs.models import Job
from jobs.states import JobStatus

JOBS_A_PAGE = 100
VERSIONS_A_PAGE = 32  # each has the text of its guide
EXPORTS_A_PAGE = 10  # each has the text of its guide
MOST_COUNTED = 1_000

Row = TypeVar("Row", bound=Model)


class Wanted(NamedTuple):
    """An export that a backfill looks at; `version` is the newest of the job's document."""

    job: Job
    version: InstructionVersion
    format: str


@dataclass(frozen=True)
class Selection:
    """What the options select. `since` is inclusive, `until` is not; `renderer_version` is what it begins with."""

    formats: tuple[str, ...]
    project_id: UUID | None = None
    job_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    renderer_version: str = ""

    def jobs(self) -> QuerySet[Job]:
        """Return the jobs that are DONE, created in the span."""
        named: dict[str, Any] = {"pk": self.job_id, "project": self.project_id}
        return Job.objects.filter(self._span(), status=JobStatus.DONE, **_given(named))

    def exports(self) -> QuerySet[Export]:
        """Return the exports that succeeded, asked for in the span."""
        named: dict[str, Any] = {"job": self.job_id, "job__project": self.project_id}
        if set(self.formats) != set(Export.Format.values):
            named["format__in"] = self.formats
        named["renderer_version__startswith"] = self.renderer_version
        return Export.objects.filter(self._span(), status=Export.SUCCEEDED, **_given(named))

    def wanted(self) -> Iterator[list[Wanted]]:
        """Yield the newest version of each job's document, the oldest job first, in each format: those of some jobs
        at a time.

        With `renderer_version`, only those whose last export of this format was made by such a renderer.
        """
        jobs = in_pages(self.jobs(), JOBS_A_PAGE)
        while page := list(islice(jobs, VERSIONS_A_PAGE)):
            versions = _newest_versions(page)
            yield [
                Wanted(job, versions[job.instruction_id], format)
                for job in page
                for format in self.formats
                if job.instruction_id in versions and self._is_of_renderer(job, format)
            ]

    def _is_of_renderer(self, job: Job, format: str) -> bool:
        if not self.renderer_version:
            return True
        last = job.exports.filter(status=Export.SUCCEEDED, format=format).order_by("generated_at")
        made_by = last.values_list("renderer_version", flat=True).last()
        return bool(made_by and made_by.startswith(self.renderer_version))

    def _span(self) -> Q:
        return Q(**_given({"created_at__gte": self.since, "created_at__lt": self.until}))


def _newest_versions(jobs: list[Job]) -> dict[UUID | None, InstructionVersion]:
    """Return by instruction the newest version of the document of each of these jobs."""
    versions = InstructionVersion.objects.filter(instruction__in=[job.instruction_id for job in jobs])
    newest = versions.order_by("instruction", "-version").distinct("instruction")
    return {version.instruction_id: version for version in newest.select_related("instruction")}


def rendered_of(wanted: Sequence[Wanted]) -> set[Wanted]:
    """Return those whose version has an export in its format by the renderer of now, whatever its pictures were."""
    made = Export.objects.filter(
        status=Export.SUCCEEDED,
        job__in={one.job.pk for one in wanted},
        instruction_version__in={one.version.pk for one in wanted},
    )
    by_renderer = set(made.values_list("instruction_version_id", "format", "renderer_version"))
    return {
        one
        for one in wanted
        if (one.version.pk, one.format, current_renderer_version(one.format)) in by_renderer
    }


def in_pages(rows: QuerySet[Row], size: int) -> Iterator[Row]:
    """Yield the rows by primary key, a page a statement."""
    page: list[Row] = list(rows.order_by("pk")[:size])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:size])


def estimate(rows: QuerySet[Any]) -> int:
    """Return how many rows these are; from MOST_COUNTED on it is about as many, as PostgreSQL plans it."""
    counted = len(rows.order_by().values_list("pk")[:MOST_COUNTED])
    if counted < MOST_COUNTED:
        return counted
    plan: dict[str, Any] = json.loads(rows.explain(format="json"))[0]["Plan"]
    return max(counted, int(plan["Plan Rows"]))


def _given(named: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value}
