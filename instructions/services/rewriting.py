"""Perform the rewriting of a passage: ask the model, put its words in place, then write the next version."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from config.api import errors
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.evidence import EvidenceKind
from instructions.language_models import LanguageModelError, Rewriting, registry
from instructions.models import Instruction, InstructionVersion, RegenerateTask
from instructions.passages import Passage, ReplacementInvalid, find_passage, replace_passage
from instructions.services.job_hooks import close_failed, failed_data
from instructions.services.model_calls import JobCalls
from instructions.services.saving import Change
from instructions.services.sources import carried_over
from instructions.services.versions import Source, add_version, prepare_text
from jobs.models import Job
from jobs.services.audit import by_system, record_event
from jobs.services.transitions import lock_job, move_job, save_job
from jobs.states import JobStatus

UNUSABLE = "The model's answer cannot stand in place of the passage. Try again, or select less."


def perform_regeneration(task: RegenerateTask, lease: Lease) -> None:
    """Have the passage rewritten, then write the document's next version, unless it was changed meanwhile."""
    base = task.instruction.versions.get(version=task.base_version)
    _require_unmoved(task.instruction, task)  # before a model is paid for it; looked at again under the lock
    passage = find_passage(base.markdown, base.read_blocks(), task.selection)
    lease.report(0.05)
    answer = _ask(task, passage.text_in(base.markdown), lease)
    lease.report(0.9)
    change = _change(base, passage, answer.markdown)
    lease.check()
    with lease.hold(before=lambda: _lock(task)):
        _finish_regeneration(task, answer, change)


def _require_unmoved(instruction: Instruction, task: RegenerateTask) -> None:
    if instruction.version != task.base_version:
        message = "The document was changed meanwhile. Nothing was written; ask again for its newest version."
        raise WorkFailed("BASE_VERSION_MOVED", message)


def _profile_of(task: RegenerateTask) -> str:
    """Return the profile that was asked for, else that of the job, else "" for the default of this installation."""
    of_job = task.job.options.get("model_profile", "")
    return task.model_profile or (of_job if registry.is_installed(of_job) else "")


def _ask(task: RegenerateTask, passage: str, lease: Lease) -> Rewriting:
    calls = JobCalls(task.job_id, lease)
    try:
        model = registry.get_model(_profile_of(task), prompt_template_id=task.prompt_template_id, calls=calls)
        return model.rewrite(passage, context=task.context or None)
    except LanguageModelError as error:
        raise WorkFailed(error.code, error.message) from error


def _change(base: InstructionVersion, passage: Passage, words: str) -> Change | None:
    """Return the document with the new words, or None when they are the old ones."""
    try:
        text = prepare_text(replace_passage(base.markdown, passage, words))
    except (ReplacementInvalid, errors.ApiError) as error:
        raise WorkFailed("MODEL_OUTPUT_INVALID", UNUSABLE) from error
    if text.markdown == base.markdown:
        return None
    return Change(text, carried_over(base, text.markdown, text.blocks, kind=EvidenceKind.GENERATED))


def _lock(task: RegenerateTask) -> tuple[Job, Instruction]:
    job = lock_job(task.job_id)
    return job, Instruction.objects.select_for_update().get(pk=task.instruction_id)


def _finish_regeneration(task: RegenerateTask, answer: Rewriting, change: Change | None) -> None:
    """Write the next version, and end the task; job, document and task are locked."""
    job, instruction = _lock(task)
    _require_unmoved(instruction, task)
    if change:
        add_version(
            instruction,
            text=change.text,
            evidence=change.evidence,
            source=Source.REGENERATE,
            created_by=task.requested_by,
            model_profile_id=answer.model_profile_id,
            prompt_template_id=answer.prompt_template_id,
            prompt_params_ref=task.prompt_params_ref,
        )
    task.instruction_version = instruction.version
    task.close(task.SUCCEEDED, "instruction_version")
    _finish(job, task, {"task_id": str(task.pk), "version": instruction.version})


def fail_regeneration(task: RegenerateTask, failure: WorkFailed, *, lease: Lease) -> None:
    """Write the failure down, and let the job go back to EDITING."""
    with transaction.atomic():
        job = lock_job(task.job_id)
        lease.verify()
        close_failed(task, failure)
        _finish(job, task, failed_data(task))


def _finish(job: Job, task: RegenerateTask, data: dict[str, Any]) -> None:
    by = by_system(task.correlation_id)
    if job.status == JobStatus.REGENERATING:
        move_job(job, "finish_regenerate", by=by, data=data)
    else:
        save_job(job)
        record_event(job, "JOB_REGENERATE_FINISHED", by=by, data=data)
