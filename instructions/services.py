"""Writes of documents: the draft comes in, the owner saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from uuid6 import uuid7

from config.accounts.models import User
from config.api import errors
from instructions.block import Block
from instructions.blocks import (
    Outline,
    add_text,
    blocks_of,
    marker_bytes,
    normalized,
    read_outline,
    with_markers,
)
from instructions.complexity import DocumentTooComplex, check_complexity, check_marks, count_marks
from instructions.models import Instruction, InstructionVersion
from instructions.parser import MAX_WORK
from instructions.validation import VALIDATOR_VERSION, ValidationIssue, validate
from jobs.artifact_updates import MAX_MARKDOWN_BYTES
from jobs.models import Job
from jobs.services.audit import Attribution, by_editor, record_event
from jobs.services.transitions import lock_job, move_job, save_job, transition_refused
from jobs.states import HAS_DOCUMENT, JobStatus

Source = InstructionVersion.Source
PROVENANCE = ("model_profile_id", "prompt_template_id", "prompt_params_ref")


@dataclass(frozen=True)
class PreparedText:
    """A text with its markers completed, its blocks, and what the validator says: the heavy part of a version."""

    markdown: str
    blocks: list[Block]
    issues: list[ValidationIssue]


def prepare_text(markdown: str) -> PreparedText:
    """Parse a text for `add_version`: before any lock, for it takes long for long texts.

    Raises 413 for over 1 MiB without its markers, and 400 DOCUMENT_TOO_COMPLEX.
    """
    if len(markdown.encode()) - marker_bytes(markdown) > MAX_MARKDOWN_BYTES:
        raise errors.too_large()
    try:
        check_complexity(markdown)
        markdown, outline = _complete(markdown)
        issues = validate(markdown, outline=outline, max_work=MAX_WORK)
    except DocumentTooComplex as error:
        hint = "Make two guides of it."
        raise errors.ApiError(400, "DOCUMENT_TOO_COMPLEX", str(error), hint=hint) from error
    return PreparedText(markdown, blocks_of(outline, markdown), issues)


def _complete(markdown: str) -> tuple[str, Outline]:
    """Return the text of `ensure_markers` and its outline, of one parse if no marker was missing.

    Raises DocumentTooComplex for over MAX_WORK or MAX_MARKS in the text that the parser finds.
    """
    markdown = normalized(markdown)
    outline = read_outline(markdown, with_text=False, max_work=MAX_WORK)
    tokens = (token for block in outline.blocks for token in block.tokens if token.type == "inline")
    check_marks(sum(count_marks(token.content) for token in tokens))
    marked = with_markers(outline, lambda: str(uuid7()))
    if marked != markdown:
        return marked, read_outline(marked, max_work=MAX_WORK)
    add_text(outline)
    return marked, outline


def prepare_draft(content: dict[str, Any]) -> Callable[[Job], None]:
    """Return what makes the document of a job from a draft, or its next version; registered as *ingest*."""
    text = prepare_text(content["markdown"])

    def store(job: Job) -> None:
        instruction, _ = Instruction.objects.get_or_create(job=job)
        job.instruction_id = instruction.pk
        provenance = {name: content.get(name) or "" for name in PROVENANCE}
        add_version(instruction, text=text, source=Source.DRAFT, created_by="system", **provenance)

    return store


def add_version(
    instruction: Instruction, *, text: PreparedText, source: Source, created_by: str, **provenance: str
) -> InstructionVersion:
    """Write the next version of a document whose job is locked."""
    instruction.version += 1
    instruction.updated_at = timezone.now()
    instruction.save(update_fields=["version", "updated_at"])
    return InstructionVersion.objects.create(
        instruction=instruction,
        version=instruction.version,
        markdown=text.markdown,
        blocks=[vars(block) for block in text.blocks],
        source=source,
        created_by=created_by,
        validation_errors=[vars(issue) for issue in text.issues],
        validated_at=timezone.now(),
        validator_version=VALIDATOR_VERSION,
        **provenance,
    )


def require_document(job: Job) -> None:
    """Raise the contract's 409 when there is no document yet, or the job is FAILED or CANCELLED."""
    if job.status not in HAS_DOCUMENT:
        raise transition_refused(job, attempted=JobStatus.EDITING)


def open_document(job: Job, *, by: Attribution) -> None:
    """Let the owner write to the document of a locked job: DRAFT_READY becomes EDITING.

    Raises the 409 of `require_document`.
    """
    require_document(job)
    if job.status == JobStatus.DRAFT_READY:
        move_job(job, "open_document", by=by)


def save_instruction(
    *, instruction: Instruction, user: User, base_version: int, markdown: str, if_match: str | None = None
) -> InstructionVersion:
    """Write the next version from the owner's text, or return the newest as it is when nothing changed.

    Of N writers with one base version one wins: the others get VERSION_CONFLICT. Who is late already gets it before
    the text is parsed.
    """
    _require_newest(instruction, base_version, if_match)
    text = prepare_text(markdown)
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        instruction = Instruction.objects.select_for_update().get(pk=instruction.pk)
        newest = _require_newest(instruction, base_version, if_match)
        open_document(job, by=by_editor(user))
        if text.markdown == newest.markdown:
            return newest
        version = add_version(
            instruction,
            text=text,
            source=Source.EDIT,
            created_by=str(user.pk),
            **{name: getattr(newest, name) for name in PROVENANCE},
        )
        save_job(job)
        record_event(job, "INSTRUCTION_SAVED", by=by_editor(user), data={"version": version.version})
    return version


def _require_newest(instruction: Instruction, base_version: int, if_match: str | None) -> InstructionVersion:
    """Return the newest version; raise 412 or 409 unless the save is based on it."""
    newest = instruction.versions.get(version=instruction.version)
    if if_match is not None and if_match != etag(newest):
        raise errors.ApiError(412, "PRECONDITION_FAILED", "The document has changed.", hint="Read it again.")
    if base_version != instruction.version:
        raise errors.conflict(
            "VERSION_CONFLICT",
            "The document has a newer version.",
            hint="Read the newest version, put your change on it, save again.",
            base_version=base_version,
            current_version=instruction.version,
        )
    return newest


def etag(version: InstructionVersion) -> str:
    return f'"{version.pk}"'
