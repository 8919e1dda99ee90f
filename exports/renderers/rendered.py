"""What renderers have in common: their interface and their result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from exports.snapshot import Document, ReadPicture


class RenderFailed(Exception):
    """The document cannot be rendered. The message is for the person who asked for the export."""


class RenderedFile(NamedTuple):
    """A file that an export consists of; `sha256` is lower-case hex."""

    name: str
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, name: str, content: bytes) -> RenderedFile:
        """Return the entry of a file with this content."""
        return cls(name, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Rendered:
    """An artifact, its extension with the dot, the files in it but for the manifest, and the manifest."""

    content: bytes
    mime_type: str
    extension: str
    files: tuple[RenderedFile, ...]
    manifest: dict[str, Any]


class Renderer(Protocol):
    """Renders documents in one format; the same document and pictures always give the same bytes."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Return the artifact; raise AssetMissing for a missing picture, RenderFailed when it cannot be made."""
        ...
