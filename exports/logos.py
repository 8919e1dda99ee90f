"""Logos of guides, made from pictures that were uploaded."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image, ImageOps

_LOGO_SIZE = 640, 160  # pixels at most
_MIN_LOGO_SIDE = 16
_TRIES = 1.0, 0.7, 0.5
_MAX_LOGO_BYTES = 96 * 1024


class LogoRefused(Exception):
    """The picture serves for no logo. The message is for the person who gave it."""


class Logo(NamedTuple):
    """A logo as guides show it: a PNG without metadata, and its size in pixels."""

    content: bytes
    width: int
    height: int


def make_logo(content: bytes) -> Logo:
    """Return a picture as a logo, made smaller where it is larger than 640 x 160 pixels; raise LogoRefused."""
    try:
        with Image.open(io.BytesIO(content)) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        raise LogoRefused("The picture cannot be read.") from error
    if min(picture.size) < _MIN_LOGO_SIDE:
        raise LogoRefused(f"A logo has at least {_MIN_LOGO_SIDE} pixels on each side.")
    width, height = _LOGO_SIZE
    for share in _TRIES:
        logo = picture.copy()
        logo.thumbnail((round(width * share), round(height * share)), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        logo.save(out, "PNG", compress_level=9)
        if out.tell() <= _MAX_LOGO_BYTES and min(logo.size) >= 1:
            return Logo(out.getvalue(), *logo.size)
    raise LogoRefused("The picture is too detailed for a logo.")
