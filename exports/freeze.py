"""Makes the document of an export: the text of one version, and each active picture at its place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exports.snapshot import Document, Picture
from instructions.block import Block


@dataclass(frozen=True)
class ActivePicture:
    """An anchor's active picture. `addressing` is its address in the text that is exported; None when it has none."""

    anchor_id: str
    addressing: dict[str, Any] | None
    asset_id: str
    is_annotated: bool
    sha256: str
    mime_type: str
    width: int
    height: int
    extracted_at_ms: int | None
    origin: dict[str, Any]
    pixels_sha256: str | None = None


def freeze(
    pictures: Sequence[ActivePicture],
    *,
    markdown: str,
    blocks: Sequence[Block],
    fallback_title: str,
    provenance: dict[str, Any],
    **fields: Any,
) -> Document:
    """Return the document with every picture at its block; `fields` are further ones of Document.

    `blocks` are those of the version: of `markdown` as `parse_blocks` gives them, with the spans of its steps.
    `provenance` is completed by the anchors with their assets.
    """
    by_id = {block.block_id: block for block in reversed(blocks) if block.block_id}
    heading = next((block.title for block in blocks if block.kind == "heading" and block.title), None)
    anchors = [
        {
            "anchor_id": picture.anchor_id,
            "active_asset_id": picture.asset_id,
            "rendered_asset_id": picture.asset_id if picture.is_annotated else None,
        }
        for picture in pictures
    ]
    return Document(
        title=heading or fallback_title,
        markdown=markdown,
        pictures=tuple(_placed(picture, _block(picture, blocks, by_id)) for picture in pictures),
        provenance={**provenance, "anchors": anchors},
        spans={
            block.block_id: (block.start_ms, block.end_ms)
            for block in blocks
            if block.kind == "step" and block.start_ms is not None
        },
        **fields,
    )


def _block(picture: ActivePicture, blocks: Sequence[Block], by_id: dict[str, Block]) -> Block | None:
    """Return the block that the picture stands at; None when its address resolves to none."""
    address = picture.addressing
    if address is None:
        return None
    if "block_id" in address:
        return by_id.get(address["block_id"])
    start = address["char_range"]["start_offset"]
    inside = [block for block in blocks if block.start_offset <= start < block.end_offset]
    return min(inside, key=lambda block: block.end_offset - block.start_offset, default=None)


def _placed(picture: ActivePicture, block: Block | None) -> Picture:
    return Picture(
        anchor_id=picture.anchor_id,
        asset_id=picture.asset_id,
        block_id=block.block_id if block else None,
        sha256=picture.sha256,
        pixels_sha256=picture.pixels_sha256,
        mime_type=picture.mime_type,
        width=picture.width,
        height=picture.height,
        extracted_at_ms=picture.extracted_at_ms,
        origin=picture.origin,
        alt=f"Screenshot: {block.title}" if block and block.title else "Screenshot",
    )
