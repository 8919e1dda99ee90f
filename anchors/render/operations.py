"""The operations that can be drawn on a picture: their table, their check and their JSON Schema.

Coordinates are shares (0..1) of the picture's width and height; thickness, radius and size are shares of its
longer side, so that a drawing looks the same on a picture of twice the resolution.
"""

from __future__ import annotations

from typing import Any

from anchors.render.checks import (
    COLOUR,
    REQUIRED,
    Check,
    Fields,
    Findings,
    choice,
    number,
    object_with,
    or_none,
    text,
)

MAX_OPERATIONS = 200

RED, YELLOW = "#E5484D", "#FFD60A"

# Shares such as 0.7 + 0.3 may add up to a hair over 1.
_ROUNDING = 1e-9

_SHARE = number(0, 1)
_THICKNESS = number(0.001, 0.05)
# `_check_rectangle` refuses 0, with a code of its own.
_SIZE = Check(_SHARE.check, {"type": "number", "exclusiveMinimum": 0, "maximum": 1})

_POINT_FIELDS: Fields = {"x": (_SHARE, REQUIRED), "y": (_SHARE, REQUIRED)}
_RECTANGLE_FIELDS: Fields = {**_POINT_FIELDS, "width": (_SIZE, REQUIRED), "height": (_SIZE, REQUIRED)}

POINT = object_with("PicturePoint", _POINT_FIELDS)
_RECTANGLE = object_with("PictureRectangle", _RECTANGLE_FIELDS)
_LINE = object_with("PictureLine", {"from": (POINT, REQUIRED), "to": (POINT, REQUIRED)})


def _check_rectangle(value: Any, path: str, findings: Findings) -> Any:
    before = findings.count
    rectangle = _RECTANGLE.check(value, path, findings)
    if findings.count > before:
        return rectangle
    for start, length in (("x", "width"), ("y", "height")):
        if rectangle[length] == 0:
            findings.add(f"{path}.{length}", "zero_size", "A rectangle has a size.")
        elif rectangle[start] + rectangle[length] > 1 + _ROUNDING:
            findings.add(f"{path}.{length}", "outside_picture", "The rectangle leaves the picture.")
    return rectangle


def _check_line(value: Any, path: str, findings: Findings) -> Any:
    before = findings.count
    line = _LINE.check(value, path, findings)
    if findings.count == before and line["from"] == line["to"]:
        findings.add(f"{path}.to", "zero_size", "An arrow points from one place to another.")
    return line


def points(title: str, max_points: int) -> Check:
    """Return the check of a line through 2 to `max_points` points; `title` is the name of its schema."""

    def check(value: Any, path: str, findings: Findings) -> list[Any] | None:
        if not isinstance(value, list):
            findings.add(path, "invalid_type", "This is a list of points.")
        elif not 2 <= len(value) <= max_points:
            findings.add(path, "invalid_length", f"Give 2 to {max_points} points.")
        else:
            return [POINT.check(point, f"{path}.{i}", findings) for i, point in enumerate(value)]
        return None

    schema = {"type": "array", "items": POINT.schema, "minItems": 2, "maxItems": max_points}
    return object_with(title, {"points": (Check(check, schema), REQUIRED)})


RECTANGLE = Check(_check_rectangle, _RECTANGLE.schema)
LINE = Check(_check_line, _LINE.schema)


def points_or_rectangle(title: str, max_points: int) -> Check:
    """Return the check of a line or a rectangle. An object with no field of either is taken for a line."""
    stroke = points(title, max_points)

    def check(value: Any, path: str, findings: Findings) -> Any:
        is_line = isinstance(value, dict) and ("points" in value or not value.keys() & _RECTANGLE_FIELDS)
        return (stroke if is_line else RECTANGLE).check(value, path, findings)

    return Check(check, {"anyOf": [stroke.schema, RECTANGLE.schema]})


