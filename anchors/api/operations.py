"""JSON Schema of what may be drawn on a picture, as the table of the contract's section 7 gives it.

`anchors.render` checks the operations; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

from anchors.render.operations import MAX_OPERATIONS, RED, YELLOW


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**rules, "required": required} if required else rules


def _number(low: float, high: float, default: float) -> dict[str, Any]:
    return {"type": "number", "minimum": low, "maximum": high, "default": default}


def _colour(default: str) -> dict[str, Any]:
    return {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$", "default": default}


def _points(most: int) -> dict[str, Any]:
    return _object(["points"], points={"type": "array", "items": POINT, "minItems": 2, "maxItems": most})


def _operation(op_type: str, geometry: dict[str, Any], required: list[str], **style: Any) -> dict[str, Any]:
    needs = ["op_type", "geometry", *(["style"] if required else [])]
    return _object(
        needs,
        op_type={"type": "string", "const": op_type},
        geometry=geometry,
        style=_object(required, **style),
    )


SHARE = {"type": "number", "minimum": 0, "maximum": 1}
POINT = _object(["x", "y"], x=SHARE, y=SHARE)
LENGTH = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
RECTANGLE = _object(["x", "y", "width", "height"], x=SHARE, y=SHARE, width=LENGTH, height=LENGTH)
LINE = _object(["from", "to"], **{"from": POINT, "to": POINT})


def _thickness(default: float) -> dict[str, Any]:
    return _number(0.001, 0.05, default)


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


KINDS = [
    _operation(
        "blur",
        RECTANGLE,
        [],
        mode={"type": "string", "enum": ["pixelate", "solid", "gaussian"], "default": "pixelate"},
        strength=_number(1, 100, 50),
    ),
    _operation("arrow", LINE, [], color=_colour(RED), thickness=_thickness(0.006)),
    _operation(
        "marker",
        {"anyOf": [_points(500), RECTANGLE]},
        [],
        color=_colour(YELLOW),
        opacity=_number(0.05, 1, 0.4),
        thickness=_thickness(0.02),
    ),
    _operation("pencil", _points(2000), [], color=_colour(RED), thickness=_thickness(0.004)),
    _operation(
        "box", RECTANGLE, [], color=_colour(RED), thickness=_thickness(0.004), radius=_number(0, 0.1, 0.008)
    ),
    _operation(
        "text",
        POINT,
        ["text"],
        text=_text(200),
        color=_colour(RED),
        size=_number(0.005, 0.2, 0.024),
        background={"type": ["string", "null"], "pattern": "^#[0-9A-Fa-f]{6}$", "default": None},
    ),
    _operation("badge", POINT, ["label"], label=_text(3), color=_colour(RED), size=_number(0.01, 0.2, 0.035)),
    _operation("crop", RECTANGLE, []),
]
OPERATIONS = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_OPERATIONS,
    "description": "Coordinates are shares of the picture's width and height; thickness, radius and size of its "
    "longer side. A crop stands at most once and is applied last.",
    "items": {"oneOf": KINDS},
}
