"""The hash of a picture's pixels, beside the rule in plain code."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from PIL import Image

from exports.renderers.metadata import UnreadablePicture
from exports.renderers.pixels import pixels_sha256
from tests.exports.documents import encoded

RED, CLEAR = bytes((200, 30, 40, 255)), bytes((10, 20, 30, 0))


def one_row(mode: str, *pixels: Any) -> bytes:
    picture = Image.new(mode, (len(pixels), 1))
    picture.putdata(pixels)
    return encoded(picture)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (one_row("RGB", tuple(RED[:3])), RED),
        (one_row("RGBA", tuple(CLEAR), tuple(RED)), CLEAR + RED),
        (one_row("L", 7), bytes((7, 7, 7, 255))),
        (one_row("1", 255), b"\xff" * 4),
        (one_row("I;16", 0x0708, 0xFF00), bytes((7, 7, 7, 255)) + b"\xff" * 4),
        (encoded(Image.new("RGB", (1, 1), tuple(RED[:3])).quantize()), RED),
    ],
)
def test_each_pixel_is_four_bytes(content: bytes, shown: bytes) -> None:
    assert pixels_sha256(content) == hashlib.sha256(shown).hexdigest()


def test_what_cannot_be_decoded_has_no_hash() -> None:
    with pytest.raises(UnreadablePicture):
        pixels_sha256(one_row("L", *range(200))[:-30])
