"""The manifest: what an export was made of, by which each picture can be traced to a frame of the video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exports.identity import identify
from exports.renderers.compose import PlacedPicture
from exports.renderers.rendered import RenderedFile
from exports.snapshot import Document

MANIFEST_VERSION = 2


def build_manifest(
    document: Document,
    *,
    format: str,
    pictures: tuple[PlacedPicture, ...],
    files: Iterable[RenderedFile],
    pages: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the manifest of an export with these placed pictures and files, one file for each picture.

    `pages` says by the name of a picture on which page it stands, counted from 1, in formats that have pages. The
    manifest holds no time of rendering, as it is part of the rendered bytes.
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
        "steps": [dict(step) for step in document.steps],
        "pictures": [
            {
                **_picture_entry(placed, listed[placed.name]),
                "page": (pages or {}).get(placed.name),
                "origin": _origin(placed, document),
            }
            for placed in pictures
        ],
        "files": [
            {"name": file.name, "sha256": file.sha256, "size_bytes": file.size_bytes}
            for file in listed.values()
        ],
    }


def _picture_entry(placed: PlacedPicture, file: RenderedFile) -> dict[str, Any]:
    """Return an entry; `sha256` is of the exported file, `pixels_sha256` of what it shows (see `pixels`),
    and `source_sha256` of the asset with its metadata."""
    picture = placed.picture
    return {
        "file": placed.name,
        "anchor_id": picture.anchor_id,
        "asset_id": picture.asset_id,
        "block_id": picture.block_id,
        "extracted_at_ms": picture.extracted_at_ms,
        "sha256": file.sha256,
        "pixels_sha256": file.pixels_sha256,
        "source_sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "alt": placed.alt,
    }


def _origin(placed: PlacedPicture, document: Document) -> dict[str, Any] | None:
    """Return where a picture comes from; None of snapshots that do not say it.

    `video_sha256` stands where there is a frame: of what was hidden there is neither.
    """
    origin = placed.picture.origin
    if origin is None:
        return None
    return {"bases": [], **origin, "video_sha256": document.video_sha256 if origin["frame"] else None}
