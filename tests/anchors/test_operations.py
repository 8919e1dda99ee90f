"""What may be drawn on a picture, and by what name the result is known."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anchors.render import RENDERER_VERSION, OperationsInvalid, lettering, normalise_operations, ops_hash
from tests.anchors.pictures import LINE, MINIMAL, POINTS, SPOT, op


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


def test_all_errors_come_at_once() -> None:
    bad = {"op_type": "arrow", "geometry": {"from": {"x": 2, "y": 3}}, "style": {"color": 1, "depth": 1}}
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([bad, MINIMAL["box"], bad])
    fields = ["geometry.from.x", "geometry.from.y", "geometry.to", "style.color", "style.depth"]
    expected = {f"operations.{i}.{field}" for i in (0, 2) for field in fields}
    assert {error["field"] for error in caught.value.errors} == expected


@pytest.mark.parametrize(("bad_points", "more"), [(10, 0), (11, 2), (2000, 3980)])
def test_twenty_errors_are_listed_and_the_others_counted(bad_points: int, more: int) -> None:
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([op("pencil", {"points": [{"x": 2, "y": 2}] * bad_points})])
    listed, rest = caught.value.errors[:20], caught.value.errors[20:]
    assert [error["code"] for error in listed] == ["out_of_range"] * 20
    last = {"field": "operations", "code": "more_errors", "message": f"and {more} more."}
    assert rest == ([last] if more else [])


def test_a_rectangle_after_many_errors_is_refused_like_the_first() -> None:
    unknown = {f"key{i}": 0 for i in range(500)}
    with pytest.raises(OperationsInvalid) as caught:
        normalise_operations([{"op_type": "blur", "geometry": unknown}] * 4)
    assert caught.value.errors[-1]["message"] == f"and {4 * (500 + 4) - 20} more."


def test_a_rectangle_up_to_the_edge_is_inside_whatever_rounding_does() -> None:
    pixel = 1 / 489
    x, width = 39 * pixel, 450 * pixel
    assert x + width > 1
    assert normalise_operations([op("box", {"x": x, "y": 0, "width": width, "height": 1})])
    with pytest.raises(OperationsInvalid):
        normalise_operations([op("box", {"x": x, "y": 0, "width": width + 1e-6, "height": 1})])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        "x",
        "y",
        "width",
        "height",
        "from",
        "to",
        "points",
        "color",
        "text",
        "label",
        "size",
        "mode",
        "thickness",
    ]
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
