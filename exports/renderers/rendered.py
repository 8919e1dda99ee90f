"""What every renderer takes and gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from exports.snapshot import Document, ReadPicture


class RenderFailed(Exception):
    """The document cannot be rendered. The message is for the person who asked for the export."""


class RenderedFile(NamedTuple):
    """A file that an export consists of. `sha256` in lower-case hex."""

    name: str
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, name: str, content: bytes) -> RenderedFile:
        return cls(name, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Rendered:
    """The artifact, its extension with the dot, and the list of what is in it, the manifest excepted."""

    content: bytes
    mime_type: str
    extension: str
    files: tuple[RenderedFile, ...]


class Renderer(Protocol):
    """The same document and pictures always give the same bytes.

    Raises AssetMissing when a picture's bytes are gone, RenderFailed when it cannot be done.
    """

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered: ...
