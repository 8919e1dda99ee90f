"""How the guides of a project look: accent colour, logo, footer and paper."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

PAPER_SIZES = ("A4", "LETTER")
ACCENT = "#3730a3"
MAX_FOOTER = 120  # characters
_COLOR = re.compile(r"#[0-9a-f]{6}")
# Accents are the colour of links and of the ground of white numbers: WCAG 2.2, success criterion 1.4.3.
_MIN_CONTRAST = 4.5


class LowContrast(ValueError):
    """White letters cannot be read on a colour. The message is for the person who gave it."""


@dataclass(frozen=True)
class Look:
    """How one export looks; None is the default. `accent_color` is `#rrggbb` in lower case.

    `logo_png` is the logo in base64: it is small, and an export can be rendered again whatever the project shows by
    then.
    """

    paper_size: str = "A4"
    accent_color: str | None = None
    footer: str | None = None
    logo_png: str | None = None

    @property
    def logo(self) -> bytes | None:
        return base64.b64decode(self.logo_png) if self.logo_png else None

    @property
    def look_hash(self) -> str | None:
        """The SHA-256 (hex) of the canonical JSON (RFC 8785) of `{accent_color, footer, logo_sha256, paper_size}`;
        None for the default."""
        if self == Look():
            return None
        plain = asdict(self)
        del plain["logo_png"]
        plain["logo_sha256"] = hashlib.sha256(self.logo).hexdigest() if self.logo else None
        return hashlib.sha256(rfc8785.dumps(plain)).hexdigest()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Look:
        return cls(**(stored or {}))


def read_color(text: str) -> str:
    """Return a colour as `#rrggbb` in lower case.

    Raise ValueError for a text that is none, LowContrast for one that white letters cannot be read on.
    """
    color = text.lower()
    if not _COLOR.fullmatch(color):
        raise ValueError("This is no colour such as #3730a3.")
    contrast = contrast_with_white(color)
    if contrast < _MIN_CONTRAST:
        raise LowContrast(
            f"White letters cannot be read well on this colour: their contrast is {contrast:.1f} to 1, and "
            f"{_MIN_CONTRAST} is wanted (WCAG 2.2, 1.4.3). Take a darker one."
        )
    return color


def contrast_with_white(color: str) -> float:
    """Return the contrast ratio (1..21) of `#rrggbb` and white, after WCAG 2.2, "contrast ratio"."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
