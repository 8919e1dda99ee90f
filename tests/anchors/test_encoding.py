"""Pictures as files."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from anchors.frames import MIME_TYPES, encode_image
from tests.anchors.videos import number_of, numbered


@pytest.mark.parametrize(("image_format", "opened_as"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_pictures_are_encoded_without_metadata_and_always_alike(image_format: Any, opened_as: str) -> None:
    image = Image.fromarray(numbered(0b10110010))
    marked = image.copy()
    marked.info |= {
        "dpi": (300, 300),
        "comment": b"secret",
        "icc_profile": b"secret",
        "exif": b"Exif\0\0secret",
    }
    data = encode_image(image, image_format)
    assert data == encode_image(marked, image_format)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.format == opened_as
        assert Image.MIME[opened_as] == MIME_TYPES[image_format]
        assert number_of(opened) == 0b10110010
        assert not set(opened.info) & {"comment", "icc_profile", "exif", "xmp", "dpi"}
        if image_format == "png":
            assert opened.convert("RGB").tobytes() == image.tobytes()
