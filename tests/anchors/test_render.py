"""Annotation: what may be drawn, by what name the result goes, what it looks like, and that redaction holds."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw

from anchors.render import (
    RENDERER_VERSION,
    ImageUnreadable,
    OperationsInvalid,
    canvas,
    engine,
    lettering,
    normalise_operations,
    ops_hash,
    render_annotations,
)

SIZE = (640, 360)
RECT = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.25}
LINE = {"from": {"x": 0.2, "y": 0.5}, "to": {"x": 0.6, "y": 0.5}}
POINTS = {"points": [{"x": 0.2, "y": 0.2}, {"x": 0.4, "y": 0.4}, {"x": 0.6, "y": 0.2}]}
SPOT = {"x": 0.5, "y": 0.5}
RED = (0xE5, 0x48, 0x4D)

MINIMAL: dict[str, dict[str, Any]] = {
    "blur": {"op_type": "blur", "geometry": RECT},
    "arrow": {"op_type": "arrow", "geometry": LINE},
    "marker": {"op_type": "marker", "geometry": RECT},
    "pencil": {"op_type": "pencil", "geometry": POINTS},
    "box": {"op_type": "box", "geometry": RECT},
    "text": {"op_type": "text", "geometry": SPOT, "style": {"text": "Save"}},
    "badge": {"op_type": "badge", "geometry": SPOT, "style": {"label": "1"}},
    "crop": {"op_type": "crop", "geometry": RECT},
}


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(colour: Any = "white", size: tuple[int, int] = SIZE) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def op(op_type: str, geometry: dict[str, Any] | None = None, **style: Any) -> dict[str, Any]:
    minimal = MINIMAL[op_type]
    return {
        "op_type": op_type,
        "geometry": geometry or minimal["geometry"],
        "style": minimal.get("style", {}) | style,
    }


def rendered(operations: list[dict[str, Any]], base: bytes | None = None) -> Image.Image:
    image = Image.open(io.BytesIO(render_annotations(base or plain(), operations)))
    image.load()
    return image


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("RGB"), np.int16)


def changed(before: bytes, after: Image.Image) -> tuple[int, int, int, int]:
    """The box of all pixels that differ."""
    box = ImageChops.difference(Image.open(io.BytesIO(before)).convert("RGB"), after).getbbox()
    assert box is not None
    return box


def screen() -> Image.Image:
    """Text on a light window with a dark bar, as on a screen."""
    image = Image.new("RGB", SIZE, "#F6F7F9")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 640, 40), fill="#24292F")
    for row in range(12):
        pen.text((20, 60 + row * 24), f"Row {row}: the quick brown fox jumps over the lazy dog " * 2, fill="#1F2328")
    return image


# --- what may be drawn -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op_type", "style"),
    [
        ("blur", {"mode": "pixelate", "strength": 50}),
        ("arrow", {"color": "#E5484D", "thickness": 0.006}),
        ("marker", {"color": "#FFD60A", "opacity": 0.4, "thickness": 0.02}),
        ("pencil", {"color": "#E5484D", "thickness": 0.004}),
        ("box", {"color": "#E5484D", "thickness": 0.004, "radius": 0.008}),
        ("text", {"text": "Save", "color": "#E5484D", "size": 0.024, "background": None}),
        ("badge", {"label": "1", "color": "#E5484D", "size": 0.035}),
        ("crop", {}),
    ],
)
def test_defaults_are_written_out(op_type: str, style: dict[str, Any]) -> None:
    given_operation = copy.deepcopy(MINIMAL[op_type])
    normal = normalise_operations([given_operation])
    assert normal == [{"op_type": op_type, "geometry": MINIMAL[op_type]["geometry"], "style": style}]
    assert given_operation == MINIMAL[op_type], "the input was changed"
    assert normalise_operations(normal) == normal


def test_numbers_come_out_as_plain_floats() -> None:
    geometry = {"x": 0, "y": -0.0, "width": 1, "height": 1.0}
    normal = normalise_operations([op("blur", geometry, strength=7)])[0]
    numbers = [*normal["geometry"].values(), normal["style"]["strength"]]
    assert [type(number) for number in numbers] == [float] * 5
    assert json.dumps(numbers) == "[0.0, 0.0, 1.0, 1.0, 7.0]"


def with_value(operation: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed_operation = copy.deepcopy({"style": {}} | operation)
    *parents, last = path.split(".")
    target: Any = changed_operation
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    if value is ...:
        del target[last]
    else:
        target[int(last) if last.isdigit() else last] = value
    return changed_operation


@pytest.mark.parametrize(
    ("op_type", "path", "value", "code"),
    [
        ("blur", "op_type", ..., "required"),
        ("blur", "op_type", "smudge", "invalid_choice"),
        ("blur", "op_type", ["blur"], "invalid_choice"),
        ("blur", "color", "#FFFFFF", "unknown_field"),
        ("blur", "geometry", ..., "required"),
        ("blur", "geometry", [], "invalid_type"),
        ("blur", "style", None, "invalid_type"),
        ("blur", "geometry.x", ..., "required"),
        ("blur", "geometry.depth", 1, "unknown_field"),
        ("blur", "geometry.x", True, "invalid_type"),
        ("blur", "geometry.x", "0.1", "invalid_type"),
        ("blur", "geometry.x", None, "invalid_type"),
        ("blur", "geometry.x", float("nan"), "out_of_range"),
        ("blur", "geometry.x", float("inf"), "out_of_range"),
        ("blur", "geometry.x", -1e-9, "out_of_range"),
        ("blur", "geometry.x", 10**400, "out_of_range"),
        ("blur", "geometry.width", 0, "zero_size"),
        ("blur", "geometry.height", 0.0, "zero_size"),
        ("blur", "geometry.width", 0.7501, "outside_picture"),
        ("blur", "geometry.height", 1, "outside_picture"),
        ("blur", "style.mode", "smear", "invalid_choice"),
        ("blur", "style.mode", {}, "invalid_choice"),
        ("blur", "style.strength", 0, "out_of_range"),
        ("blur", "style.strength", 100.1, "out_of_range"),
        ("blur", "style.color", "#FFFFFF", "unknown_field"),
        ("arrow", "geometry.to", ..., "required"),
        ("arrow", "geometry.to.y", 2, "out_of_range"),
        ("arrow", "geometry.to", {"x": 0.2, "y": 0.5}, "zero_size"),
        ("arrow", "style.color", "red", "invalid_colour"),
        ("arrow", "style.color", "#FFF", "invalid_colour"),
        ("arrow", "style.color", "#FFFFFF\n", "invalid_colour"),
        ("arrow", "style.color", "#FFFFF٣", "invalid_colour"),
        ("arrow", "style.color", 0xFFFFFF, "invalid_colour"),
        ("arrow", "style.thickness", 0.0009, "out_of_range"),
        ("arrow", "style.thickness", 0.051, "out_of_range"),
        ("marker", "style.opacity", 0.04, "out_of_range"),
        ("marker", "geometry.points", [SPOT], "invalid_length"),
        ("pencil", "geometry.points", [SPOT], "invalid_length"),
        ("pencil", "geometry.points", [SPOT] * 2001, "invalid_length"),
        ("pencil", "geometry.points", {"0": SPOT}, "invalid_type"),
        ("pencil", "geometry.points.1.x", 1.5, "out_of_range"),
        ("pencil", "geometry.points.1", [0.5, 0.5], "invalid_type"),
        ("box", "style.radius", -0.1, "out_of_range"),
        ("text", "style.text", ..., "required"),
        ("text", "style.text", "", "invalid_length"),
        ("text", "style.text", " \n", "invalid_length"),
        ("text", "style.text", "x" * 201, "invalid_length"),
        ("text", "style.text", "a\x00b", "invalid_characters"),
        ("text", "style.text", "a\ud800b", "invalid_characters"),
        ("text", "style.text", 7, "invalid_type"),
        ("text", "style.background", "none", "invalid_colour"),
        ("text", "style.size", 0.3, "out_of_range"),
        ("badge", "style.label", "1234", "invalid_length"),
        ("badge", "style.label", "1\n", "invalid_characters"),
        ("crop", "style.color", "#FFFFFF", "unknown_field"),
    ],
)
def test_what_cannot_be_drawn_is_named(op_type: str, path: str, value: Any, code: str) -> None:
    operation = with_value(MINIMAL[op_type], path, value)
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([MINIMAL["arrow"], operation])
    found = {error["field"]: error["code"] for error in caught.value.errors}
    assert found[f"operations.1.{path}"] == code
    assert all(error["message"].endswith(".") for error in caught.value.errors)


@pytest.mark.parametrize(
    ("operations", "field", "code"),
    [
        (None, "operations", "invalid_type"),
        ({}, "operations", "invalid_type"),
        ("blur", "operations", "invalid_type"),
        ([], "operations", "invalid_length"),
        ([MINIMAL["arrow"]] * 201, "operations", "invalid_length"),
        ([7], "operations.0", "invalid_type"),
        ([MINIMAL["crop"], MINIMAL["arrow"], MINIMAL["crop"]], "operations.2", "duplicate_crop"),
        ([{"op_type": "marker", "geometry": {}}], "operations.0.geometry.points", "required"),
        (
            [{"op_type": "marker", "geometry": {"points": [SPOT] * 501}}],
            "operations.0.geometry.points",
            "invalid_length",
        ),
        ([op("marker", POINTS | {"x": 0})], "operations.0.geometry.x", "unknown_field"),
    ],
)
def test_a_list_that_is_off_is_named(operations: Any, field: str, code: str) -> None:
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations(operations)
    assert [(error["field"], error["code"]) for error in caught.value.errors] == [(field, code)]


def test_all_errors_come_at_once_up_to_a_limit() -> None:
    bad = {"op_type": "arrow", "geometry": {"from": {"x": 2, "y": 3}}, "style": {"color": 1, "depth": 1}}
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([bad, MINIMAL["box"], bad])
    fields = ["geometry.from.x", "geometry.from.y", "geometry.to", "style.color", "style.depth"]
    expected = {f"operations.{i}.{field}" for i in (0, 2) for field in fields}
    assert {error["field"] for error in caught.value.errors} == expected
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([op("pencil", {"points": [{"x": 2, "y": 2}] * 2000})] * 3)
    assert len(caught.value.errors) == 1000


@pytest.mark.parametrize("left", [0.1 * i for i in range(10)])
def test_a_rectangle_up_to_the_edge_is_inside_whatever_rounding_does(left: float) -> None:
    for width in (1 - left, 1.0 - 0.1 * round(left * 10)):
        assert normalise_operations([op("box", {"x": left, "y": 0, "width": width, "height": 1})])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["x", "y", "width", "height", "from", "to", "points", "color", "text", "label", "size", "mode", "thickness"]
)
OBJECTS = st.dictionaries(NAMES, JSON_VALUES | st.floats(0, 1), max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"op_type": st.sampled_from([*MINIMAL, "smudge"]), "geometry": OBJECTS | JSON_VALUES},
            optional={"style": OBJECTS | JSON_VALUES},
        )
        | JSON_VALUES,
        max_size=3,
    )
)
def test_any_json_is_either_normalised_or_refused_with_reasons(operations: Any) -> None:
    try:
        normal = normalise_operations(operations)
    except OperationsInvalid as refused:
        assert refused.errors
    else:
        assert rfc8785.dumps(normal) == rfc8785.dumps(normalise_operations(normal))


# --- by what name the result goes ------------------------------------------------------------------------------------


def test_the_hash_is_what_anyone_can_recompute() -> None:
    operations = [MINIMAL["blur"], op("arrow", color="#e5484d")]
    canonical = rfc8785.dumps(
        {
            "renderer_version": RENDERER_VERSION,
            "base_checksum": "ab" * 32,
            "operations": [
                {
                    "op_type": "blur",
                    "geometry": {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.25},
                    "style": {"mode": "pixelate", "strength": 50},
                },
                {"op_type": "arrow", "geometry": LINE, "style": {"color": "#E5484D", "thickness": 0.006}},
            ],
        }
    )
    assert ops_hash(base_checksum="ab" * 32, operations=operations) == hashlib.sha256(canonical).hexdigest()


def test_the_hash_is_the_same_for_the_same_picture_only() -> None:
    def name(*operations: dict[str, Any], base: str = "00" * 32) -> str:
        return ops_hash(base_checksum=base, operations=list(operations))

    whole = {"x": 0, "y": 0, "width": 1, "height": 1}
    same = name(op("box", whole))
    assert name(op("box", {key: float(value) for key, value in reversed(whole.items())})) == same
    assert name(op("box", whole, color="#e5484d", thickness=0.004)) == same
    others = [
        name(op("box", whole), base="01" * 32),
        name(op("box", whole | {"width": 0.5})),
        name(op("box", whole), op("arrow")),
        name(op("arrow"), op("box", whole)),
        name(op("marker", whole)),
    ]
    assert len({same, *others}) == 6


def test_the_version_names_what_the_bytes_depend_on() -> None:
    assert Image.__version__ in RENDERER_VERSION
    assert lettering.LAYOUT.name.lower() in RENDERER_VERSION


EVERYTHING = [
    op("blur", strength=20),
    op("arrow"),
    op("marker", POINTS),
    op("pencil"),
    op("box"),
    op("text", text="Save → 日本語 👉\nשלום 12", background="#FFF3BF"),
    op("badge"),
    op("crop", {"x": 0.1, "y": 0.1, "width": 0.8, "height": 0.8}),
]


def test_the_bytes_are_the_same_in_every_process() -> None:
    script = (
        "import sys, json, hashlib; from anchors.render import render_annotations\n"
        "base, ops = bytes.fromhex(sys.stdin.readline()), json.loads(sys.stdin.readline())\n"
        "print(hashlib.sha256(render_annotations(base, ops)).hexdigest())"
    )
    base = encoded(screen())
    expected = hashlib.sha256(render_annotations(base, EVERYTHING)).hexdigest()
    for seed in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", script],
            input=f"{base.hex()}\n{json.dumps(EVERYTHING)}\n",
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == expected


# --- what it looks like ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["white", "black", "#808080"])
@pytest.mark.parametrize(
    ("operation", "area"),
    [
        (op("blur"), (160, 90, 480, 180)),
        (op("blur", mode="solid"), (160, 90, 480, 180)),
        (op("arrow", color="#0000FF"), (124, 165, 386, 195)),
        (op("marker"), (160, 90, 480, 180)),
        (op("marker", POINTS, thickness=0.02), (121, 65, 391, 151)),
        (op("pencil"), (126, 70, 386, 146)),
        (op("box"), (158, 88, 482, 182)),
        (op("text", background="#2563EB"), (320, 180, 370, 206)),
        (op("text"), (318, 180, 356, 202)),
        (op("badge"), (306, 166, 334, 194)),
    ],
    ids=lambda value: value["op_type"] if isinstance(value, dict) else "",
)
def test_a_drawing_is_where_it_belongs_on_any_ground(
    operation: dict[str, Any], area: tuple[int, int, int, int], base: str
) -> None:
    before = plain(base)
    box = changed(before, rendered([operation], before))
    assert area[0] <= box[0] and area[1] <= box[1] and box[2] <= area[2] and box[3] <= area[3], box
    assert box[2] - box[0] >= (area[2] - area[0]) * 0.5 and box[3] - box[1] >= (area[3] - area[1]) * 0.5, box


def test_the_result_is_an_rgb_png_without_metadata() -> None:
    base = encoded(screen(), "JPEG", comment=b"secret", dpi=(300, 300), exif=b"Exif\0\0secret")
    data = render_annotations(base, [op("arrow")])
    assert data.startswith(b"\x89PNG") and b"secret" not in data
    chunks, at = [], 8
    while at < len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append(data[at + 4 : at + 8])
        at += length + 12
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    assert rendered([op("arrow")], base).mode == "RGB"


def test_an_arrow_ends_at_its_tip_and_has_a_halo_on_its_own_colour() -> None:
    image = pixels(rendered([op("arrow", color="#0000FF", thickness=0.02)], plain("#0000FF")))
    assert (image[180, 200] == (0, 0, 255)).all()
    lit = np.argwhere(image[:, :, 0] > 100)
    assert len(lit) > 200, "no halo on a ground of the arrow's colour"
    image = pixels(rendered([op("arrow", color="#000000", thickness=0.02)]))
    columns = np.argwhere((image[:, :, 0] < 80).any(axis=0))
    assert abs(columns.max() - 0.6 * 640) <= 2, "the tip is not where the arrow points"


@pytest.mark.parametrize(("to_x", "to_y"), [(0.201, 0.5), (0.2, 0.501), (0.21, 0.49), (0.9, 0.1), (0.0, 1.0), (1.0, 0.0)])
def test_arrows_of_any_length_and_direction_can_be_drawn(to_x: float, to_y: float) -> None:
    image = pixels(rendered([op("arrow", {"from": LINE["from"], "to": {"x": to_x, "y": to_y}})]))
    assert (np.abs(image - RED).sum(axis=2) < 60).any()


def test_a_marker_is_no_darker_where_it_crosses_itself() -> None:
    zigzag = {"points": [{"x": 0.2, "y": 0.3}, {"x": 0.8, "y": 0.6}, {"x": 0.8, "y": 0.3}, {"x": 0.2, "y": 0.6}]}
    image = rendered([op("marker", zigzag, thickness=0.05, opacity=0.5, color="#00FF00")])
    darkest = pixels(image).reshape(-1, 3).min(axis=0)
    assert tuple(darkest) in {(127, 255, 127), (128, 255, 128)}
    crossing, arm = image.getpixel((320, 162)), image.getpixel((200, 122))
    assert crossing == arm


def test_a_marker_leaves_dark_text_dark_and_shows_on_a_dark_ground() -> None:
    page = Image.new("RGB", SIZE, "white")
    page.paste("black", (300, 100, 310, 170))
    image = rendered([op("marker", color="#FFFF00")], encoded(page))
    assert image.getpixel((305, 120)) == (0, 0, 0)
    assert image.getpixel((200, 120)) == (255, 255, 153)
    dark = rendered([op("marker", color="#FFFF00")], plain("#101010"))
    assert sum(dark.getpixel((200, 120))) > 3 * 16 + 150  # type: ignore[arg-type]


def test_a_pencil_is_round_at_joins_and_ends() -> None:
    corner = {"points": [{"x": 0.25, "y": 0.25}, {"x": 0.5, "y": 0.25}, {"x": 0.5, "y": 0.75}]}
    image = pixels(rendered([op("pencil", corner, thickness=0.05, color="#000000")]))
    ys, xs = np.mgrid[0:360, 0:640] + 0.5
    level = np.clip(xs, 160, 320), np.full_like(ys, 90)
    upright = np.full_like(xs, 320), np.clip(ys, 90, 270)
    distance = np.minimum(*(np.hypot(xs - x, ys - y) for x, y in (level, upright)))
    assert image[distance < 15, 0].max() == 0
    assert image[distance > 17, 0].min() == 255
    edge = image[(distance > 15.6) & (distance < 16.4), 0]
    assert 0.5 < ((edge > 10) & (edge < 245)).mean(), "the edge is not smooth"


def test_a_box_is_crisp_with_round_corners_unless_told_otherwise() -> None:
    image = pixels(rendered([op("box", radius=0.05, thickness=0.01, color="#000000")]))
    row = image[135, :, 0]
    assert sorted(set(row.tolist())) == [0, 255] and (row == 0).sum() == 2 * 6
    assert list(np.flatnonzero(row == 0)[:6]) == [157, 158, 159, 160, 161, 162]
    assert image[88, 158, 0] == 255, "a round corner"
    square = pixels(rendered([op("box", radius=0, thickness=0.01, color="#000000")]))
    assert square[87, 157, 0] == 0 and set(square[:, :, 0].ravel().tolist()) == {0, 255}


@pytest.mark.parametrize("at", [(0, 0), (1, 1), (1, 0), (0.97, 0.5)])
def test_texts_and_badges_are_moved_inside(at: tuple[float, float]) -> None:
    place = {"x": at[0], "y": at[1]}
    middle = rendered([op("badge", SPOT)])
    badge = rendered([op("badge", place)])
    count = [int((np.abs(pixels(image) - RED).sum(axis=2) < 30).sum()) for image in (middle, badge)]
    assert abs(count[0] - count[1]) < 0.05 * count[0]
    inside = [
        int((pixels(rendered([op("text", spot, text="Save it now", background="#000000")])) < 9).all(axis=2).sum())
        for spot in ({"x": 0.2, "y": 0.2}, place)
    ]
    assert inside[0] == inside[1]


def test_long_texts_are_broken_to_fit() -> None:
    for text in ("word " * 40, "x" * 200, "日" * 200):
        image = rendered([op("text", {"x": 0.3, "y": 0.1}, text=text.strip(), background="#000000", color="#FFFFFF")])
        background = np.argwhere((pixels(image) < 40).all(axis=2))
        assert background[:, 0].max() - background[:, 0].min() > 3 * 15, "one line only"
        light = (pixels(image)[:, [0, 1, -2, -1]] > 200).all(axis=2)
        assert light.mean() > 0.6 or background[:, 1].max() < 638, "the text runs out of the picture"


@pytest.mark.parametrize("character", list("ЖΩ→✓⌘日한👉שسअกქé"))
def test_characters_of_many_scripts_have_a_shape(character: str) -> None:
    shape = pixels(rendered([op("text", text=character, size=0.1)]))
    missing = pixels(rendered([op("text", text="\U0010fffd", size=0.1)]))
    assert (shape != missing).any() and (shape != 255).any()


def test_a_line_of_hebrew_with_a_number_is_set_from_right_to_left() -> None:
    def runs(line: str) -> list[str]:
        return [text for _, text in lettering._runs(line, 20, 500)]

    assert runs("שלום 12") == [" 12", "שלום"]
    assert runs("In שלום 12") == ["In ", "שלום", " 12"]


@pytest.mark.parametrize(("colour", "label"), [("#000000", 255), ("#FFFFFF", 31), ("#FACC15", 31), ("#2563EB", 255)])
def test_the_label_of_a_badge_stands_out(colour: str, label: int) -> None:
    image = pixels(rendered([op("badge", color=colour, size=0.2, label="I")]))
    assert abs(int(image[180, 320, 0]) - label) < 3


def test_labels_fit_their_badge() -> None:
    for label in ("1", "88", "WWW"):
        image = pixels(rendered([op("badge", color="#000000", size=0.2, label=label)]))
        ys, xs = np.mgrid[0:360, 0:640] + 0.5
        disc = np.hypot(xs - 320, ys - 180) < 62
        rim = np.hypot(xs - 320, ys - 180) > 56
        assert image[disc & rim].max() < 120, label
        ink = np.argwhere((image[:, :, 0] > 128) & disc)
        assert np.abs(ink.mean(axis=0) - (179.5, 319.5)).max() < 6, "not in the middle"


def test_the_crop_comes_last_wherever_it_stands() -> None:
    crop, arrow = op("crop"), op("arrow", {"from": {"x": 0.3, "y": 0.3}, "to": {"x": 0.7, "y": 0.45}})
    first, last = rendered([crop, arrow]), rendered([arrow, crop])
    assert first.size == (320, 90) and first.tobytes() == last.tobytes()
    assert first.tobytes() == rendered([arrow]).crop((160, 90, 480, 180)).tobytes()


@pytest.mark.parametrize("geometry", [{"x": 1, "y": 1}, {"x": 0, "y": 0}, {"x": 0.9999999, "y": 0.5}])
def test_the_smallest_rectangles_still_have_a_pixel(geometry: dict[str, float]) -> None:
    tiny = {"x": min(geometry["x"], 1 - 1e-7), "y": min(geometry["y"], 1 - 1e-7), "width": 1e-7, "height": 1e-7}
    assert rendered([op("crop", tiny)]).size == (1, 1)
    for operation in (op("blur", tiny), op("blur", tiny, mode="solid"), op("blur", tiny, mode="gaussian")):
        rendered([operation])
    assert changed(plain(), rendered([op("blur", tiny, mode="solid")]))
    rendered([op("box", tiny), op("marker", tiny)])


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (129, 257)])
def test_every_operation_can_be_drawn_on_every_picture(size: tuple[int, int]) -> None:
    rendered(EVERYTHING, plain("#336699", size))


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = [op("arrow", {"from": {"x": 0.05, "y": 0.9}, "to": {"x": 0.9, "y": 0.1}}, thickness=0.02)]
    scene += [op("pencil"), op("box", radius=0.1, thickness=0.02), op("badge", size=0.2), op("marker", POINTS)]
    tiled = rendered(scene)
    monkeypatch.setattr(canvas, "TILE", 4096)
    monkeypatch.setattr(canvas.Panel, "is_crisp", lambda *_: False)
    assert tiled.tobytes() == rendered(scene).tobytes()


# --- redaction holds -------------------------------------------------------------------------------------------------

SECRET = {"x": 20.4 / 320, "y": 30.6 / 120, "width": 200.2 / 320, "height": 30.1 / 120}
SECRET_BOX = (20, 30, 221, 61)
"""SECRET rounded outwards to whole pixels."""


def with_secret(text: str) -> bytes:
    image = Image.new("RGB", (320, 120), "white")
    pen = ImageDraw.Draw(image)
    pen.text((20, 8), "Password", fill="black")
    font = lettering._font(0, 16, 500)
    assert pen.textbbox((24, 34), text, font=font)[2] <= 221
    pen.text((24, 34), text, fill="black", font=font)
    return encoded(image, compress_level=1)


@pytest.mark.parametrize("mode", ["pixelate", "solid"])
@pytest.mark.parametrize("strength", [1, 50, 100])
def test_no_pixel_under_a_blur_counts_by_itself(mode: str, strength: int) -> None:
    operations = [op("blur", SECRET, mode=mode, strength=strength)]
    image = Image.open(io.BytesIO(with_secret("4711"))).convert("RGB")
    expected = render_annotations(encoded(image), operations)
    left, top, right, bottom = SECRET_BOX
    spots = [(left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1), (120, 45), (left, 45)]
    for spot in spots:
        other = image.copy()
        other.putpixel(spot, (255, 0, 255))
        assert render_annotations(encoded(other), operations) == expected, spot
    for spot in [(left - 1, top), (right, top), (left, top - 1), (left, bottom)]:
        other = image.copy()
        other.putpixel(spot, (255, 0, 255))
        assert rendered(operations, encoded(other)).getpixel(spot) == (255, 0, 255), "hidden more than asked"


@pytest.mark.parametrize(
    ("style", "most"),
    [
        ({"mode": "solid"}, 1),
        ({"mode": "pixelate", "strength": 1}, 8),
        ({"mode": "pixelate"}, 4),
        ({"mode": "pixelate", "strength": 100}, 2),
    ],
)
def test_hundreds_of_secrets_look_alike_under_a_blur(style: dict[str, Any], most: int) -> None:
    dice = random.Random(7)
    secrets = {"".join(dice.choices("0123456789abcdefWXYZ-", k=16)) for _ in range(300)}
    outcomes = {render_annotations(with_secret(secret), [op("blur", SECRET, **style)]) for secret in secrets}
    assert len(outcomes) <= most


def test_single_letters_in_rectangles_of_their_own_look_alike() -> None:
    letter = {"x": 22 / 320, "y": 32 / 120, "width": 16 / 320, "height": 26 / 120}
    operations = [op("blur", letter, strength=1)]
    assert len({rendered(operations, with_secret(digit)).tobytes() for digit in "0123456789"}) == 1


def test_a_gaussian_blur_is_no_redaction_which_shows_that_these_tests_can_fail() -> None:
    outcomes = {
        render_annotations(with_secret(str(secret)), [op("blur", SECRET, mode="gaussian", strength=100)])
        for secret in range(1000, 1020)
    }
    assert len(outcomes) == 20


def test_a_mosaic_follows_the_picture_coarsely_in_blocks() -> None:
    page = Image.new("RGB", SIZE, "white")
    page.paste("#C02020", (0, 0, 320, 360))
    image = pixels(rendered([op("blur", {"x": 0.1, "y": 0.1, "width": 0.8, "height": 0.8}, strength=1)], encoded(page)))
    red, white = image[100:300, 70:120].mean(axis=(0, 1)), image[100:300, 520:570].mean(axis=(0, 1))
    assert red[0] - red[1] > 60 and white.min() > 190 and abs(white[0] - white[1]) < 12
    assert len({tuple(pixel) for pixel in image[100:300, 70:120].reshape(-1, 3)}) > 3, "no blocks to be seen"
    block = image[36:44, 64:72].reshape(-1, 3)
    assert (block == block[0]).all(), "blocks of eight pixels at least"


def test_the_bar_does_not_depend_on_the_picture() -> None:
    bars = {rendered([op("blur", mode="solid")], plain(colour)).crop((160, 90, 480, 180)).tobytes() for colour in ("white", "black", "red")}
    assert len(bars) == 1


@pytest.mark.parametrize("mode", ["pixelate", "solid"])
def test_a_blur_hides_drawings_before_it_and_not_those_after(mode: str) -> None:
    blur, arrow = op("blur", mode=mode), op("arrow", {"from": {"x": 0.3, "y": 0.35}, "to": {"x": 0.7, "y": 0.35}})

    def red_pixels(operations: list[dict[str, Any]]) -> int:
        return int((np.abs(pixels(rendered(operations)) - RED).sum(axis=2) < 60).sum())

    assert red_pixels([blur, arrow]) > 500
    assert red_pixels([arrow, blur]) == 0


def test_nothing_hides_in_transparent_pixels() -> None:
    image = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    ImageDraw.Draw(image).text((170, 100), "SECRET", fill=(0, 0, 0, 0))
    data = render_annotations(encoded(image), [op("arrow", {"from": {"x": 0, "y": 0.9}, "to": {"x": 0.1, "y": 0.9}})])
    result = Image.open(io.BytesIO(data))
    assert result.mode == "RGB"
    assert (pixels(result)[90:180, 160:480] == 255).all()


# --- base pictures ---------------------------------------------------------------------------------------------------


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
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


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
