"""What makes two exports the same: the version, the format, the pictures, and what renders them.

Anyone can recompute it: SHA-256 over RFC 8785 canonical JSON, and over plain text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version

import rfc8785

from exports.font_files import fingerprint
from exports.snapshot import Picture

# Raised by whoever changes a renderer so that its bytes change; tests/exports/test_identity.py tells when.
_REVISIONS = {"PDF": 1, "MD_ZIP": 1}


@lru_cache
def renderer_version(format: str) -> str:
    """Such as `md_zip-1+markdown-it-py-4.3.0+pillow-13.0.0`: each part that decides about the bytes.

    Our own code by its revision; markdown-it-py reads the text; Pillow re-encodes pictures that are turned;
    typst sets and writes the PDF, with the fonts that it embeds. Raises KeyError for an unknown format.
    """
    parts = [f"{format.lower()}-{_REVISIONS[format]}"]
    parts += [f"{name}-{version(name)}" for name in ("markdown-it-py", "pillow")]
    if format == "PDF":
        parts += [f"typst-{version('typst')}", f"fonts-{fingerprint()}"]
    return "+".join(parts)


def screenshot_set_hash(pictures: Iterable[Picture]) -> str:
    """SHA-256 (hex) of the canonical JSON of each `{anchor_id, block_id, checksum_sha256}`, by anchor id.

    `block_id` is the address as it was resolved into the version that is exported.
    """
    resolved = [
        {"anchor_id": picture.anchor_id, "block_id": picture.block_id, "checksum_sha256": picture.sha256}
        for picture in sorted(pictures, key=lambda picture: picture.anchor_id)
    ]
    return hashlib.sha256(rfc8785.dumps(resolved)).hexdigest()


def identity_key(
    *, instruction_version_id: str, format: str, screenshot_set_hash: str, renderer_version: str
) -> str:
    """SHA-256 (hex) of `instruction_version_id|format|screenshot_set_hash|renderer_version`."""
    text = f"{instruction_version_id}|{format}|{screenshot_set_hash}|{renderer_version}"
    return hashlib.sha256(text.encode()).hexdigest()
