"""What the flow of jobs asks of exports: registered in `AppConfig.ready()`, so without the renderers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from config.work.models import WorkFailed
from exports.models import Export
from jobs.models import Job
from jobs.services.audit import by_system, record_event


def abort_exports(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_aborted*."""
    if job.instruction_id is None:
        return  # without a document there is none, and a failing callback is spared a statement
    failure = WorkFailed("JOB_CANCELLED", "The job has ended.")
    for export in job.exports.select_for_update().filter(status__in=Export.ACTIVE):
        close_failed(export, failure)
        data = {**event_data(export), "failure_code": failure.code}
        record_event(job, "EXPORT_FAILED", by=by_system(export.correlation_id), data=data)


def export_files(job_id: UUID) -> list[str]:
    """Return the URIs of all artifacts of a job's exports; registered as *file_references*."""
    return list(Export.objects.filter(job_id=job_id).values_list("artifact_uri", flat=True))


def close_failed(export: Export, failure: WorkFailed) -> None:
    export.last_audit_event = "EXPORT_FAILED"
    export.close(Export.FAILED, "last_audit_event", failure=failure)


def event_data(export: Export) -> dict[str, Any]:
    return {"export_id": str(export.pk), "attempt": export.attempt}
