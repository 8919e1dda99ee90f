"""Render what succeeded again, from its frozen snapshot, and compare; nothing is written.

The database is read by the caller's thread (`prepare`); threads then read files and render (`examine`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anchors.models import Asset
from anchors.services.origins import published_origins
from config.api.ownership import parse_id
from config.sandbox import ChildFailed, SandboxError
from config.storage import BadUri, storage
from exports.identity import identity_key, screenshot_set_hash
from exports.models import Export
from exports.renderers import RenderFailed
from exports.services.rendering import render_document
from exports.services.sealing import sealed
from exports.services.signing import current_renderer_version
from exports.snapshot import AssetMissing, Document, Picture

CHUNK_BYTES = 2**20
# What is found, in a sentence.
FINDINGS = {
    "ARTIFACT_MISSING": "the stored artifact is gone",
    "ARTIFACT_CHANGED": "the stored artifact has other bytes than the export that was made",
    "ASSET_MISSING": "a picture is gone",
    "ASSET_CHANGED": "the stored bytes of a picture have changed",
    "UNREADABLE": "a stored file could not be read, so the rest was not checked",
    "CHAIN_BROKEN": "what the export says it was made of does not fit together",
    "RENDER_FAILED": "it can no longer be rendered",
    "BYTES_DIFFER": "rendered again, the artifact has other bytes",
    "MANIFEST_DIFFERS": "rendered again, the manifest is another one",
    "RENDERER_VERSION": "it was made by another version of the renderer, so it was not rendered again",
    "SNAPSHOT_VERSION": "its snapshot was written by another version, so it was not rendered again",
    "PICTURE_REDACTED": "a picture was redacted since, so it was not rendered again",
}
NOT_COMPARABLE = {"RENDERER_VERSION", "SNAPSHOT_VERSION", "PICTURE_REDACTED"}


@dataclass(frozen=True)
class Finding:
    code: str
    detail: str = ""

    def __str__(self) -> str:
        return FINDINGS[self.code] + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Subject:
    """An export with all that the database knows of it; `uris` has those of its pictures by asset id."""

    export: Export
    document: Document | None
    uris: Mapping[UUID, str]
    found: tuple[Finding, ...]


@dataclass(frozen=True)
class Verdict:
    export: Export
    found: tuple[Finding, ...]

    @property
    def outcome(self) -> str:
        """Return `same`, `not_comparable` when all that could be compared is the same, or `differs`."""
        if any(finding.code not in NOT_COMPARABLE for finding in self.found):
            return "differs"
        return "not_comparable" if self.found else "same"


def prepare(export: Export) -> Subject:
    """Return the export with what its rows say, and what is wrong with that."""
    found = []
    if export.renderer_version != current_renderer_version(export.format):
        found.append(Finding("RENDERER_VERSION", export.renderer_version))
    try:
        document = Document.from_json(export.snapshot)
    except ValueError as error:
        return Subject(export, None, {}, (*found, Finding("SNAPSHOT_VERSION", str(error))))
    asked = [parse_id(picture.asset_id) for picture in document.pictures]
    assets = Asset.objects.filter(job=export.job_id).defer("operations").in_bulk(asked)
    found += _wrong_identity(export, document)
    if any(asset.is_concealed for asset in assets.values()):
        found.append(Finding("PICTURE_REDACTED"))
    origins = published_origins(assets.values())
    for picture in document.pictures:
        asset = assets.get(parse_id(picture.asset_id))
        if asset is None:
            found.append(Finding("ASSET_MISSING", picture.asset_id))
        else:
            found += _wrong_links(picture, asset, origins[asset.pk])
    return Subject(export, document, {pk: asset.uri for pk, asset in assets.items()}, tuple(found))


def examine(subject: Subject) -> Verdict:
    """Read the stored files, render again what can be compared, and return what was found. Asks no database."""
    export, found = subject.export, [*subject.found, *_wrong_artifact(subject.export)]
    if document := subject.document:
        for picture in document.pictures:
            found += _wrong_file(picture, subject.uris.get(parse_id(picture.asset_id)))
        # What is missing or changed has been said; rendering would only fail for it.
        is_whole = not {"ASSET_MISSING", "ASSET_CHANGED"} & {finding.code for finding in found}
        if is_whole and not NOT_COMPARABLE & {finding.code for finding in found}:
            found += _rendered_otherwise(export, document, subject.uris)
    return Verdict(export, tuple(dict.fromkeys(found)))


def _wrong_identity(export: Export, document: Document) -> list[Finding]:
    """Compare the row with what its snapshot and its manifest say that it is."""
    set_hash = screenshot_set_hash(document.pictures)
    expected = {
        "instruction_version_id": (str(export.instruction_version_id), document.instruction_version_id),
        "job_id": (str(export.job_id), document.job_id),
        "screenshot_set_hash": (export.screenshot_set_hash, set_hash),
        "identity_key": (
            export.identity_key,
            identity_key(
                instruction_version_id=document.instruction_version_id,
                format=export.format,
                screenshot_set_hash=set_hash,
                renderer_version=export.renderer_version,
                look_hash=document.look.look_hash,
            ),
        ),
    }
    manifest = export.manifest or {}
    wrong = {
        name
        for name, (stored, computed) in expected.items()
        if not stored == computed == manifest.get(name, computed)
    }
    if manifest.get("renderer_version", export.renderer_version) != export.renderer_version:
        wrong.add("renderer_version")
    return [Finding("CHAIN_BROKEN", name) for name in sorted(wrong)]


def _wrong_links(picture: Picture, asset: Asset, origin: Mapping[str, Any]) -> list[Finding]:
    """Compare a frozen picture with its asset, and with what can be said today of where that comes from."""
    links = {
        "anchor_id": (picture.anchor_id, str(asset.anchor_id)),
        "sha256": (picture.sha256, asset.checksum_sha256),
        # Of a snapshot from before there was some field, only those that it has.
        **{name: (said, origin.get(name)) for name, said in (picture.origin or {}).items()},
    }
    # A redaction since takes hashes out of what may be said; that is a finding of its own.
    skipped = set(picture.origin or {}) if asset.is_concealed else set()
    wrong = [name for name, (frozen, now) in links.items() if frozen != now and name not in skipped]
    return [Finding("CHAIN_BROKEN", f"{name} of the picture {picture.asset_id}") for name in wrong]


def _wrong_artifact(export: Export) -> list[Finding]:
    sha256 = _stored_sha256(export.artifact_uri)
    if sha256 is None:
        return [Finding("ARTIFACT_MISSING")]
    return [Finding("ARTIFACT_CHANGED")] if sha256 != export.artifact_sha256 else []


def _wrong_file(picture: Picture, uri: str | None) -> list[Finding]:
    sha256 = _stored_sha256(uri) if uri else None
    if sha256 is None:
        return [Finding("ASSET_MISSING", picture.asset_id)]
    return [Finding("ASSET_CHANGED", picture.asset_id)] if sha256 != picture.sha256 else []


def _stored_sha256(uri: str) -> str | None:
    """Return the SHA-256 (hex) of a stored file, None for one that is missing."""
    digest = hashlib.sha256()
    try:
        with storage().open(uri) as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
    except (FileNotFoundError, BadUri):
        return None
    return digest.hexdigest()


def _rendered_otherwise(export: Export, document: Document, uris: Mapping[UUID, str]) -> list[Finding]:
    try:
        rendered = render_document(export.format, document, uris, check=lambda: None)
        content = sealed(rendered, format=export.format, key_id=document.key_id)
    except (AssetMissing, FileNotFoundError):
        return [Finding("ASSET_MISSING", "while it was rendered")]
    except (RenderFailed, SandboxError, ChildFailed) as error:
        return [Finding("RENDER_FAILED", str(error).splitlines()[-1] if str(error) else type(error).__name__)]
    found = []
    if hashlib.sha256(content).hexdigest() != export.artifact_sha256:
        found.append(Finding("BYTES_DIFFER"))
    if rendered.manifest != export.manifest:
        found.append(Finding("MANIFEST_DIFFERS"))
    return found
