"""Writes of documents: the draft comes in, the owner saves."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from uuid6 import uuid7

from config.api import errors
from instructions.blocks import ensure_markers
from instructions.models import Instruction, InstructionVersion
from instructions.validation import VALIDATOR_VERSION, validate
from jobs.models import Job, User
from jobs.services.transitions import (
    By,
    by_editor,
    lock_job,
    move_job,
    record_event,
    save_job,
    transition_refused,
)
from jobs.states import HAS_DOCUMENT, Actor, JobStatus

Source = InstructionVersion.Source
MAX_MARKDOWN_BYTES = 2**20


def ingest_draft(job: Job, content: dict[str, Any]) -> None:
    """The document from a draft, or its next version; runs in the callback's transaction, the job locked."""
    instruction, _ = Instruction.objects.get_or_create(job=job)
    job.instruction_id = instruction.pk
    add_version(
        instruction,
        markdown=content["markdown"],
        source=Source.DRAFT,
        created_by="system",
        model_profile_id=content.get("model_profile_id") or "",
        prompt_template_id=content.get("prompt_template_id") or "",
        prompt_params_ref=content.get("prompt_params_ref") or "",
    )


def add_version(
    instruction: Instruction, *, markdown: str, source: Source, created_by: str, **provenance: str
) -> InstructionVersion:
    """The next version of a document whose job is locked: markers completed, validation noted."""
    markdown = ensure_markers(markdown, lambda: str(uuid7()))
    issues = validate(markdown)
    instruction.version += 1
    instruction.updated_at = timezone.now()
    instruction.save(update_fields=["version", "updated_at"])
    return InstructionVersion.objects.create(
        instruction=instruction,
        version=instruction.version,
        markdown=markdown,
        source=source,
        created_by=created_by,
        validation_errors=[vars(issue) for issue in issues],
        validated_at=timezone.now(),
        validator_version=VALIDATOR_VERSION,
        **provenance,
    )


def open_document(job: Job, *, by: By) -> None:
    """The owner writes to the document of a locked job: DRAFT_READY becomes EDITING.

    Raises the contract's 409 when there is no document yet, or the job is FAILED or CANCELLED.
    """
    if job.status == JobStatus.DRAFT_READY:
        move_job(job, "open_document", by=by)
    elif job.status not in HAS_DOCUMENT:
        raise transition_refused(job, attempted=JobStatus.EDITING)


def save_instruction(
    *, instruction: Instruction, user: User, base_version: int, markdown: str, if_match: str | None = None
) -> InstructionVersion:
    """The next version from the owner's text, or the newest as it is when nothing changed.

    Of N writers with one base version one wins: the others get VERSION_CONFLICT.
    """
    if len(markdown.encode()) > MAX_MARKDOWN_BYTES:
        raise errors.too_large()
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        instruction = Instruction.objects.select_for_update().get(pk=instruction.pk)
        newest = instruction.versions.get(version=instruction.version)
        if if_match is not None and if_match != etag(newest):
            raise errors.ApiError(
                412, "PRECONDITION_FAILED", "The document has changed.", hint="Read it again."
            )
        if base_version != instruction.version:
            raise errors.conflict(
                "VERSION_CONFLICT",
                "The document has a newer version.",
                hint="Read the newest version, put your change on it, save again.",
                base_version=base_version,
                current_version=instruction.version,
            )
        open_document(job, by=by_editor(user))
        if ensure_markers(markdown, lambda: str(uuid7())) == newest.markdown:
            return newest
        carried = ("model_profile_id", "prompt_template_id", "prompt_params_ref")
        version = add_version(
            instruction,
            markdown=markdown,
            source=Source.EDIT,
            created_by=str(user.pk),
            **{name: getattr(newest, name) for name in carried},
        )
        save_job(job)
        record_event(
            job, "INSTRUCTION_SAVED", by=By(Actor.EDITOR, str(user.pk)), data={"version": version.version}
        )
    return version


def etag(version: InstructionVersion) -> str:
    return f'"{version.pk}"'
