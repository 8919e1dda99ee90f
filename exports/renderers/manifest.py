"""The manifest: what an export was made of, by which each picture can be traced to a frame of the video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exports.identity import identify
from exports.renderers.compose import PlacedPicture
from exports.renderers.rendered import RenderedFile
from exports.snapshot import Document

MANIFEST_VERSION = 1


def build_manifest(
    document: Document,
    *,
    format: str,
    pictures: tuple[PlacedPicture, ...],
    files: Iterable[RenderedFile],
) -> dict[str, Any]:
    """Return the manifest of an export with these placed pictures and files, one file for each picture.

    It holds no time of rendering, as it is part of the rendered bytes.
    """
    listed = {file.name: file for file in files}
    return {
        "manifest_version": MANIFEST_VERSION,
        "format": format,
        "title": document.title,
        "instruction_id": document.instruction_id,
        "instruction_version_id": document.instruction_version_id,
        "version": document.version,
        "job_id": document.job_id,
        **identify(document, format=format)._asdict(),
        "video": {"sha256": document.video_sha256},
        "provenance": {key: value for key, value in document.provenance.items() if key != "generated_at"},
        "pictures": [_picture_entry(placed, listed[placed.name]) for placed in pictures],
        "files": [file._asdict() for file in listed.values()],
    }


def _picture_entry(placed: PlacedPicture, file: RenderedFile) -> dict[str, Any]:
    """Return an entry; `sha256` is of the exported file, `source_sha256` of the asset with its metadata."""
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
        "origin": picture.origin,
    }
