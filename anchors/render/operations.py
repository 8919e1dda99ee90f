"""What may be drawn on a picture: checks a list of operations and writes out every default.

Coordinates are shares (0..1) of the picture's width and height; thickness, radius and size are shares of its
longer side, so that a drawing looks the same on a picture of twice the resolution.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_OPERATIONS = 200
MAX_ERRORS = 1000
"""Errors that are listed at most: a hostile list must not be answered with a larger one."""

RED, YELLOW = "#E5484D", "#FFD60A"

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_REQUIRED = object()
# Shares such as 0.7 + 0.3 may add up to a hair over 1.
_ROUNDING = 1e-9


class OperationsInvalid(ValueError):
    """The operations cannot be drawn. `errors`: `{"field", "code", "message"}`, fields as dotted paths."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(f"{len(errors)} error(s) in the operations, the first: {errors[0]}")
        self.errors = errors


@dataclass
class _Report:
    errors: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, code: str, message: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"field": path, "code": code, "message": message})


_Check = Callable[[Any, str, _Report], Any]
_Fields = dict[str, tuple[_Check, Any]]


def normalise_operations(operations: object) -> list[dict[str, Any]]:
    """The operations with defaults, numbers as floats and colours in capitals; the input stays as it is.

    Normalising twice changes nothing. Raises OperationsInvalid with every error found (`MAX_ERRORS` at most).
    """
    report = _Report()
    if not isinstance(operations, list):
        report.add("operations", "invalid_type", "Give a list of operations.")
    elif not 1 <= len(operations) <= MAX_OPERATIONS:
        report.add("operations", "invalid_length", f"Give 1 to {MAX_OPERATIONS} operations.")
    if report.errors or not isinstance(operations, list):
        raise OperationsInvalid(report.errors)
    normal = [_operation(item, f"operations.{i}", report) for i, item in enumerate(operations)]
    crops = [i for i, item in enumerate(normal) if item.get("op_type") == "crop"]
    for i in crops[1:]:
        report.add(f"operations.{i}", "duplicate_crop", "A picture can be cropped only once.")
    if report.errors:
        raise OperationsInvalid(report.errors)
    return normal


def _operation(value: object, path: str, report: _Report) -> dict[str, Any]:
    if not isinstance(value, dict):
        report.add(path, "invalid_type", "An operation is an object.")
        return {}
    op_type = value.get("op_type")
    if not isinstance(op_type, str) or op_type not in OPERATIONS:
        code = "required" if "op_type" not in value else "invalid_choice"
        report.add(f"{path}.op_type", code, f"op_type is one of {', '.join(OPERATIONS)}.")
        return {}
    geometry, style = OPERATIONS[op_type]
    fields: _Fields = {
        "op_type": (lambda given, *_: given, _REQUIRED),
        "geometry": (geometry, _REQUIRED),
        "style": (_object(style), {}),
    }
    return {"op_type": op_type, **_fields(value, path, report, fields)}


def _fields(value: object, path: str, report: _Report, fields: _Fields) -> dict[str, Any]:
    """An object with these fields and no others: each checked, and the missing ones filled in."""
    if not isinstance(value, dict):
        report.add(path, "invalid_type", "This is an object.")
        return {}
    for name in value:
        if name not in fields:
            report.add(f"{path}.{name}", "unknown_field", "There is no such field here.")
    result = {}
    for name, (check, default) in fields.items():
        if name in value:
            result[name] = check(value[name], f"{path}.{name}", report)
        elif default is _REQUIRED:
            report.add(f"{path}.{name}", "required", "This field is missing.")
        else:
            result[name] = check(default, f"{path}.{name}", report)
    return result


def _object(fields: _Fields) -> _Check:
    return lambda value, path, report: _fields(value, path, report, fields)


def _number(low: float, high: float) -> _Check:
    def check(value: Any, path: str, report: _Report) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            report.add(path, "invalid_type", "This is a number.")
        elif not low <= value <= high:  # also false for NaN
            report.add(path, "out_of_range", f"This is a number from {low:g} to {high:g}.")
        else:
            return float(value) + 0.0  # no negative zero
        return low

    return check


def _choice(*choices: str) -> _Check:
    def check(value: Any, path: str, report: _Report) -> str:
        if isinstance(value, str) and value in choices:
            return value
        report.add(path, "invalid_choice", f"This is one of {', '.join(choices)}.")
        return choices[0]

    return check