OPERATIONS: dict[str, tuple[Check, Fields]] = {
    "blur": (
        RECTANGLE,
        {
            "mode": (choice("pixelate", "solid", "gaussian"), "pixelate"),
            "strength": (number(1, 100), 50),
        },
    ),
    "arrow": (LINE, {"color": (COLOUR, RED), "thickness": (_THICKNESS, 0.006)}),
    "marker": (
        points_or_rectangle("MarkerStroke", 500),
        {
            "color": (COLOUR, YELLOW),
            "opacity": (number(0.05, 1), 0.4),
            "thickness": (_THICKNESS, 0.02),
        },
    ),
    "pencil": (points("PencilStroke", 2000), {"color": (COLOUR, RED), "thickness": (_THICKNESS, 0.004)}),
    "box": (
        RECTANGLE,
        {"color": (COLOUR, RED), "thickness": (_THICKNESS, 0.004), "radius": (number(0, 0.1), 0.008)},
    ),
    "text": (
        POINT,
        {
            "text": (text(200, lines=True), REQUIRED),
            "color": (COLOUR, RED),
            "size": (number(0.005, 0.2), 0.024),
            "background": (or_none(COLOUR), None),
        },
    ),
    "badge": (
        POINT,
        {"label": (text(3), REQUIRED), "color": (COLOUR, RED), "size": (number(0.01, 0.2), 0.035)},
    ),
    "crop": (RECTANGLE, {}),
}
"""op_type: the check of its geometry, and the fields of its style with their defaults."""


def _whole(op_type: str, geometry: Check, style: Fields) -> Check:
    """Return the check of a whole operation whose op_type is known to be this one."""
    name = Check(lambda value, *_: value, {"type": "string", "const": op_type})
    title = op_type.capitalize()
    look = object_with(f"{title}Style", style)
    return object_with(
        f"{title}Operation",
        {"op_type": (name, REQUIRED), "geometry": (geometry, REQUIRED), "style": (look, {})},
    )


_CHECKS = {op_type: _whole(op_type, *parts) for op_type, parts in OPERATIONS.items()}


def operations_schema() -> dict[str, Any]:
    """Return the JSON Schema of a list of operations, for the description of the API."""
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_OPERATIONS,
        "description": "Coordinates are shares of the picture's width and height; thickness, radius and size of its "
        "longer side. Blurs are drawn first wherever they stand, then the others in their order; a crop stands at most "
        "once and is applied last.",
        "items": {
            "title": "AnnotationOperation",
            "discriminator": {"propertyName": "op_type"},
            "oneOf": [check.schema for check in _CHECKS.values()],
        },
    }


def normalise_operations(operations: object) -> list[dict[str, Any]]:
    """Return the operations with defaults, numbers as floats and colours in capitals.

    The input stays as it is, and normalising twice changes nothing. Raises OperationsInvalid.
    """
    findings = Findings()
    normal: list[dict[str, Any]] = []
    if not isinstance(operations, list):
        findings.add("operations", "invalid_type", "Give a list of operations.")
    elif not 1 <= len(operations) <= MAX_OPERATIONS:
        findings.add("operations", "invalid_length", f"Give 1 to {MAX_OPERATIONS} operations.")
    else:
        normal = [_check_operation(item, f"operations.{i}", findings) for i, item in enumerate(operations)]
    crops = [i for i, item in enumerate(normal) if item.get("op_type") == "crop"]
    for i in crops[1:]:
        findings.add(f"operations.{i}", "duplicate_crop", "A picture can be cropped only once.")
    findings.raise_if_any()
    return normal


def _check_operation(value: object, path: str, findings: Findings) -> dict[str, Any]:
    if not isinstance(value, dict):
        findings.add(path, "invalid_type", "An operation is an object.")
        return {}
    op_type = value.get("op_type")
    if not isinstance(op_type, str) or op_type not in _CHECKS:
        code = "required" if "op_type" not in value else "invalid_choice"
        findings.add(f"{path}.op_type", code, f"op_type is one of {', '.join(_CHECKS)}.")
        return {}
    operation: dict[str, Any] = _CHECKS[op_type].check(value, path, findings)
    return operation
