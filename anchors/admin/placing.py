"""The action of staff that puts an anchor on a block, and the texts of both versions that it is decided by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from anchors.likeness import comparable
from anchors.models import AnchorResolution, UnresolvedAnchor
from anchors.resolve import Resolver, Text
from anchors.services.placing import place_anchor
from anchors.services.resolutions import sources_of, text_of
from config.admin import ReasonForm, StaffAction
from instructions.block import Block, innermost_steps
from instructions.models import InstructionVersion
from jobs.admin.content import PERMISSION as MAY_READ
from jobs.services.audit import by_staff
from jobs.services.content import OPEN_FOR, show_content

MAX_SHOWN = 300  # blocks of a version; all of them can be chosen
MAX_LIKELY = 3
NEIGHBOURS, MAX_INSIDE = 2, 8
MAX_LABEL = 90


@dataclass(frozen=True)
class Shown:
    """A block as a page shows it: `is_inside` a step, `is_place` where the anchor stood; of the likeliest, how like it
    is to that."""

    block_id: str
    text: str
    is_step: bool
    is_inside: bool
    is_place: bool = False
    score: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Where an anchor stood, with what was around, and the blocks of the version that it is to be put into."""

    former_version: int
    before: list[Shown]
    likely: list[Shown]
    after: list[Shown]
    left_out: int


def compare(row: AnchorResolution) -> Comparison:
    """Read both versions."""
    target = row.target_version
    source = sources_of([row.anchor], target)[row.anchor_id]
    former = InstructionVersion.objects.get(pk=source.version_id)
    old, new = text_of(former), text_of(target)
    resolver = Resolver(old, new)
    scores = dict(islice(resolver.likeliest(source.addressing).items(), MAX_LIKELY))
    after = [each for each in _shown(new, scores=scores) if each.block_id]
    known = {each.block_id: each for each in after}
    return Comparison(
        former_version=former.version,
        before=_around(_shown(old, place=resolver.home(source.addressing))),
        likely=[known[block_id] for block_id in scores],
        after=after[:MAX_SHOWN],
        left_out=max(0, len(after) - MAX_SHOWN),
    )


def _shown(text: Text, *, place: Block | None = None, scores: dict[str, float] | None = None) -> list[Shown]:
    steps = innermost_steps(text.blocks)
    return [
        Shown(
            block_id=block.block_id,
            text=_words(block, text.markdown),
            is_step=block.kind == "step",
            is_inside=step is not None and step is not block,
            is_place=block is place,
            score=(scores or {}).get(block.block_id),
        )
        for block, step in zip(text.blocks, steps, strict=True)
    ]


def _words(block: Block, markdown: str) -> str:
    """Return a block's text, of a step its heading's: what it holds has blocks of its own."""
    if block.title is None:
        return comparable(markdown[block.start_offset : block.end_offset])
    return f"Step {block.number}: {block.title}" if block.number else block.title


def _around(blocks: Sequence[Shown]) -> list[Shown]:
    """Return the block of the place with those beside it, and of a step with those in it."""
    at = next((position for position, block in enumerate(blocks) if block.is_place), None)
    if at is None:
        return []
    inside = 0
    if blocks[at].is_step:
        while inside < MAX_INSIDE and at + inside + 1 < len(blocks) and blocks[at + inside + 1].is_inside:
            inside += 1
    return list(blocks[max(0, at - NEIGHBOURS) : at + inside + 1 + NEIGHBOURS])


class PlaceForm(ReasonForm):
    block_id = forms.ChoiceField(
        label="After this block",
        widget=UnfoldAdminSelectWidget,
        help_text="A picture on a step stands at the end of the step.",
    )
    field_order = ("block_id", "reason")

    def offer(self, row: UnresolvedAnchor, chosen: str) -> None:
        """Let one of the blocks of the row's version be chosen; `chosen` is an id, or what else was asked for."""
        target = row.target_version
        blocks = [each for each in _shown(text_of(target)) if each.block_id]
        self.fields["block_id"].choices = [(each.block_id, _label(each)) for each in blocks]  # type: ignore[attr-defined]
        self.initial["block_id"] = chosen


def _label(block: Shown) -> str:
    text = block.text if len(block.text) <= MAX_LABEL else f"{block.text[: MAX_LABEL - 1]}…"
    return f"{'· ' if block.is_inside else ''}{text}"


def _read(row: UnresolvedAnchor, user: Any, given: dict[str, Any]) -> str:
    show_content(job=row.target_version.instruction.job, by=by_staff(user, given["reason"]))
    return f"You may read what the owner said and wrote for {OPEN_FOR.seconds // 60} minutes."


def _place(row: UnresolvedAnchor, user: Any, given: dict[str, Any]) -> str:
    place_anchor(resolution=row, block_id=UUID(given["block_id"]), by=by_staff(user, given["reason"]))
    return (
        f"The picture has its place in {row.target_version}. Exports that are made from now on show it there."
    )


READ: StaffAction[UnresolvedAnchor] = StaffAction(
    name="read",
    label="Read the document",
    permission=MAY_READ,
    consequence="You see what the owner wrote, to find the place of the picture. That you did, and why, stands in the "
    "audit log of the job, which the owner can read.",
    is_offered=lambda row: row.is_unresolved,
    perform=_read,
)
PLACE: StaffAction[UnresolvedAnchor] = StaffAction(
    name="place",
    label="Put it on a block",
    permission="anchors.place_any_anchor",
    consequence="Exports that are made from now on show the picture after this block, and later versions of the guide "
    "keep it there. It can be done once for a version. Exports that are there stay as they are.",
    is_offered=lambda row: row.is_unresolved,
    perform=_place,
    form=PlaceForm,
)
