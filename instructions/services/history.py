"""Older versions of a document: what changed since, and taking one back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from config.accounts.models import User
from config.api import errors
from instructions.block import Block
from instructions.diff import BlockChange, block_changes, unified_diff
from instructions.models import Instruction, InstructionVersion
from instructions.services.saving import Change, write_version
from instructions.services.sources import evidence_of
from instructions.services.versions import Source, prepare_text, provenance_of


@dataclass(frozen=True)
class Comparison:
    """What differs between two versions of a document; `before` may be the newer one."""

    before: int
    after: int
    unified_diff: str
    blocks: list[BlockChange]


def compare_versions(*, instruction: Instruction, before: int, after: int) -> Comparison:
    """Return what changed from one version to another. Raises 404 when one of them is not there."""
    (old, old_blocks), (new, new_blocks) = read_texts(instruction=instruction, versions=(before, after))
    names = (f"version {before}", f"version {after}")
    return Comparison(
        before,
        after,
        unified_diff(old, new, names=names),
        block_changes(old, old_blocks, new, new_blocks),
    )


def read_texts(*, instruction: Instruction, versions: Iterable[int]) -> list[tuple[str, list[Block]]]:
    """Return the text and the blocks of each of the versions. Raises 404 when one of them is not there."""
    asked = list(versions)
    rows = instruction.versions.filter(version__in=asked).values_list("version", "markdown", "blocks")
    found = {version: (markdown, [Block(**block) for block in blocks]) for version, markdown, blocks in rows}
    if not {*asked} <= found.keys():
        raise errors.not_found()
    return [found[version] for version in asked]


def restore_version(
    *, instruction: Instruction, user: User, version: int, base_version: int, if_match: str | None = None
) -> InstructionVersion:
    """Write the next version from the text of an older one, with what its steps rested on and its provenance then.

    Return the newest as it is when it has all of that. Raises a 400 when the version is not there.
    """

    def change(newest: InstructionVersion) -> Change:
        old = instruction.versions.filter(version=version).first()
        if old is None:
            raise errors.invalid("version", "The document has no such version.", code="not_found")
        then, now = [(evidence_of(one), provenance_of(one)) for one in (old, newest)]
        return Change(prepare_text(old.markdown), *then, has_other_sources=then != now)

    return write_version(
        instruction=instruction,
        user=user,
        base_version=base_version,
        change=change,
        source=Source.RESTORE,
        event="INSTRUCTION_RESTORED",
        event_data={"restored_version": version},
        if_match=if_match,
    )
