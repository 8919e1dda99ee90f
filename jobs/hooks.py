"""What later apps do inside the jobs' flow. Each registers its own in `AppConfig.ready()`, stages in its `tasks.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from config.work.lease import Lease
from jobs.models import Job

Spoken = Callable[[], Sequence[tuple[int, int]]]
"""Return when each segment of the transcript that counts begins and ends (ms), by its position; none without one."""

# Kind of artifact -> reads its content before any lock, and returns what to store, in the callback's transaction
# with the job locked. What it finds wrong it raises as UpdateInvalid.
INGEST: dict[str, Callable[[dict[str, Any], Spoken], Callable[[Job], None]]] = {}
# Processing status -> who performs it in the local pipeline; returns the artifact_updates of its callback.
STAGES: dict[str, Callable[[Job, Lease], dict[str, Any]]] = {}
# Called in the transaction that sends a job to its orchestrator, with the job locked.
JOB_STARTED: list[Callable[[Job], None]] = []
# Called in the transaction that ends a job as FAILED or CANCELLED, with the job locked.
JOB_ABORTED: list[Callable[[Job], None]] = []
# Each returns the URIs of all files that its rows of one job name. A file that none names is removed after a day.
FILE_REFERENCES: list[Callable[[UUID], Iterable[str]]] = []
# What may be chosen later than in a job's options, by its field in the answer of getOptions.
CHOICES: dict[str, Sequence[str]] = {}
# Each returns its rows of all jobs of these owners, whose `size_bytes` count into the owner's quota.
KEPT_BYTES: list[Callable[[Collection[UUID]], QuerySet[Any]]] = []
