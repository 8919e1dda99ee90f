"""Exported pictures have no EXIF, GPS, XMP, comments and thumbnails, and look as before."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from exports.renderers.metadata import UnreadablePicture, strip_metadata
from tests.exports.documents import drawing, encoded
from tests.exports.metadata import ICC, SECRETS, TYPES, exif, png_text, with_metadata


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("mime_type", TYPES)
def test_no_metadata_is_left_and_the_pixels_are_the_same(mime_type: str) -> None:
    content = with_metadata(mime_type)
    assert sum(secret in content for secret in SECRETS) >= 3
    stripped = strip_metadata(content, mime_type)
    assert [secret for secret in SECRETS if secret in stripped] == []
    opened = Image.open(io.BytesIO(stripped))
    assert not dict(opened.getexif())
    assert opened.info.get("icc_profile") == ICC
    assert np.array_equal(pixels(stripped), pixels(content))


@pytest.mark.parametrize("mime_type", TYPES)
def test_a_picture_without_metadata_keeps_every_byte(mime_type: str) -> None:
    content = encoded(drawing(1), TYPES[mime_type][0])
    assert strip_metadata(content, mime_type) == content


@pytest.mark.parametrize("mime_type", TYPES)
def test_stripping_twice_changes_nothing_more(mime_type: str) -> None:
    once = strip_metadata(with_metadata(mime_type, orientation=6), mime_type)
    assert strip_metadata(once, mime_type) == once
    assert strip_metadata(with_metadata(mime_type, orientation=6), mime_type) == once


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(
    ("mime_type", "deviation"), [("image/png", 0), ("image/webp", 0), ("image/jpeg", 20)]
)
def test_the_exif_orientation_is_applied_to_the_pixels(
    mime_type: str, deviation: int, orientation: int
) -> None:
    content = with_metadata(mime_type, orientation=orientation)
    stripped = strip_metadata(content, mime_type)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    shown = pixels(stripped)
    assert shown.shape[:2] == (expected.height, expected.width)
    assert np.abs(shown - np.asarray(expected, dtype=np.int16)).max() <= deviation
    assert [secret for secret in SECRETS if secret in stripped] == []


def test_transparency_and_palette_of_a_png_stay() -> None:
    picture = drawing(2).quantize(8)
    picture.info["transparency"] = 0
    content = encoded(picture, pnginfo=png_text(), transparency=0)
    shown = Image.open(io.BytesIO(strip_metadata(content, "image/png"))).convert("RGBA")
    assert np.array_equal(np.asarray(shown), np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")))
    assert np.asarray(shown)[..., 3].min() == 0


def test_the_transparency_of_a_webp_stays() -> None:
    picture = drawing(2).convert("RGBA")
    picture.putalpha(120)
    content = encoded(picture, "WEBP", exif=exif(), quality=70)
    shown = Image.open(io.BytesIO(strip_metadata(content, "image/webp")))
    assert shown.mode == "RGBA" and np.asarray(shown)[..., 3].max() == 120


def test_the_metadata_flags_of_a_webp_are_cleared() -> None:
    stripped = strip_metadata(with_metadata("image/webp"), "image/webp")
    assert stripped[12:16] == b"VP8X"
    assert stripped[20] & 0b1100 == 0 and with_metadata("image/webp")[20] & 0b1100 == 0b1100


def test_every_scan_of_a_progressive_jpeg_stays() -> None:
    content = encoded(drawing(4), "JPEG", progressive=True, exif=exif(), restart_marker_blocks=2)
    assert np.array_equal(pixels(strip_metadata(content, "image/jpeg")), pixels(content))


@pytest.mark.parametrize("mime_type", TYPES)
def test_data_after_the_end_of_a_picture_is_dropped(mime_type: str) -> None:
    content = encoded(drawing(1), TYPES[mime_type][0])
    assert strip_metadata(content + b"PK\x03\x04 hidden", mime_type) == content


def test_the_thumbnail_in_a_jfif_header_is_dropped() -> None:
    content = encoded(drawing(1), "JPEG")
    header_end = 4 + 16
    thumbnail = b"\x02\x02" + b"\xaa\xbb\xcc" * 4
    with_thumbnail = (
        b"\xff\xd8\xff\xe0" + (16 + 12).to_bytes(2) + content[6:18] + thumbnail + content[header_end:]
    )
    assert pixels(with_thumbnail).shape == (180, 320, 3)
    assert strip_metadata(with_thumbnail, "image/jpeg") == content


@pytest.mark.parametrize("mime_type", TYPES)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.97])
def test_a_picture_that_breaks_off_is_refused(mime_type: str, kept: float) -> None:
    content = with_metadata(mime_type)
    with pytest.raises(UnreadablePicture):
        strip_metadata(content[: int(len(content) * kept)], mime_type)


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (encoded(drawing(1), "JPEG"), "image/png"),
        (encoded(drawing(1), "PNG"), "image/jpeg"),
        (encoded(drawing(1), "PNG"), "image/webp"),
        (encoded(drawing(1), "GIF"), "image/gif"),
        (b"", "image/png"),
        (b"\xff\xd8", "image/jpeg"),
    ],
)
def test_what_is_not_the_declared_type_is_refused(content: bytes, mime_type: str) -> None:
    with pytest.raises(UnreadablePicture):
        strip_metadata(content, mime_type)
