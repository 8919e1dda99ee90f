"""The identity of an export: instruction version, format, pictures, and version of the renderer.

It can be recomputed by others: SHA-256 over RFC 8785 canonical JSON, and over plain text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from typing import NamedTuple

import rfc8785

from exports.font_files import fingerprint
from exports.snapshot import Document, Picture

# Raise a renderer's revision with each change of its bytes; tests/exports/test_identity.py fails until then.
_REVISIONS = {"PDF": 5, "MD_ZIP": 4, "HTML": 3, "DOCX": 3}
# Their artifacts hold the signed manifest, so their bytes depend on the key.
_SIGNED = ("PDF", "MD_ZIP", "DOCX")
_KEY_ID_CHARACTERS = 16


class Identity(NamedTuple):
    """What makes two exports the same; the hashes are SHA-256 in lower-case hex."""

    renderer_version: str
    screenshot_set_hash: str
    identity_key: str
    look_hash: str | None


def identify(document: Document, *, format: str) -> Identity:
    """Return the identity of this document in this format; raise KeyError for an unknown format."""
    renderer = renderer_version(format, document.key_id)
    set_hash = screenshot_set_hash(document.pictures)
    key = identity_key(
        instruction_version_id=document.instruction_version_id,
        format=format,
        screenshot_set_hash=set_hash,
        renderer_version=renderer,
        look_hash=document.look.look_hash,
    )
    return Identity(renderer, set_hash, key, document.look.look_hash)


@lru_cache
def renderer_version(format: str, key_id: str | None = None) -> str:
    """Return such as `md_zip-1+markdown-it-py-4.3.0+pillow-13.0.0`: each part that affects the bytes.

    The revision is of this code; markdown-it-py reads the text; Pillow re-encodes pictures with an EXIF
    orientation, and WebP for DOCX, which python-docx and lxml write; typst writes the PDF and embeds the fonts;
    `key_id` is of the key that signs the manifest in the artifact, of which the first 64 bits are named. Raise
    KeyError for an unknown format.
    """
    parts = [f"{format.lower()}-{_REVISIONS[format]}"]
    parts += [f"{name}-{version(name)}" for name in ("markdown-it-py", "pillow")]
    if format == "DOCX":
        parts += [f"{name}-{version(name)}" for name in ("python-docx", "lxml")]
    if format == "PDF":
        parts += [f"typst-{version('typst')}", f"fonts-{fingerprint()}"]
    if key_id and format in _SIGNED:
        parts.append(f"key-{key_id[:_KEY_ID_CHARACTERS]}")
    return "+".join(parts)


def screenshot_set_hash(pictures: Iterable[Picture]) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of the pictures, sorted by anchor id.

    Each picture is `{anchor_id, block_id, checksum_sha256}`.
    `block_id` is the address as it was resolved into the version that is exported.
    """
    resolved = [
        {"anchor_id": picture.anchor_id, "block_id": picture.block_id, "checksum_sha256": picture.sha256}
        for picture in sorted(pictures, key=lambda picture: picture.anchor_id)
    ]
    return hashlib.sha256(rfc8785.dumps(resolved)).hexdigest()


def identity_key(
    *,
    instruction_version_id: str,
    format: str,
    screenshot_set_hash: str,
    renderer_version: str,
    look_hash: str | None = None,
) -> str:
    """Return the SHA-256 (hex) of `instruction_version_id|format|screenshot_set_hash|renderer_version`, and of
    `|look_hash` behind it for a look that is not the default (`Look.look_hash`)."""
    text = f"{instruction_version_id}|{format}|{screenshot_set_hash}|{renderer_version}"
    if look_hash:
        text += f"|{look_hash}"
    return hashlib.sha256(text.encode()).hexdigest()
