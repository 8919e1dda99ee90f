"""Makes the document of an export: the text of one version, and each active picture at its place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anchors.resolve import resolve
from exports.snapshot import Document, Picture
from instructions.blocks import Block, parse_blocks


@dataclass(frozen=True)
class ActivePicture:
    """An anchor's active picture. `anchored_in` is the text that the address was given in; None for the text
    that is exported."""

    anchor_id: str
    addressing: dict[str, Any]
    anchored_in: str | None
    asset_id: str
    is_annotated: bool
    sha256: str
    mime_type: str
    width: int
    height: int
    extracted_at_ms: int | None


def freeze(
    pictures: Sequence[ActivePicture],
    *,
    markdown: str,
    fallback_title: str,
    provenance: dict[str, Any],
    **fields: Any,
) -> Document:
    """Resolve every picture into `markdown`, and return the document; `fields` are further ones of Document.

    `provenance` is completed by the anchors with their assets. Takes long for long texts with many lost
    anchors: call it outside locks.
    """
    blocks = parse_blocks(markdown)
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
        pictures=tuple(_placed(picture, _block(picture, markdown, blocks)) for picture in pictures),
        provenance={**provenance, "anchors": anchors},
        **fields,
    )


def _block(picture: ActivePicture, markdown: str, blocks: Sequence[Block]) -> Block | None:
    """Return the block that the picture stands at; None when its address resolves to none."""
    address: dict[str, Any] | None = picture.addressing
    if picture.anchored_in is not None:
        address = resolve(picture.addressing, source=picture.anchored_in, target=markdown).addressing
    if address is None:
        return None
    if "block_id" in address:
        return next((block for block in blocks if block.block_id == address["block_id"]), None)
    start = address["char_range"]["start_offset"]
    inside = [block for block in blocks if block.start_offset <= start < block.end_offset]
    return min(inside, key=lambda block: block.end_offset - block.start_offset, default=None)


def _placed(picture: ActivePicture, block: Block | None) -> Picture:
    return Picture(
        anchor_id=picture.anchor_id,
        asset_id=picture.asset_id,
        block_id=block.block_id if block else None,
        sha256=picture.sha256,
        mime_type=picture.mime_type,
        width=picture.width,
        height=picture.height,
        extracted_at_ms=picture.extracted_at_ms,
        alt=f"Screenshot: {block.title}" if block and block.title else "Screenshot",
    )
