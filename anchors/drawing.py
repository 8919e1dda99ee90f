"""Draw on a picture that lies in a file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from anchors.render import render_annotations


@dataclass(frozen=True)
class Drawn:
    """A PNG file, and its width and height in pixels."""

    content: bytes
    width: int
    height: int


def draw_on_file(base: Path, operations: list[dict[str, Any]]) -> Drawn:
    """Return the picture with the operations drawn. Raises what `render_annotations` raises, and OSError."""
    content = render_annotations(base.read_bytes(), operations)
    with Image.open(io.BytesIO(content)) as image:
        return Drawn(content, *image.size)
