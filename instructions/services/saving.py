"""Writes of the owner: each is one new version, on the newest one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from config.accounts.models import User
from instructions.evidence import Evidence
from instructions.models import Instruction, InstructionVersion
from instructions.services.sources import carried_over
from instructions.services.versions import (
    PreparedText,
    Source,
    add_version,
    open_document,
    prepare_text,
    provenance_of,
    require_newest,
)
from jobs.services.audit import by_editor, record_event
from jobs.services.transitions import lock_job, save_job


@dataclass(frozen=True)
class Change:
    """A changed text, and what its steps rest on; its provenance is that of the newest version, unless it has one.

    `has_other_sources` makes a version of it even when its text is the newest one's.
    """

    text: PreparedText
    evidence: Mapping[str, Evidence]
    provenance: Mapping[str, str] | None = None
    has_other_sources: bool = False


def save_instruction(
    *, instruction: Instruction, user: User, base_version: int, markdown: str, if_match: str | None = None
) -> InstructionVersion:
    """Write the next version from the owner's text, or return the newest as it is when nothing changed."""

    def change(newest: InstructionVersion) -> Change:
        text = prepare_text(markdown)
        return Change(text, carried_over(newest, text.markdown, text.blocks))

    return write_version(
        instruction=instruction, user=user, base_version=base_version, change=change, if_match=if_match
    )


def write_version(
    *,
    instruction: Instruction,
    user: User,
    base_version: int,
    change: Callable[[InstructionVersion], Change],
    source: Source = Source.EDIT,
    event: str = "INSTRUCTION_SAVED",
    event_data: Mapping[str, Any] | None = None,
    if_match: str | None = None,
) -> InstructionVersion:
    """Write what `change` makes of the newest version as the next one; return the newest when its text is the same.

    Of N writers with one base version one wins: the others get VERSION_CONFLICT. Who is late already gets it before
    anything is parsed; `change`, the heavy part, runs before any lock.
    """
    made = change(require_newest(instruction, base_version, if_match))
    with transaction.atomic():
        job = lock_job(instruction.job_id)
        instruction = Instruction.objects.select_for_update().get(pk=instruction.pk)
        newest = require_newest(instruction, base_version, if_match)
        open_document(job, by=by_editor(user))
        if made.text.markdown == newest.markdown and not made.has_other_sources:
            return newest
        version = add_version(
            instruction,
            text=made.text,
            evidence=made.evidence,
            source=source,
            created_by=str(user.pk),
            **(made.provenance or provenance_of(newest)),
        )
        save_job(job)
        data = {"version": version.version, **(event_data or {})}
        record_event(job, event, by=by_editor(user), data=data)
    return version
