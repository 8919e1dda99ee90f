"""Which parts of a frame redactions hide, as the operations that draw over them, and which drawings hide something."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from anchors.render.operations import normalise_operations

_MAX_SEEN_THROUGH = 0.6


@dataclass(frozen=True, order=True)
class HiddenPart:
    """A rectangle, in shares (0..1) of the picture's width and height, that is hidden from `start_ms` to `end_ms`, both
    included; `mode` is `pixelate` or `solid`."""

    start_ms: int
    end_ms: int
    x: float
    y: float
    width: float
    height: float
    mode: str


def hiding_operations(
    parts: Iterable[HiddenPart], shown_at_ms: int, shown_until_ms: int | None
) -> list[dict[str, Any]]:
    """Return the normalised operations that hide what the parts cover of a frame; none when it is not in their spans.

    The frame is on the screen from `shown_at_ms` until before `shown_until_ms`, or to the end of the video, or nobody
    knows how long, when that is None: then it counts as in every span that ends after it comes up. The same parts give
    the same operations, in whatever order they come.
    """
    hidden = {
        (part.mode, part.x, part.y, part.width, part.height)
        for part in parts
        if shown_at_ms <= part.end_ms
        and (shown_until_ms is None or part.start_ms < max(shown_until_ms, shown_at_ms + 1))
    }
    operations = [
        {
            "op_type": "blur",
            "geometry": {"x": x, "y": y, "width": width, "height": height},
            "style": {"mode": mode},
        }
        for mode, x, y, width, height in sorted(hidden)
    ]
    return normalise_operations(operations) if operations else []


def commitment(salt: bytes, digest: str) -> str:
    """Return the SHA-256, in hex, of 32 random bytes and a SHA-256 (hex): it can be published without letting anybody
    test guesses of what was hashed, and shown to be of that by whoever is given the salt."""
    return hashlib.sha256(salt + bytes.fromhex(digest)).hexdigest()


def hides_something(operations: Sequence[dict[str, Any]]) -> bool:
    """Return whether normalised operations may be meant to take something of their base away from sight: a blur of any
    mode, a crop, a stroke of a pencil, a text on a panel, or a marker that hardly lets anything through."""
    return any(
        operation["op_type"] in ("blur", "crop", "pencil")
        or (operation["op_type"] == "marker" and operation["style"]["opacity"] > _MAX_SEEN_THROUGH)
        or (operation["op_type"] == "text" and operation["style"].get("background") is not None)
        for operation in operations
    )
