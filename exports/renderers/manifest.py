"""The manifest: what an export was made of, so that every picture can be traced to a frame of the video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exports.identity import identity_key, renderer_version, screenshot_set_hash
from exports.renderers.compose import PlacedPicture, compose
from exports.renderers.rendered import RenderedFile
from exports.snapshot import Document

MANIFEST_VERSION = 1


def build_manifest(document: Document, *, format: str, files: Iterable[RenderedFile]) -> dict[str, Any]:
    """`files` are those of the `Rendered`. No time of making is in it, for it becomes part of the bytes."""
    listed = {file.name: file for file in files}
    set_hash = screenshot_set_hash(document.pictures)
    return {
        "manifest_version": MANIFEST_VERSION,
        "format": format,
        "title": document.title,
        "instruction_id": document.instruction_id,
        "instruction_version_id": document.instruction_version_id,
        "version": document.version,
        "job_id": document.job_id,
        "renderer_version": renderer_version(format),
        "screenshot_set_hash": set_hash,
        "identity_key": identity_key(
            instruction_version_id=document.instruction_version_id,
            format=format,
            screenshot_set_hash=set_hash,
            renderer_version=renderer_version(format),
        ),
        "video": {"sha256": document.video_sha256},
        "provenance": {key: value for key, value in document.provenance.items() if key != "generated_at"},
        "pictures": [_picture_entry(placed, listed[placed.name]) for placed in compose(document).pictures],
        "files": [file._asdict() for file in listed.values()],
    }


def _picture_entry(placed: PlacedPicture, file: RenderedFile) -> dict[str, Any]:
    """`sha256` is that of the exported file, `source_sha256` that of the asset before its metadata went."""
    picture = placed.picture
    return {
        "file": placed.name,
        "anchor_id": picture.anchor_id,
        "asset_id": picture.asset_id,
        "block_id": picture.block_id,
        "extracted_at_ms": picture.extracted_at_ms,
        "sha256": file.sha256,
        "source_sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "alt": placed.alt,
    }
