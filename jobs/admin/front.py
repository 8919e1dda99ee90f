"""What the front page of the admin shows of jobs: their states and ages, those that are stuck, and failures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils import timezone

from config.admin.counts import Counted, count, estimate_by_value
from config.admin.front import (
    FRONT_PANELS,
    STORED,
    STUCK,
    FrontPanel,
    StoredFiles,
    Stuck,
    list_url,
    view_permission,
)
from config.api.pagination import first_id_from
from jobs.admin.filters import failure_code_of_job, is_stuck
from jobs.admin.story import TONES
from jobs.models import Artifact, AuditEvent, Job
from jobs.states import JobStatus

MAX_IN_CELL = 5000  # jobs of a state and an age that are counted
MAX_FAILURES = 2000  # of each period, the newest, that are told apart by their codes
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def read_states(user: Any) -> list[dict[str, Any]]:
    """Return for each status that occurs how many jobs it has that were made within a day, within a week, and ever.

    `width` is the length of a bar, in per cent of the longest, on a logarithmic scale: beside a million jobs that are
    done, the three that are stuck are to be seen too.
    """
    counted = _count_by_age()
    most = max((cell.number for cells in counted.values() for cell in cells), default=0)
    return [
        {
            "status": status,
            "tone": TONES[JobStatus(status)],
            "url": list_url(Job, f"status__exact={status}"),
            "cells": [{"count": cell, "width": _width(cell.number, most)} for cell in cells],
        }
        for status, cells in counted.items()
        if any(cell.number for cell in cells)
    ]


def _width(number: int, most: int) -> int:
    return round(100 * math.log1p(number) / math.log1p(most)) if most else 0


def _count_by_age() -> dict[str, list[Counted]]:
    """Return the numbers of jobs of each status: made within a day, within a week, and ever.

    Each status stands in the statement as a constant: of a parameter PostgreSQL would take the average of all, and
    read every job of a common one.
    """
    now = timezone.now()
    rows = "SELECT id FROM jobs_job WHERE status = '{}' {} ORDER BY id LIMIT %(most)s"
    found = f"(SELECT count(*) FROM ({rows}) AS found)"  # ours  # nosec B608
    ages = ("AND id >= %(day)s", "AND id >= %(week)s", "")
    lines = (
        f"SELECT '{status}', " + ", ".join(found.format(status, age) for age in ages)  # ours  # nosec B608
        for status in JobStatus.values
    )
    limits: dict[str, Any] = {
        "day": first_id_from(now - DAY),
        "week": first_id_from(now - WEEK),
        "most": MAX_IN_CELL + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(lines), limits)
        counted = cursor.fetchall()
    estimates = estimate_by_value(Job, "status")
    return {
        status: [
            Counted.of(day, most=MAX_IN_CELL),
            Counted.of(week, most=MAX_IN_CELL),
            Counted.of(ever, estimates.get(status, 0), most=MAX_IN_CELL),
        ]
        for status, day, week, ever in counted
    }


def stuck_jobs(user: Any) -> Iterator[Stuck]:
    """Yield the line of jobs for which something is being done, and that have not changed for too long."""
    if not user.has_perm(view_permission(Job)):
        return
    counted = count(Job.objects.filter(is_stuck()))
    if counted.number:
        label = f"Jobs at work without a change for {settings.JOB_TIMEOUT_MINUTES} minutes"
        yield Stuck(label, counted, list_url(Job, "stuck=1"))


def read_failures(user: Any) -> dict[str, Any]:
    """Return how often jobs have failed by code: within a day, within a week, and in the week before that; with how the
    weeks differ. A job that was retried since counts all the same, and one that failed again twice."""
    now = timezone.now()
    newest, older = _newest_failures(now + DAY), _newest_failures(now - WEEK)
    today, week = (_count_since(now - since, newest) for since in (DAY, WEEK))
    before = _count_since(now - 2 * WEEK, older)
    codes = sorted(week | before, key=lambda code: (-week[code], -before[code], code))
    lines = [
        {
            "code": code,
            "today": today[code],
            "week": week[code],
            "before": before[code],
            "change": week[code] - before[code],
            "fewer": before[code] - week[code],
            "url": list_url(Job, urlencode({"failure_code": code})) if code else "",
        }
        for code in codes
    ]
    is_cut = max(week.total(), before.total()) >= MAX_FAILURES
    return {"lines": lines, "is_cut": is_cut, "most": MAX_FAILURES}


def _newest_failures(until: datetime) -> list[tuple[UUID, str]]:
    """Return the ids and codes of the newest failures before a time, the newest first.

    Events from before they had a code have that of their job, if it stands as failed still, else an empty one. From
    when on they count is looked at afterwards: PostgreSQL takes a range of ids for short, and would read and sort all
    of it.
    """
    standing = Job.objects.filter(pk=OuterRef("job_id"), status=JobStatus.FAILED)
    recorded = KeyTextTransform("failure_code", "data")
    of_job = Subquery(standing.values_list(failure_code_of_job()))
    code = Coalesce(recorded, of_job, Value(""), output_field=TextField())
    failed = AuditEvent.objects.filter(event_type=AuditEvent.JOB_FAILED, pk__lt=first_id_from(until))
    return list(failed.order_by("-pk").values_list("pk", code)[:MAX_FAILURES])


def _count_since(since: datetime, failures: Iterable[tuple[UUID, str]]) -> Counter[str]:
    """Return how often each code occurs in those since a time."""
    first = first_id_from(since)
    return Counter(code for pk, code in failures if pk >= first)


STUCK.append(stuck_jobs)
STORED.append(StoredFiles("Recordings, transcripts and drafts", Artifact, "size_bytes"))
FRONT_PANELS.extend(
    [
        FrontPanel(
            "Jobs by state and age", "jobs/front/states.html", view_permission(Job), read_states, place=10
        ),
        FrontPanel(
            "Failures by code", "jobs/front/failures.html", view_permission(Job), read_failures, place=30
        ),
    ]
)
