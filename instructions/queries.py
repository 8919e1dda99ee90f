"""Reads of documents: a statement each, within what the user may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.compiled import CompiledQuery
from instructions import hooks
from instructions.block import Block, innermost_steps
from instructions.blocks import parse_blocks
from instructions.evidence import Evidence
from instructions.models import InstructionVersion, StepSource
from instructions.services.sources import SOURCE_FIELDS, read_source, unrecorded

SHOWN = (
    "id",
    "instruction_id",
    "version",
    "markdown",
    "blocks",
    "created_at",
    "validation_errors",
    "validated_at",
    "validator_version",
    "model_profile_id",
    "prompt_template_id",
    "prompt_params_ref",
)


@dataclass(frozen=True)
class Step:
    """A step of a version, its text from the heading to its end, what it rests on, and the anchors that stand in it."""

    block: Block
    number: int
    markdown: str
    evidence: Evidence
    anchor_ids: tuple[str, ...]


def read_version(user: User, raw_id: object, version: int | None) -> Any:
    """Return what is shown of one version of a document, the newest for None; raise the 404 of the contract."""
    return _read(user, raw_id, version, with_steps=False)


def read_steps(user: User, raw_id: object, version: int | None) -> list[Step]:
    """Return the steps of one version of a document, the newest for None; raise the 404 of the contract."""
    row = _read(user, raw_id, version, with_steps=True)
    blocks = [Block(**block) for block in row.blocks]
    steps = _numbered([block for block in blocks if block.kind == "step"], row.markdown)
    sources = {source["block_id"]: read_source(source) for source in row.sources}
    anchors = _anchors_by_step([anchor for found in row[len(_STEP_COLUMNS) :] for anchor in found], blocks)
    return [
        Step(
            block=step,
            number=number,
            markdown=row.markdown[step.start_offset : step.end_offset],
            evidence=sources.get(step.block_id) or unrecorded(step),
            anchor_ids=tuple(anchors.get(step.block_id, ())),
        )
        for step, number in steps
    ]


_STEP_COLUMNS = ("markdown", "blocks", "sources")


def _read(user: User, raw_id: object, version: int | None, *, with_steps: bool) -> Any:
    query = _query(with_steps, version is not None)
    number = {} if version is None else {"version": version}
    row = query.first(owner=user.pk, instruction=parse_id(raw_id), **number)
    if row is None:
        raise errors.not_found()
    return row


@cache
def _query(with_steps: bool, is_numbered: bool) -> CompiledQuery[Any]:
    def build(
        owner: UUID, instruction: UUID, version: int | None = None
    ) -> QuerySet[InstructionVersion, Any]:
        visible = InstructionVersion.objects.visible_to(User(pk=owner)).filter(instruction=instruction)
        rows = visible.filter(version=F("instruction__version") if version is None else version)
        if with_steps:
            return _with_steps(rows)
        return rows.values(*SHOWN, job_id=F("instruction__job_id"))

    types: dict[str, type] = {"owner": UUID, "instruction": UUID}
    return CompiledQuery(build, types | ({"version": int} if is_numbered else {}))


def _with_steps(rows: QuerySet[InstructionVersion]) -> QuerySet[InstructionVersion, Any]:
    sources = StepSource.objects.filter(
        instruction=OuterRef("instruction_id"), version__lte=OuterRef("version")
    )
    newest = sources.order_by("block_id", "-version").distinct("block_id")
    fields = {name: name for name in SOURCE_FIELDS}
    anchors = {f"anchors_{number}": anchors() for number, anchors in enumerate(hooks.ANCHORS)}
    rows = rows.annotate(sources=ArraySubquery(newest.values(shown=JSONObject(**fields))), **anchors)
    return rows.values_list(*_STEP_COLUMNS, *anchors, named=True)


def _numbered(steps: Sequence[Block], markdown: str) -> list[tuple[Block, int]]:
    """Return steps with their numbers; blocks that were stored before these were kept are read again."""
    numbers = {step.block_id: step.number for step in steps}
    if None in numbers.values():
        numbers = {block.block_id: block.number for block in parse_blocks(markdown)}
    return [(step, numbers[step.block_id] or 0) for step in steps]


def _anchors_by_step(anchors: Sequence[Mapping[str, Any]], blocks: Sequence[Block]) -> dict[str, list[str]]:
    """Return the ids of anchors by the block id of the innermost step that each stands in."""
    steps = [block for block in blocks if block.kind == "step"]
    step_of = {
        block.block_id: step for block, step in zip(blocks, innermost_steps(blocks), strict=True) if step
    }
    found: dict[str, list[str]] = {}
    for anchor in anchors:
        place = anchor["place"] or {}
        step = step_of.get(place.get("block_id") or "")
        at = (place.get("char_range") or {}).get("start_offset")
        if at is not None:
            around = (step for step in reversed(steps) if step.start_offset <= at < step.end_offset)
            step = next(around, None)
        if step:
            found.setdefault(step.block_id, []).append(anchor["id"])
    return found
