"""What the flow of jobs asks of documents: registered in `AppConfig.ready()`, so without the language models."""

from __future__ import annotations

from typing import Any

from config.work.models import WorkFailed
from instructions.models import RegenerateTask
from jobs.models import Job
from jobs.services.audit import by_system, record_event
from jobs.states import JobStatus


def abort_regeneration(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_aborted*."""
    if job.instruction_id is None:
        return  # without a document there is none, and a failing callback is spared a statement
    failure = WorkFailed("JOB_CANCELLED", "The job has ended.")
    for task in job.regenerate_tasks.select_for_update().filter(status__in=RegenerateTask.ACTIVE):
        close_failed(task, failure)
        data = failed_data(task)
        record_event(job, "JOB_REGENERATE_FINISHED", by=by_system(task.correlation_id), data=data)


def close_failed(task: RegenerateTask, failure: WorkFailed) -> None:
    """Fail a task that is locked. It has one stage, whichever model it asked."""
    failed = WorkFailed(failure.code, failure.message, stage=JobStatus.REGENERATING)
    task.close(RegenerateTask.FAILED, failure=failed)


def failed_data(task: RegenerateTask) -> dict[str, Any]:
    return {"task_id": str(task.pk), "failure_code": task.failure_code}
