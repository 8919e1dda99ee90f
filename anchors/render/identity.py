"""The identity of a rendered picture: the hash of everything that its bytes depend on."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any

import PIL
import rfc8785

from anchors.render.lettering import LAYOUT
from anchors.render.operations import normalise_operations

RENDERER_VERSION = "+".join(
    (
        "annotate-2",
        f"pillow-{PIL.__version__}",
        LAYOUT.name.lower(),
        f"fonts-{version('manimgx-fonts')}",
        f"cjk-{version('manimgx-fonts-cjk')}",
    )
)
"""The versions of all that the bytes depend on: Pillow's wheel contains the rasteriser, FreeType and the
compressor, the packages contain the fonts, and the layout engine places the letters. Raise the first number when
a change of this code changes the drawing."""


def ops_hash(*, base_checksum: str, operations: object) -> str:
    """Return the SHA-256, in hex, of the RFC 8785 canonical JSON of renderer version, base picture and operations.

    `base_checksum` is the SHA-256 of the base picture's bytes. Raises OperationsInvalid.
    """
    identity: dict[str, Any] = {
        "renderer_version": RENDERER_VERSION,
        "base_checksum": base_checksum,
        "operations": normalise_operations(operations),
    }
    return hashlib.sha256(rfc8785.dumps(identity)).hexdigest()
