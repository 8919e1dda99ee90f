"""What later rooms do inside the jobs' flow. Registered in each `AppConfig.ready()`; never imported backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.work import Lease

# kind of artifact -> what to do with its content, in the callback's transaction with the job locked.
Ingest = Callable[["Job", dict[str, Any]], None]
INGEST: dict[str, Ingest] = {}
# processing status -> who performs it in the local pipeline; answers the artifact_updates of its callback.
Stage = Callable[["Job", "Lease"], dict[str, Any]]
STAGES: dict[str, Stage] = {}
# called in the transaction that ends a job as FAILED or CANCELLED, with the job locked.
JOB_ENDED: list[Callable[[Job], None]] = []
# called in the transaction that deletes a job, the last room first; deletes what hangs on it there.
JOB_DELETED: list[Callable[[Job], None]] = []
