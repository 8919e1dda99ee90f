"""Which pictures can be drawn on, and how they are read."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from anchors.render import ImageUnreadable, OperationsInvalid, engine, render_annotations
from tests.anchors.pictures import encoded, op, pixels, plain, rendered, screen


def sixteen_bit() -> bytes:
    return encoded(Image.fromarray(np.full((36, 64), 32768, np.uint16)))


def palette() -> bytes:
    image = Image.new("P", (64, 36), 1)
    image.putpalette([0, 0, 0, 128, 128, 128])
    return encoded(image)


def palette_with_hole() -> bytes:
    image = Image.new("P", (64, 36), 1)
    image.putpalette([0, 0, 0, 1, 2, 3])
    return encoded(image, transparency=1)


@pytest.mark.parametrize(
    ("make", "colour"),
    [
        (lambda: encoded(Image.new("L", (64, 36), 128)), 128),
        (lambda: encoded(Image.new("1", (64, 36), 1)), 255),
        (lambda: encoded(Image.new("LA", (64, 36), (0, 0))), 255),
        (lambda: encoded(Image.new("RGBA", (64, 36), (0, 0, 0, 128))), 127),
        (lambda: encoded(Image.new("CMYK", (64, 36), (0, 0, 0, 127)), "JPEG"), 128),
        (lambda: encoded(Image.new("RGB", (64, 36), "#808080"), "WEBP", lossless=True), 128),
        (lambda: encoded(Image.new("RGB", (64, 36), "#808080"), "JPEG"), 128),
        (sixteen_bit, 128),
        (palette, 128),
        (palette_with_hole, 255),
    ],
)
def test_pictures_of_every_mode_are_read(make: Callable[[], bytes], colour: int) -> None:
    image = rendered([op("badge", {"x": 0.9, "y": 0.9})], make())
    assert image.mode == "RGB" and image.size == (64, 36)
    assert np.abs(pixels(image)[5, 5] - colour).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_come_upright(orientation: int) -> None:
    upright = Image.new("RGB", (64, 32), "white")
    upright.paste("red", (0, 0, 32, 16))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = rendered([op("badge", {"x": 0.9, "y": 0.9}, size=0.02)], encoded(stored, exif=exif))
    assert image.size == (64, 32)
    assert image.getpixel((5, 5)) == (255, 0, 0) and image.getpixel((60, 5)) == (255, 255, 255)


def test_of_an_animation_the_first_picture_is_taken() -> None:
    first, second = Image.new("RGB", (64, 36), "red"), Image.new("RGB", (64, 36), "blue")
    base = encoded(first, "WEBP", save_all=True, append_images=[second], lossless=True)
    assert rendered([op("badge", {"x": 0.9, "y": 0.9})], base).getpixel((5, 5)) == (255, 0, 0)


def test_colours_of_another_profile_are_brought_to_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swap = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    tags = [srgb[at : at + 4] for at in range(132, 132 + 12 * struct.unpack(">I", srgb[128:132])[0], 12)]
    blue_is_red = bytearray(srgb.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")))
    for i, tag in enumerate(tags):
        blue_is_red[132 + 12 * i : 136 + 12 * i] = swap.get(tag, tag)

    def seen(profile: bytes | None) -> Any:
        base = encoded(Image.new("RGB", (64, 36), "#0000FF"), icc_profile=profile)
        return rendered([op("badge", {"x": 0.9, "y": 0.9})], base).getpixel((5, 5))

    assert seen(None) == seen(srgb) == seen(b"broken") == (0, 0, 255)
    assert np.abs(np.subtract(seen(bytes(blue_is_red)), (255, 0, 0))).max() < 8


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "base",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(Image.new("RGB", (8, 8)), "GIF"),
        encoded(Image.new("RGB", (8, 8)), "BMP"),
        encoded(screen())[:3000],
        encoded(screen(), "JPEG")[:3000],
        encoded(screen(), "WEBP")[:3000],
        png_claiming(8000, 5001),
        png_claiming(100_000, 100),
        png_claiming(50_000, 50_000),
        png_claiming(2**31 - 1, 2**31 - 1),
        png_claiming(0, 10),
        png_claiming(4000, 4000),
    ],
    ids=range(14),
)
def test_what_is_no_sound_picture_is_refused(base: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        render_annotations(base, [op("arrow")])


def test_forty_megapixels_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.MAX_PIXELS == 40_000_000
    monkeypatch.setattr(engine, "MAX_PIXELS", 64 * 36)
    render_annotations(plain(size=(64, 36)), [op("arrow")])
    with pytest.raises(ImageUnreadable):
        render_annotations(plain(size=(64, 37)), [op("arrow")])


def test_no_side_is_longer_than_a_jpeg_could_have() -> None:
    rendered([op("arrow")], encoded(Image.new("1", (65_535, 1))))
    with pytest.raises(ImageUnreadable):
        render_annotations(encoded(Image.new("1", (65_536, 1))), [op("arrow")])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damage_anywhere_is_either_shown_or_refused(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sound = encoded(screen().resize((64, 36)), kind, exif=exif)
    dice = random.Random(3)
    refused = 0
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            render_annotations(bytes(damaged), [op("badge")])
        except ImageUnreadable:
            refused += 1
    assert refused > 10


def test_operations_are_checked_before_anything_is_decoded() -> None:
    with pytest.raises(OperationsInvalid):
        render_annotations(b"no picture", [op("arrow", color="red")])
