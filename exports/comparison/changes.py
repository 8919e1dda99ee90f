"""What a comparison says, and what it may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from exports.snapshot import Picture

MAX_STEPS = 300
"""Of one guide. Two of so many take a second."""

MAX_PICTURES = 120
"""Of one guide."""

MAX_PIXELS = 600_000_000
"""Of all pictures that are decoded: 145 pairs of 1080p, which take some 15 s."""


class Change(StrEnum):
    SAME = "same"
    WORDS = "words"
    PICTURE = "picture"
    BOTH = "both"
    ADDED = "added"
    REMOVED = "removed"


class TooMuchToCompare(Exception):
    """The guides have more steps or pictures than are compared. The message is for the person who asked."""


class PictureDamaged(Exception):
    """The bytes of a picture are no picture that can be read."""


class Region(NamedTuple):
    """A rectangle in shares (0..1) of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


WHOLE = Region(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class StepChange:
    """What became of a step. The ids are None where the older or the newer guide has no such step; `change` is a value
    of `Change`; the regions are of the newer guide's pictures, in their order."""

    block_id: str | None
    other_block_id: str | None
    change: str
    picture_regions: list[Region]


def screen_of(picture: Picture) -> tuple[str, str]:
    """Return asset id and SHA-256 of what a picture is compared as: of one that was drawn, the picture below all
    drawings. One on which something is hidden has no base here, and is compared as it is shown."""
    bases = (picture.origin or {}).get("bases") or [{"asset_id": picture.asset_id, "sha256": picture.sha256}]
    return bases[-1]["asset_id"], bases[-1]["sha256"]
