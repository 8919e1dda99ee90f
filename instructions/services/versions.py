"""Writes of versions: a text is prepared outside of any lock, and becomes the next version under the job's lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.http import parse_etags
from uuid6 import uuid7

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
from instructions.evidence import Evidence
from instructions.marking import marked_outline
from instructions.models import Instruction, InstructionVersion
from instructions.parser import MAX_WORK
from instructions.services.sources import with_span, write_evidence
from instructions.validation import VALIDATOR_VERSION, ValidationIssue, validate
from jobs.artifact_updates import MAX_MARKDOWN_BYTES
from jobs.models import Job
from jobs.services.audit import Attribution
from jobs.services.transitions import move_job, transition_refused
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
        raise too_complex(error) from error
    return PreparedText(markdown, blocks_of(outline, markdown), issues)


def too_complex(error: DocumentTooComplex, *, field: str | None = None) -> errors.ApiError:
    """Return the 400 for a text, and the dotted path of the field that it came in when there are several."""
    named = [{"field": field, "code": "too_complex", "message": str(error)}] if field else []
    details = {"errors": named} if named else None
    return errors.ApiError(
        400, "DOCUMENT_TOO_COMPLEX", str(error), details=details, hint="Make two guides of it."
    )


def _complete(markdown: str) -> tuple[str, Outline]:
    """Return the text of `ensure_markers` and its outline, of one parse if markers were missing at most.

    Raises DocumentTooComplex for over MAX_WORK or MAX_MARKS in the text that the parser finds.
    """
    markdown = normalized(markdown)
    outline = read_outline(markdown, with_text=False, max_work=MAX_WORK)
    tokens = (token for block in outline.blocks for token in block.tokens if token.type == "inline")
    check_marks(sum(count_marks(token.content) for token in tokens))
    marked = with_markers(outline, lambda: str(uuid7()))
    if marked != markdown:
        found = marked_outline(outline, marked)
        if found is None:
            return marked, read_outline(marked, max_work=MAX_WORK)
        outline = found
    add_text(outline)
    return marked, outline


def add_version(
    instruction: Instruction,
    *,
    text: PreparedText,
    evidence: Mapping[str, Evidence],
    source: Source,
    created_by: str,
    **provenance: str,
) -> InstructionVersion:
    """Write the next version of a document whose job is locked, and what its steps rest on, by block id."""
    instruction.version += 1
    instruction.updated_at = timezone.now()
    instruction.save(update_fields=["version", "updated_at"])
    write_evidence(instruction, evidence)
    return InstructionVersion.objects.create(
        instruction=instruction,
        version=instruction.version,
        markdown=text.markdown,
        blocks=[vars(with_span(block, evidence)) for block in text.blocks],
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


def require_newest(instruction: Instruction, base_version: int, if_match: str | None) -> InstructionVersion:
    """Return the newest version; raise 412 or 409 unless the save is based on it, 400 for a version to come."""
    newest = instruction.versions.get(version=instruction.version)
    if if_match is not None and not _names(if_match, etag(newest)):
        raise errors.ApiError(412, "PRECONDITION_FAILED", "The document has changed.", hint="Read it again.")
    if base_version > instruction.version:
        newest_is = f"The newest version of the document is {instruction.version}."
        raise errors.invalid("base_version", newest_is, code="not_found")
    if base_version != instruction.version:
        raise errors.conflict(
            "VERSION_CONFLICT",
            "The document has a newer version.",
            hint="Read the newest version, put your change on it, save again.",
            base_version=base_version,
            current_version=instruction.version,
        )
    return newest


def provenance_of(version: InstructionVersion) -> dict[str, str]:
    """Return by name what the text of a version was written with: ids, empty where nothing is known."""
    return {name: getattr(version, name) for name in PROVENANCE}


def etag(version: Any) -> str:
    """Return the ETag of a version, or of a row with its id."""
    return f'"{version.id}"'


def _names(if_match: str, etag: str) -> bool:
    """Return whether a value of If-Match names this ETag of something that is there (RFC 9110, section 13.1.1: by
    strong comparison, so a weak one never; `*` names any)."""
    tags = parse_etags(if_match)
    return "*" in tags or etag in tags
