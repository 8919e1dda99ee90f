"""What may be drawn: the API description and the renderer's own check say the same."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.api.operations import KINDS
from anchors.render.operations import OPERATIONS, OperationsInvalid, normalise_operations

RECTANGLE = {"x": 0, "y": 0, "width": 0.5, "height": 0.5}
POINTS = {"points": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]}
GEOMETRY: dict[str, Any] = {
    "arrow": {"from": {"x": 0, "y": 0}, "to": {"x": 1, "y": 1}},
    "pencil": POINTS,
    "text": {"x": 0, "y": 0},
    "badge": {"x": 0, "y": 0},
}
NEEDED = {"text": {"text": "Click"}, "badge": {"label": "1"}}


def op_type(kind: dict[str, Any]) -> str:
    name: str = kind["properties"]["op_type"]["const"]
    return name


def drawn(name: str, style: dict[str, Any]) -> dict[str, Any]:
    """The operation with its defaults; raises OperationsInvalid."""
    style = NEEDED.get(name, {}) | style
    [done] = normalise_operations(
        [{"op_type": name, "geometry": GEOMETRY.get(name, RECTANGLE), "style": style}]
    )
    return done


def test_the_same_kinds_are_described_and_drawn() -> None:
    assert [op_type(kind) for kind in KINDS] == list(OPERATIONS)


@pytest.mark.parametrize("kind", KINDS, ids=op_type)
def test_each_kind_has_the_same_styles_defaults_and_limits(kind: dict[str, Any]) -> None:
    name, style = op_type(kind), kind["properties"]["style"]
    done = drawn(name, {})["style"]
    assert set(done) == set(style["properties"])
    required = set(style.get("required", []))
    defaults = {key: rule["default"] for key, rule in style["properties"].items() if key not in required}
    assert {key: value for key, value in done.items() if key not in required} == defaults
    for key, rule in style["properties"].items():
        if rule["type"] == "number":
            assert drawn(name, {key: rule["minimum"]})["style"][key] == rule["minimum"]
            assert drawn(name, {key: rule["maximum"]})["style"][key] == rule["maximum"]
            for beyond in (rule["minimum"] - 0.0001, rule["maximum"] + 0.0001):
                with pytest.raises(OperationsInvalid):
                    drawn(name, {key: beyond})
        if "maxLength" in rule:
            assert drawn(name, {key: "x" * rule["maxLength"]})["style"][key]
            with pytest.raises(OperationsInvalid):
                drawn(name, {key: "x" * (rule["maxLength"] + 1)})
