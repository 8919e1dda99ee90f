"""Edits of a document's steps: each call is one new version."""

from __future__ import annotations

from collections.abc import Sequence

from uuid6 import uuid7

from config.accounts.models import User
from config.api import errors
from instructions.edits import EditRefused, Operation, OperationTooComplex, apply_operations
from instructions.models import Instruction, InstructionVersion
from instructions.services.saving import Change, write_version
from instructions.services.sources import carried_over
from instructions.services.versions import prepare_text, too_complex


def edit_instruction(
    *,
    instruction: Instruction,
    user: User,
    base_version: int,
    operations: Sequence[Operation],
    if_match: str | None = None,
) -> InstructionVersion:
    """Write the next version from the newest by operations on its steps, or return the newest when nothing changed.

    Raises 400 for an operation that cannot be carried out; then none is.
    """

    def change(newest: InstructionVersion) -> Change:
        try:
            edited = apply_operations(newest.markdown, operations, lambda: str(uuid7()))
            text = prepare_text(edited.markdown)
            edited.check(text.markdown, text.blocks)
        except OperationTooComplex as error:
            raise too_complex(error, field=f"operations.{error.operation}.markdown") from error
        except EditRefused as refused:
            path = ["operations", str(refused.operation), refused.field]
            raise errors.invalid(".".join(filter(None, path)), str(refused), code=refused.code) from refused
        return Change(
            text, carried_over(newest, text.markdown, text.blocks, given=edited.spans, merged=edited.merged)
        )

    return write_version(
        instruction=instruction,
        user=user,
        base_version=base_version,
        change=change,
        event="INSTRUCTION_EDITED",
        if_match=if_match,
    )