def _colour(value: Any, path: str, report: _Report) -> str:
    if isinstance(value, str) and _COLOUR.fullmatch(value):
        return value.upper()
    report.add(path, "invalid_colour", "A colour is written #RRGGBB.")
    return ""


def _colour_or_none(value: Any, path: str, report: _Report) -> str | None:
    return None if value is None else _colour(value, path, report)


def _text(longest: int, *, lines: bool = False) -> _Check:
    def check(value: Any, path: str, report: _Report) -> str:
        if not isinstance(value, str):
            report.add(path, "invalid_type", "This is a text.")
        elif not 1 <= len(value) <= longest or not value.strip():
            report.add(path, "invalid_length", f"This is a text of 1 to {longest} characters, not blank.")
        elif any(unicodedata.category(c) in ("Cc", "Cs") and not (lines and c == "\n") for c in value):
            report.add(path, "invalid_characters", "This text holds control characters.")
        else:
            return value
        return ""

    return check


_share = _number(0, 1)
_POINT: _Fields = {"x": (_share, _REQUIRED), "y": (_share, _REQUIRED)}
_RECTANGLE: _Fields = _POINT | {"width": (_share, _REQUIRED), "height": (_share, _REQUIRED)}


def _rectangle(value: Any, path: str, report: _Report) -> dict[str, Any]:
    before = len(report.errors)
    rectangle = _fields(value, path, report, _RECTANGLE)
    if len(report.errors) > before:
        return rectangle
    for start, length in (("x", "width"), ("y", "height")):
        if rectangle[length] == 0:
            report.add(f"{path}.{length}", "zero_size", "A rectangle has a size.")
        elif rectangle[start] + rectangle[length] > 1 + _ROUNDING:
            report.add(f"{path}.{length}", "outside_picture", "The rectangle leaves the picture.")
    return rectangle


def _line(value: Any, path: str, report: _Report) -> dict[str, Any]:
    point = _object(_POINT)
    line = _fields(value, path, report, {"from": (point, _REQUIRED), "to": (point, _REQUIRED)})
    if len(line) == 2 and len(line["from"]) == 2 and line["from"] == line["to"]:
        report.add(f"{path}.to", "zero_size", "An arrow points from one place to another.")
    return line


def _points(most: int) -> _Check:
    def check_points(value: Any, path: str, report: _Report) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            report.add(path, "invalid_type", "This is a list of points.")
        elif not 2 <= len(value) <= most:
            report.add(path, "invalid_length", f"Give 2 to {most} points.")
        else:
            return [_fields(point, f"{path}.{i}", report, _POINT) for i, point in enumerate(value)]
        return []

    return _object({"points": (check_points, _REQUIRED)})


def _stroke_or_rectangle(value: Any, path: str, report: _Report) -> dict[str, Any]:
    is_stroke = isinstance(value, Mapping) and ("points" in value or not value.keys() & _RECTANGLE.keys())
    shape: dict[str, Any] = (_points(500) if is_stroke else _rectangle)(value, path, report)
    return shape


_red = (_colour, RED)
OPERATIONS: dict[str, tuple[_Check, _Fields]] = {
    "blur": (
        _rectangle,
        {
            "mode": (_choice("pixelate", "solid", "gaussian"), "pixelate"),
            "strength": (_number(1, 100), 50),
        },
    ),
    "arrow": (_line, {"color": _red, "thickness": (_number(0.001, 0.05), 0.006)}),
    "marker": (
        _stroke_or_rectangle,
        {
            "color": (_colour, YELLOW),
            "opacity": (_number(0.05, 1), 0.4),
            "thickness": (_number(0.001, 0.05), 0.02),
        },
    ),
    "pencil": (_points(2000), {"color": _red, "thickness": (_number(0.001, 0.05), 0.004)}),
    "box": (
        _rectangle,
        {"color": _red, "thickness": (_number(0.001, 0.05), 0.004), "radius": (_number(0, 0.1), 0.008)},
    ),
    "text": (
        _object(_POINT),
        {
            "text": (_text(200, lines=True), _REQUIRED),
            "color": _red,
            "size": (_number(0.005, 0.2), 0.024),
            "background": (_colour_or_none, None),
        },
    ),
    "badge": (
        _object(_POINT),
        {"label": (_text(3), _REQUIRED), "color": _red, "size": (_number(0.01, 0.2), 0.035)},
    ),
    "crop": (_rectangle, {}),
}
"""op_type: the check of its geometry, and the fields of its style with their defaults."""
