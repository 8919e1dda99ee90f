"""Attacks on a redaction by drawing candidates: an attacker who knows the page, the font and the place of the text
hides each candidate in the same way, and takes the one whose file is most like what was published.

The control is a `gaussian` blur, on which the same attack succeeds. Under the other modes all candidates give the same
bytes, so that no attack of this kind is better than chance.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from anchors.render import lettering, render_annotations
from tests.anchors.pictures import encoded, op

pytestmark = pytest.mark.slow

SIZE = (200, 80)
AROUND_TEXT = {"x": 28 / 200, "y": 26 / 80, "width": 90 / 200, "height": 34 / 80}
FONTS: dict[str, Callable[[], Any]] = {
    "sans": partial(lettering._font, 0, 24, 500),
    "bold": partial(lettering._font, 0, 24, 700),
    "small": partial(lettering._font, 0, 12, 500),
    "other": partial(ImageFont.load_default, 24),
}
HIDING: dict[str, dict[str, Any]] = {
    "solid": {"mode": "solid"},
    **{f"mosaic of {strength}": {"strength": strength} for strength in (1, 34, 50, 67, 100)},
}
DIGITS = list("0123456789")
PINS = [f"{number:04}" for number in random.Random(11).sample(range(10_000), 40)]


def page(secret: str, font: str = "sans", *, ink: str = "black", paper: str = "white") -> Image.Image:
    image = Image.new("RGB", SIZE, paper)
    pen = ImageDraw.Draw(image)
    pen.text((30, 4), "Your code is", fill=ink, font=lettering._font(0, 14, 500))
    pen.text((32, 28), secret, fill=ink, font=FONTS[font]())
    assert pen.textbbox((32, 28), secret, font=FONTS[font]())[2] < 118
    return image


def published(image: Image.Image, blurs: Sequence[dict[str, Any]]) -> bytes:
    return render_annotations(encoded(image, compress_level=1), list(blurs))


def decoded(file: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), np.int32)


def found_by_drawing(secrets: list[str], blurs: Sequence[dict[str, Any]], **look: str) -> int:
    """Return how many of the secrets the attacker names, who takes the candidate whose picture is nearest; of
    several that are as near it is no find."""
    drawn = np.stack([decoded(published(page(secret, **look), blurs)) for secret in secrets])
    flat = drawn.reshape(len(secrets), -1)
    found = 0
    for number, target in enumerate(flat):
        distances = np.abs(flat - target).sum(axis=1)
        found += list(np.flatnonzero(distances == distances.min())) == [number]
    return found


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("secrets", [DIGITS, PINS], ids=["digits", "pins"])
def test_a_softened_text_is_read_by_drawing_candidates(secrets: list[str], font: str) -> None:
    blur = op("blur", AROUND_TEXT, mode="gaussian", strength=100)
    assert found_by_drawing(secrets, [blur], font=font) == len(secrets)


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("style", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("secrets", [DIGITS, PINS], ids=["digits", "pins"])
def test_a_hidden_text_is_not_read_by_drawing_candidates(
    secrets: list[str], style: dict[str, Any], font: str
) -> None:
    blur = op("blur", AROUND_TEXT, **style)
    assert len({published(page(secret, font), [blur]) for secret in secrets}) == 1


@pytest.mark.parametrize("style", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize(
    ("ink", "paper"), [("#E00000", "#00E0E0"), ("white", "#101010"), ("#808080", "#848484")]
)
def test_no_colours_give_a_hidden_text_away(style: dict[str, Any], ink: str, paper: str) -> None:
    blur = op("blur", AROUND_TEXT, **style)
    assert len({published(page(secret, ink=ink, paper=paper), [blur]) for secret in PINS}) == 1


@pytest.mark.soak
@pytest.mark.parametrize("style", HIDING.values(), ids=HIDING)
def test_all_pins_are_the_same_file(style: dict[str, Any]) -> None:
    blur = op("blur", AROUND_TEXT, **style)
    assert len({published(page(f"{number:04}"), [blur]) for number in range(10_000)}) == 1


def tiles(columns: int, rows: int, **style: Any) -> list[dict[str, Any]]:
    """Blurs side by side that together hide the text: each has some of it for a neighbour."""
    area = AROUND_TEXT
    wide, high = area["width"] / columns, area["height"] / rows
    return [
        op(
            "blur",
            {"x": area["x"] + x * wide, "y": area["y"] + y * high, "width": wide, "height": high},
            **style,
        )
        for x in range(columns)
        for y in range(rows)
    ]


@pytest.mark.parametrize("strength", [1, 50, 100])
@pytest.mark.parametrize(("columns", "rows"), [(2, 1), (4, 1), (1, 3), (20, 8)])
def test_blurs_side_by_side_tell_nothing_of_their_neighbours(columns: int, rows: int, strength: int) -> None:
    hidden = tiles(columns, rows, strength=strength)
    softened = tiles(columns, rows, mode="gaussian", strength=strength)
    assert len({published(page(digit), hidden) for digit in DIGITS}) == 1
    assert found_by_drawing(DIGITS, softened) == len(DIGITS)


WIDER = {"x": 0.05, "y": 0.1, "width": 0.8, "height": 0.85}
INSIDE = {"x": 0.2, "y": 0.4, "width": 0.1, "height": 0.2}


@pytest.mark.parametrize("mode", ["pixelate", "solid"])
@pytest.mark.parametrize(
    "other",
    [
        op("blur", WIDER, mode="gaussian", strength=100),
        op("blur", INSIDE),
        op("blur", WIDER, strength=1),
        op("marker", WIDER),
        op("marker", AROUND_TEXT, opacity=1),
        op("marker", {"points": [{"x": 0.2, "y": 0.5}, {"x": 0.5, "y": 0.5}]}, thickness=0.05),
        op("crop", AROUND_TEXT),
        op("crop", INSIDE),
        op("text", {"x": 0.2, "y": 0.4}),
    ],
    ids=lambda operation: operation["op_type"],
)
@pytest.mark.parametrize("is_before", [True, False])
def test_no_other_operation_tells_what_is_hidden(
    other: dict[str, Any], mode: str, *, is_before: bool
) -> None:
    blur = op("blur", AROUND_TEXT, mode=mode)
    operations = [other, blur] if is_before else [blur, other]
    light, dark = page("8888"), page("8888")
    dark.paste("black", (28, 26, 118, 60))
    assert len({published(image, operations) for image in (light, dark, page("1"))}) == 1


def test_whatever_lies_under_blurs_leaves_no_trace() -> None:
    """Noise under up to six blurs of any size and mode, at any place, beside and over each other."""
    dice = random.Random(5)
    for _ in range(60):
        blurs: list[dict[str, Any]] = []
        hidden = np.zeros((SIZE[1], SIZE[0]), bool)
        for _ in range(dice.randint(1, 6)):
            left, top = dice.randrange(SIZE[0] - 1), dice.randrange(SIZE[1] - 1)
            right, bottom = dice.randint(left + 1, SIZE[0]), dice.randint(top + 1, SIZE[1])
            hidden[top:bottom, left:right] = True
            box = {"x": left / SIZE[0], "y": top / SIZE[1]}
            box |= {"width": (right - left) / SIZE[0], "height": (bottom - top) / SIZE[1]}
            style: dict[str, Any] = dice.choice([{"mode": "solid"}, {"strength": dice.randint(1, 100)}])
            blurs.append(op("blur", box, **style))
        blurs.append(op("blur", WIDER, mode="gaussian", strength=dice.randint(1, 100)))
        files = set()
        for seed in range(3):
            noise = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
            pixels = np.where(hidden[:, :, None], noise, np.asarray(page("1234")))
            files.add(published(Image.fromarray(pixels.astype(np.uint8)), blurs))
        assert len(files) == 1, blurs


def test_a_mosaic_shows_nothing_that_a_crop_takes_away() -> None:
    blur, crop = op("blur", AROUND_TEXT), op("crop", AROUND_TEXT)
    black = Image.new("RGB", SIZE, "black")
    assert published(page("1"), [blur, crop]) == published(black, [blur, crop])
