"""Redaction holds: what lies under a mosaic or a bar cannot be read back from the rendered file."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anchors.render import lettering, render_annotations
from tests.anchors.pictures import SIZE, encoded, op, pixels, plain, rendered

pytestmark = pytest.mark.slow
SECRET = {"x": 20.6 / 320, "y": 30.6 / 120, "width": 199.7 / 320, "height": 29.7 / 120}
SECRET_BOX = (20, 30, 221, 61)
"""SECRET rounded outwards to whole pixels."""


def with_secret(text: str, *, ink: str = "black", paper: str = "white") -> bytes:
    image = Image.new("RGB", (320, 120), paper)
    pen = ImageDraw.Draw(image)
    pen.text((20, 8), "Password", fill=ink)
    font = lettering._font(0, 16, 500)
    assert pen.textbbox((24, 34), text, font=font)[2] <= SECRET_BOX[2]
    pen.text((24, 34), text, fill=ink, font=font)
    return encoded(image, compress_level=1)


@pytest.mark.parametrize("mode", ["pixelate", "solid"])
@pytest.mark.parametrize("strength", [1, 50, 100])
def test_no_pixel_under_a_blur_counts_by_itself(mode: str, strength: int) -> None:
    operations = [op("blur", SECRET, mode=mode, strength=strength)]
    image = Image.open(io.BytesIO(with_secret("4711"))).convert("RGB")
    expected = render_annotations(encoded(image), operations)
    left, top, right, bottom = SECRET_BOX
    spots = [
        (left, top),
        (right - 1, top),
        (left, bottom - 1),
        (right - 1, bottom - 1),
        (120, 45),
        (left, 45),
    ]
    for spot in spots:
        other = image.copy()
        other.putpixel(spot, (255, 0, 255))
        assert render_annotations(encoded(other), operations) == expected, spot
    for spot in [(left - 1, top), (right, top), (left, top - 1), (left, bottom)]:
        other = image.copy()
        other.putpixel(spot, (255, 0, 255))
        assert rendered(operations, encoded(other)).getpixel(spot) == (255, 0, 255), "hidden more than asked"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("style", "colours"),
    [
        ({"mode": "solid"}, {}),
        ({"mode": "pixelate", "strength": 1}, {}),
        ({"mode": "pixelate"}, {}),
        ({"mode": "pixelate"}, {"ink": "#E00000", "paper": "#00E0E0"}),
        ({"mode": "pixelate", "strength": 100}, {}),
    ],
)
def test_hundreds_of_secrets_look_alike_under_a_blur(style: dict[str, Any], colours: dict[str, str]) -> None:
    dice = random.Random(7)
    secrets = {"".join(dice.choices("0123456789abcdefWXYZ-", k=16)) for _ in range(300)}
    blur = op("blur", SECRET, **style)
    assert len({render_annotations(with_secret(secret, **colours), [blur]) for secret in secrets}) == 1


def test_single_letters_in_rectangles_of_their_own_look_alike() -> None:
    letter = {"x": 22 / 320, "y": 32 / 120, "width": 16 / 320, "height": 26 / 120}
    operations = [op("blur", letter, strength=1)]
    assert len({rendered(operations, with_secret(digit)).tobytes() for digit in "0123456789"}) == 1


def test_a_gaussian_blur_is_no_redaction_so_these_tests_can_fail() -> None:
    outcomes = {
        render_annotations(with_secret(str(secret)), [op("blur", SECRET, mode="gaussian", strength=100)])
        for secret in range(1000, 1020)
    }
    assert len(outcomes) == 20


def test_a_mosaic_has_the_colours_around_it_in_coarse_blocks() -> None:
    page = Image.new("RGB", SIZE, "white")
    page.paste("#C02020", (0, 0, 320, 360))
    page.paste("blue", (64, 36, 576, 324))  # all that is hidden
    image = pixels(
        rendered([op("blur", {"x": 0.1, "y": 0.1, "width": 0.8, "height": 0.8}, strength=1)], encoded(page))
    )
    red, white = image[100:300, 70:120].mean(axis=(0, 1)), image[100:300, 520:570].mean(axis=(0, 1))
    assert red[0] - red[1] > 60 and white.min() > 190 and abs(white[0] - white[1]) < 12
    assert len({tuple(pixel) for pixel in image[100:300, 70:120].reshape(-1, 3)}) > 3, "no blocks to be seen"
    block = image[36:44, 64:72].reshape(-1, 3)
    assert (block == block[0]).all(), "blocks of eight pixels at least"


def test_the_bar_does_not_depend_on_the_picture() -> None:
    bars = {
        rendered([op("blur", mode="solid")], plain(colour)).crop((160, 90, 480, 180)).tobytes()
        for colour in ("white", "black", "red")
    }
    assert len(bars) == 1


def test_a_mosaic_of_the_whole_picture_is_grey() -> None:
    whole = op("blur", {"x": 0, "y": 0, "width": 1, "height": 1})
    red = pixels(rendered([whole], plain("red")))
    assert (red == pixels(rendered([whole], plain("blue")))).all()
    assert np.abs(red.mean(axis=(0, 1)) - 145).max() < 6


@pytest.mark.parametrize("mode", ["pixelate", "solid", "gaussian"])
@pytest.mark.parametrize("op_type", ["arrow", "marker", "pencil", "box", "text", "badge"])
def test_no_blur_hides_a_drawing_wherever_it_stands(op_type: str, mode: str) -> None:
    blur, drawing = op("blur", mode=mode), op(op_type)
    assert rendered([drawing, blur]).tobytes() == rendered([blur, drawing]).tobytes()
    assert rendered([drawing, blur]).tobytes() != rendered([blur]).tobytes()


def test_nothing_hides_in_transparent_pixels() -> None:
    image = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    ImageDraw.Draw(image).text((170, 100), "SECRET", fill=(0, 0, 0, 0))
    data = render_annotations(
        encoded(image), [op("arrow", {"from": {"x": 0, "y": 0.9}, "to": {"x": 0.1, "y": 0.9}})]
    )
    result = Image.open(io.BytesIO(data))
    assert result.mode == "RGB"
    assert (pixels(result)[90:180, 160:480] == 255).all()
