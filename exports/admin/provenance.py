"""What an export was made of, as its manifest says, with the pictures as they stand now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anchors.models import Asset
from exports.models import Export
from instructions.block import Block

MAX_PICTURES = 100  # whose chain a page shows; a manifest has them all


@dataclass(frozen=True)
class Link:
    """A picture of the chain. `asset` is None when it is deleted; `drawn` are its operations in words.

    `sha256` is empty where something is hidden: a hash would let everybody test guesses of it.
    """

    asset_id: str
    kind: str
    asset: Asset | None
    sha256: str = ""
    drawn: str = ""

    @property
    def is_hidden(self) -> bool:
        return self.asset is not None and self.asset.is_concealed


@dataclass(frozen=True)
class Chain:
    """What one picture of the export was made of: itself first, then what lies below, down to the frame.

    `frame` has `pts`, `time_base` and `pix_fmt`; it is None where a redaction hides something, and then `commitment` is
    what stands for all below.
    """

    number: int
    anchor_id: str
    block_id: str
    page: int | None
    links: tuple[Link, ...]
    at_ms: int | None
    frame: dict[str, Any] | None
    commitment: str


@dataclass(frozen=True)
class StepEvidence:
    """What a step rests on. `title` is empty for those who may not read the document."""

    number: int
    title: str
    start_ms: int | None
    end_ms: int | None
    kind: str
    segments: tuple[dict[str, Any], ...]
    frames: int
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class Provenance:
    """`others` are pictures that stand on no step; `left_out` is the number of those beyond MAX_PICTURES."""

    video_sha256: str
    steps: tuple[StepEvidence, ...]
    others: tuple[Chain, ...]
    left_out: int


def read_provenance(export: Export, *, with_titles: bool = False) -> Provenance | None:
    """Return what an export was made of, None before it has a manifest.

    The titles of its steps are what its owner wrote: they are for those who may read the document.
    """
    manifest = export.manifest
    if not manifest:
        return None
    told_steps, told_pictures = manifest.get("steps", []), manifest.get("pictures", [])
    pictures = told_pictures[:MAX_PICTURES]
    assets = _assets(pictures)
    blocks = export.instruction_version.read_blocks()  # which never change
    sections = _sections(blocks, {step["block_id"] for step in told_steps})
    titles = {block.block_id: block.title or "" for block in blocks} if with_titles else {}
    of_step: dict[str, list[Chain]] = {}
    for number, picture in enumerate(pictures, 1):
        step = sections.get(picture["block_id"], "")
        of_step.setdefault(step, []).append(_chain(number, picture, assets))
    steps = tuple(
        StepEvidence(
            number=step["number"],
            title=titles.get(step["block_id"], ""),
            start_ms=step["start_ms"],
            end_ms=step["end_ms"],
            kind=step["kind"],
            segments=tuple(step["segments"]),
            frames=len(step["frames"]),
            chains=tuple(of_step.pop(step["block_id"], ())),
        )
        for step in told_steps
        if step["block_id"] in of_step or len(told_steps) <= MAX_PICTURES
    )
    others = tuple(chain for chains in of_step.values() for chain in chains)
    return Provenance(
        video_sha256=manifest.get("video", {}).get("sha256") or "",
        steps=steps,
        others=others,
        left_out=len(told_pictures) - len(pictures),
    )


def _sections(blocks: Iterable[Block], steps: set[str]) -> Mapping[str, str]:
    """Return the step that each block of the document stands in, by the ids of both."""
    found: dict[str, str] = {}
    step = ""
    for block in blocks:
        step = block.block_id if block.block_id in steps else step
        found[block.block_id] = step
    return found


def _assets(pictures: list[dict[str, Any]]) -> Mapping[str, Asset]:
    ids = {UUID(picture["asset_id"]) for picture in pictures}
    ids |= {UUID(base["asset_id"]) for picture in pictures for base in picture["origin"]["bases"]}
    return {str(asset.pk): asset for asset in Asset.objects.filter(pk__in=ids).defer("commitment_salt")}


def _chain(number: int, picture: dict[str, Any], assets: Mapping[str, Asset]) -> Chain:
    origin = picture["origin"]
    links = tuple(_links(picture, assets))
    is_hidden = any(link.asset and (link.asset.is_concealed or link.asset.is_redacted) for link in links)
    return Chain(
        number=number,
        anchor_id=picture["anchor_id"],
        block_id=picture["block_id"],
        page=picture.get("page"),
        links=links,
        at_ms=picture["extracted_at_ms"],
        frame=None if is_hidden else origin["frame"],
        commitment=origin["commitment"] or "",
    )


def _links(picture: dict[str, Any], assets: Mapping[str, Asset]) -> Iterator[Link]:
    origin = picture["origin"]
    yield _link({**picture, "kind": origin["kind"]}, assets)
    for base in origin["bases"]:
        yield _link(base, assets)


def _link(told: dict[str, Any], assets: Mapping[str, Asset]) -> Link:
    asset = assets.get(told["asset_id"])
    is_hidden = asset is not None and asset.is_concealed
    return Link(
        asset_id=told["asset_id"],
        kind=told["kind"].lower(),
        asset=asset,
        sha256="" if is_hidden else told["sha256"],
        drawn="" if asset is None else _drawn(asset.operations),
    )


def _drawn(operations: Any) -> str:
    """Return what was drawn, by its kinds: `1 arrow, 2 blurs`."""
    kinds = Counter(operation["op_type"] for operation in operations or ())
    return ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(kinds.items()))
