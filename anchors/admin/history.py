"""Where an anchor was found, version by version, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from anchors.models import Anchor, AnchorResolution
from instructions.models import InstructionVersion

MAX_VERSIONS = 100
STATES = {"retain": "As it was", "remap": "Found elsewhere", "unresolved": "Not found"}
TONES = {"retain": "success", "remap": "info", "unresolved": "danger"}
METHODS = {
    "same_version": "it was put here",
    "block_id": "by the id of its block",
    "text": "by its text, which is there once",
    "text_nearest": "by its text: the nearest of several places",
    "text_ambiguous": "by its text: the first of two places that are equally near",
    "similarity": "the block with the text that is most alike",
    "none": "no text is alike enough",
    AnchorResolution.BY_HAND: "put there by hand",
}


@dataclass(frozen=True)
class Found:
    """An anchor in one version. Places are told by the ends of ids, as the text is not for everybody."""

    version: int
    version_id: UUID
    state: str
    tone: str
    method: str
    score: float
    origin: str
    place: str
    at: datetime


def read_history(anchor: Anchor) -> list[Found]:
    """Return where an anchor was found, in the order of the versions; the newest MAX_VERSIONS of them."""
    rows = anchor.resolutions.select_related("target_version").order_by("-target_version__version")
    found = list(rows.defer("target_version__markdown", "target_version__blocks")[:MAX_VERSIONS])
    return [_own(anchor), *(_told(each) for each in reversed(found))]


def _own(anchor: Anchor) -> Found:
    versions = InstructionVersion.objects.only("version")
    version = versions.get(pk=anchor.instruction_version_id)
    place = _place(anchor.addressing)
    return Found(
        version.version,
        version.pk,
        "Put here",
        "success",
        METHODS["same_version"],
        1.0,
        "",
        place,
        anchor.created_at,
    )


def _told(row: AnchorResolution) -> Found:
    trace = row.trace
    is_by_hand = trace["method"] == AnchorResolution.BY_HAND
    return Found(
        version=row.target_version.version,
        version_id=row.target_version_id,
        state="Placed by hand" if is_by_hand else STATES[row.state],
        tone=TONES[row.state],
        method=METHODS[trace["method"]],
        score=trace["score"],
        origin=_place(trace.get("from")),
        place=_place(trace["to"]),
        at=row.created_at,
    )


def _place(place: dict[str, Any] | None) -> str:
    if not place:
        return "nowhere"
    if "block_id" in place:
        return f"block …{str(place['block_id'])[-6:]}"
    at = place["char_range"]
    return f"characters {at['start_offset']:,} to {at['end_offset']:,}"
