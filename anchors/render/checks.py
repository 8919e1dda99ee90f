"""Checks of values in a list of operations, each with the JSON Schema that describes the same values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ERRORS = 20
"""The number of errors that are listed one by one."""

REQUIRED = object()
"""In place of a default: the field has none."""

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class OperationsInvalid(ValueError):
    """The operations cannot be drawn.

    `errors` is a list of `{"field", "code", "message"}` with fields as dotted paths. After `MAX_ERRORS` of them
    one last entry, with the code `more_errors`, counts the others.
    """

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(f"The operations cannot be drawn, the first error: {errors[0]}")
        self.errors = errors


@dataclass
class Findings:
    """The errors found so far: all are counted, the first `MAX_ERRORS` are kept."""

    count: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, code: str, message: str) -> None:
        """Count an error, and keep it if it is among the first."""
        self.count += 1
        if self.count <= MAX_ERRORS:
            self.errors.append({"field": path, "code": code, "message": message})

    def raise_if_any(self) -> None:
        """Raise OperationsInvalid if anything was added."""
        if not self.errors:
            return
        errors = list(self.errors)
        if more := self.count - len(errors):
            errors.append({"field": "operations", "code": "more_errors", "message": f"and {more} more."})
        raise OperationsInvalid(errors)


@dataclass(frozen=True)
class Check:
    """What a value may be, as a function and as JSON Schema.

    `check(value, path, findings)` returns the normalised value. If the value is wrong, it adds to the findings,
    and what it returns is not used.
    """

    check: Callable[[Any, str, Findings], Any]
    schema: dict[str, Any]


Fields = Mapping[str, tuple[Check, Any]]
"""The fields of an object: name to check and default, or `REQUIRED`."""


def number(low: float, high: float) -> Check:
    """Return the check of a number from `low` to `high`; it is normalised to a float."""

    def check(value: Any, path: str, findings: Findings) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            findings.add(path, "invalid_type", "This is a number.")
        elif not low <= value <= high:  # also false for NaN
            findings.add(path, "out_of_range", f"This is a number from {low:g} to {high:g}.")
        else:
            return float(value) + 0.0  # no negative zero
        return None

    return Check(check, {"type": "number", "minimum": low, "maximum": high})


def choice(*choices: str) -> Check:
    """Return the check of a text that is one of the choices."""

    def check(value: Any, path: str, findings: Findings) -> str | None:
        if isinstance(value, str) and value in choices:
            return value
        findings.add(path, "invalid_choice", f"This is one of {', '.join(choices)}.")
        return None

    return Check(check, {"type": "string", "enum": list(choices)})


def text(max_length: int, *, lines: bool = False) -> Check:
    """Return the check of a text that is not blank, on one line or, with `lines`, on several."""

    def check(value: Any, path: str, findings: Findings) -> str | None:
        if not isinstance(value, str):
            findings.add(path, "invalid_type", "This is a text.")
        elif not 1 <= len(value) <= max_length or not value.strip():
            findings.add(
                path, "invalid_length", f"This is a text of 1 to {max_length} characters, not blank."
            )
        elif any(unicodedata.category(c) in ("Cc", "Cs") and not (lines and c == "\n") for c in value):
            findings.add(path, "invalid_characters", "This text holds control characters.")
        else:
            return value
        return None

    control = r"\u0000-\u0009\u000b-\u001f\u007f-\u009f" if lines else r"\u0000-\u001f\u007f-\u009f"
    pattern = f"^[^{control}]*[^\\s{control}][^{control}]*$"
    return Check(check, {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": pattern})


def _check_colour(value: Any, path: str, findings: Findings) -> str | None:
    if isinstance(value, str) and _COLOUR.fullmatch(value):
        return value.upper()
    findings.add(path, "invalid_colour", "A colour is written #RRGGBB.")
    return None


COLOUR = Check(_check_colour, {"type": "string", "pattern": f"^{_COLOUR.pattern}$"})


def or_none(checked: Check) -> Check:
    """Return the check of a value that may also be None."""

    def check(value: Any, path: str, findings: Findings) -> Any:
        return None if value is None else checked.check(value, path, findings)

    return Check(check, checked.schema | {"type": [checked.schema["type"], "null"]})


def object_with(title: str, fields: Fields) -> Check:
    """Return the check of an object with these fields and no others; missing ones get their defaults.

    `title` is the name of its schema.

    A field that is itself an object has no default in the schema, as its own fields have theirs, and is required
    there as soon as one of its own fields is.
    """

    def check(value: Any, path: str, findings: Findings) -> dict[str, Any]:
        if not isinstance(value, dict):
            findings.add(path, "invalid_type", "This is an object.")
            return {}
        for name in value:
            if name not in fields:
                findings.add(f"{path}.{name}", "unknown_field", "There is no such field here.")
        result = {}
        for name, (checked, default) in fields.items():
            if name not in value and default is REQUIRED:
                findings.add(f"{path}.{name}", "required", "This field is missing.")
            else:
                result[name] = checked.check(value.get(name, default), f"{path}.{name}", findings)
        return result

    return Check(check, {"title": title, **_object_schema(fields)})


def _object_schema(fields: Fields) -> dict[str, Any]:
    properties, required = {}, []
    for name, (checked, default) in fields.items():
        has_default = default is not REQUIRED and checked.schema.get("type") != "object"
        properties[name] = checked.schema | ({"default": default} if has_default else {})
        if default is REQUIRED or "required" in checked.schema:
            required.append(name)
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})
