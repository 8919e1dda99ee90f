"""What renderers have in common: their interface and their result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from exports.renderers.metadata import UnreadablePicture
from exports.renderers.pixels import pixels_sha256
from exports.snapshot import Document, ReadPicture


class RenderFailed(Exception):
    """The document cannot be rendered. The message is for the person who asked for the export."""


class RenderedFile(NamedTuple):
    """A file that an export consists of; the hashes are lower-case hex. `pixels_sha256` is that of a picture."""

    name: str
    sha256: str
    size_bytes: int
    pixels_sha256: str | None = None

    @classmethod
    def of(cls, name: str, content: bytes) -> RenderedFile:
        """Return the entry of a file with this content."""
        return cls(name, hashlib.sha256(content).hexdigest(), len(content))

    @classmethod
    def of_picture(cls, name: str, content: bytes, known_pixels: str | None = None) -> RenderedFile:
        """Return the entry of a picture; raise RenderFailed when it cannot be decoded.

        Decoding costs more than all else that a renderer does with a picture: it is spared where `known_pixels` is the
        hash of what these bytes show.
        """
        try:
            pixels = known_pixels or pixels_sha256(content)
        except UnreadablePicture as error:
            raise RenderFailed(f"The picture {name} cannot be read.") from error
        return cls.of(name, content)._replace(pixels_sha256=pixels)


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
