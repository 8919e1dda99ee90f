"""The bytes of a picture as they leave the house."""

from __future__ import annotations

import hashlib

from exports.renderers.compose import PlacedPicture
from exports.renderers.metadata import UnreadablePicture, strip_metadata
from exports.renderers.rendered import RenderFailed
from exports.snapshot import ReadPicture


def exported_bytes(placed: PlacedPicture, read_picture: ReadPicture) -> bytes:
    """The picture without metadata. Raises AssetMissing, and RenderFailed for other than the frozen bytes."""
    content = read_picture(placed.picture)
    if hashlib.sha256(content).hexdigest() != placed.picture.sha256:
        raise RenderFailed(f"The stored bytes of {placed.name} have changed since the export was requested.")
    try:
        return strip_metadata(content, placed.picture.mime_type)
    except UnreadablePicture as error:
        raise RenderFailed(f"The picture {placed.name} cannot be read.") from error
