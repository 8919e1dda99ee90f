"""What a draft may have at most to become a document."""

from __future__ import annotations

from instructions.blocks import read_outline
from instructions.complexity import DocumentTooComplex, check_complexity
from instructions.language_models import Draft
from instructions.parser import MAX_WORK
from jobs.artifact_updates import MAX_DRAFT_SEGMENTS, MAX_MARKDOWN_BYTES


def require_fit(draft: Draft) -> None:
    """Raise DocumentTooComplex for a draft that is too large, or takes too long to parse, for a document."""
    if len(draft.markdown.encode()) > MAX_MARKDOWN_BYTES:
        raise DocumentTooComplex("The document is larger than 1 MiB. Split it.")
    if sum(len(step.segments) for step in draft.steps) > MAX_DRAFT_SEGMENTS:
        raise DocumentTooComplex(f"The steps rest on more than {MAX_DRAFT_SEGMENTS:,} segments. Split it.")
    check_complexity(draft.markdown)
    read_outline(draft.markdown, with_text=False, max_work=MAX_WORK)
