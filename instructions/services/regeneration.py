"""Ask for a passage of a document to be rewritten."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction

from config.accounts.models import User
from config.api import errors, request_id
from config.api.canonical import canonical_json
from instructions.models import Instruction, RegenerateTask
from instructions.passages import SelectionInvalid, find_passage
from instructions.services.versions import open_document, require_newest
from jobs.models import Job
from jobs.services.audit import by_editor, record_event
from jobs.services.transitions import lock_job, move_job, transition_refused
from jobs.states import JobStatus

ALLOWED_STATUSES = (JobStatus.DRAFT_READY, JobStatus.EDITING, JobStatus.DONE)


def regenerate_instruction(
    *,
    instruction: Instruction,
    user: User,
    base_version: int,
    selection: dict[str, Any],
    client_request_id: str,
    **wishes: str,
) -> tuple[RegenerateTask, bool]:
    """Ask for other words for one passage; return (task, replayed). The same request is the same task.

    `wishes` are `context`, `model_profile`, `prompt_template_id` and `prompt_params_ref`, those that were sent. The
    job is REGENERATING until the task ends; a job that is DONE stays so. Raises a 400 for a selection that names no
    passage of the base version, and the 409s of the contract.
    """
    _check_selection(instruction, base_version, selection)
    asked = {"base_version": base_version, "selection": selection, **wishes}
    digest = hashlib.sha256(canonical_json(asked)).hexdigest()
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        if known := _known_task(instruction, client_request_id, digest):
            return known, True
        _require_allowed(job, instruction)
        instruction = Instruction.objects.select_for_update().get(pk=instruction.pk)
        require_newest(instruction, base_version, None)
        task = RegenerateTask.objects.create(
            job=job,
            owner_id=job.owner_id,
            instruction=instruction,
            status=RegenerateTask.WAITING,
            client_request_id=client_request_id,
            request_sha256=digest,
            requested_by=str(user.pk),
            correlation_id=request_id.current(),
            **asked,
        )
        _begin(job, task, user)
        task.enqueue_on_commit()
    return task, False


def _check_selection(instruction: Instruction, base_version: int, selection: dict[str, Any]) -> None:
    """Raise a 400 unless the selection names a passage of the version: before any lock, for versions never change."""
    version = instruction.versions.filter(version=base_version).first()
    if version is None:
        raise errors.invalid("base_version", "The document has no such version.", code="not_found")
    try:
        find_passage(version.markdown, version.read_blocks(), selection)
    except SelectionInvalid as error:
        raise errors.invalid(f"selection.{error.field}", error.message, code=error.code) from error


def _known_task(instruction: Instruction, client_request_id: str, digest: str) -> RegenerateTask | None:
    task = instruction.regenerate_tasks.filter(client_request_id=client_request_id).first()
    if task and task.request_sha256 != digest:
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This client_request_id was used for another passage or in another way.",
            hint="Send a new client_request_id for a new request.",
        )
    return task


def _require_allowed(job: Job, instruction: Instruction) -> None:
    """Raise the 409 of a job whose document cannot be rewritten now; the job is locked."""
    active = instruction.regenerate_tasks.filter(status__in=RegenerateTask.ACTIVE).first()
    if active:
        raise errors.conflict(
            "REGENERATE_IN_PROGRESS",
            "Another passage of this document is being rewritten.",
            hint="Wait until that task has ended.",
            active_task_id=str(active.pk),
        )
    if job.status not in ALLOWED_STATUSES:
        raise transition_refused(job, attempted=JobStatus.REGENERATING)


def require_rewriting_again(job: Job, task: RegenerateTask) -> None:
    """Raise a 409 unless a failed task of a locked job may be opened again for its owner: only the owner makes a job
    REGENERATING, and what was based on another version would fail again."""
    if job.status != JobStatus.DONE:
        refused = transition_refused(job, attempted=JobStatus.REGENERATING)
        refused.hint = "The owner of the job can ask for the passage once more."
        raise refused
    _require_allowed(job, task.instruction)
    require_newest(task.instruction, task.base_version, None)


def _begin(job: Job, task: RegenerateTask, user: User) -> None:
    by, data = by_editor(user), {"task_id": str(task.pk)}
    open_document(job, by=by)
    if job.status == JobStatus.EDITING:
        move_job(job, "regenerate", by=by, data=data)
    else:
        record_event(job, "JOB_REGENERATE_STARTED", by=by, data=data)
