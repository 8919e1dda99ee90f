"""What may be drawn: the JSON Schema and the check of each operation allow the same."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from anchors.render import OperationsInvalid, normalise_operations
from anchors.render.operations import operations_schema

KINDS = operations_schema()["items"]["oneOf"]

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


@pytest.mark.parametrize("kind", KINDS, ids=op_type)
def test_what_is_normalised_is_as_described_and_what_is_unknown_is_not(kind: dict[str, Any]) -> None:
    description = Draft202012Validator(kind)
    done = drawn(op_type(kind), {})
    description.validate(done)
    for part in ("geometry", "style"):
        assert not description.is_valid(done | {part: done[part] | {"odd": 1}})
    assert not description.is_valid(done | {"odd": 1})


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
            for text in ("é", "a b", " ", "\n", "a\nb", "a\t", "\x00", "a\x1b", "\x85"):
                assert _is_taken(name, {key: text}) is Draft202012Validator(rule).is_valid(text), repr(text)


def _is_taken(name: str, style: dict[str, Any]) -> bool:
    try:
        drawn(name, style)
    except OperationsInvalid:
        return False
    return True
