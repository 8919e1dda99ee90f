"""What annotations look like."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from anchors.render import canvas, lettering, render_annotations
from tests.anchors.pictures import (
    EVERYTHING,
    LINE,
    POINTS,
    RED,
    SIZE,
    SPOT,
    changed,
    encoded,
    op,
    pixels,
    plain,
    rendered,
    screen,
)

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize(
    ("to_x", "to_y"), [(0.201, 0.5), (0.2, 0.501), (0.21, 0.49), (0.9, 0.1), (0.0, 1.0), (1.0, 0.0)]
)
def test_arrows_of_any_length_and_direction_can_be_drawn(to_x: float, to_y: float) -> None:
    image = pixels(rendered([op("arrow", {"from": LINE["from"], "to": {"x": to_x, "y": to_y}})]))
    assert (np.abs(image - RED).sum(axis=2) < 60).any()


def test_a_marker_is_no_darker_where_it_crosses_itself() -> None:
    zigzag = {
        "points": [{"x": 0.2, "y": 0.3}, {"x": 0.8, "y": 0.6}, {"x": 0.8, "y": 0.3}, {"x": 0.2, "y": 0.6}]
    }
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
    assert ((edge > 10) & (edge < 245)).mean() > 0.5, "the edge is not smooth"


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
        int(
            (pixels(rendered([op("text", spot, text="Save it now", background="#000000")])) < 9)
            .all(axis=2)
            .sum()
        )
        for spot in ({"x": 0.2, "y": 0.2}, place)
    ]
    assert inside[0] == inside[1]


def test_long_texts_are_broken_to_fit() -> None:
    for text in ("word " * 40, "x" * 200, "日" * 200):
        image = rendered(
            [op("text", {"x": 0.3, "y": 0.1}, text=text.strip(), background="#000000", color="#FFFFFF")]
        )
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


@pytest.mark.parametrize(
    ("colour", "label"), [("#000000", 255), ("#FFFFFF", 31), ("#FACC15", 31), ("#2563EB", 255)]
)
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
    tiny = {
        "x": min(geometry["x"], 1 - 1e-7),
        "y": min(geometry["y"], 1 - 1e-7),
        "width": 1e-7,
        "height": 1e-7,
    }
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
    scene += [
        op("pencil"),
        op("box", radius=0.1, thickness=0.02),
        op("badge", size=0.2),
        op("marker", POINTS),
    ]
    tiled = rendered(scene)
    monkeypatch.setattr(canvas, "TILE", 4096)
    monkeypatch.setattr(canvas.Panel, "is_crisp", lambda *_: False)
    assert tiled.tobytes() == rendered(scene).tobytes()
