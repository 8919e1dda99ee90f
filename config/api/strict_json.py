"""JSON by the rules of the contract: UTF-8, one object, no NUL, no lone surrogate, no NaN."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 64
MAX_VALUES = 500_000
"""The number of values in a body, some 2 us each to read and 70 bytes to hold: 100,000 segments are 400,000."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class NotStrictJson(ValueError):
    """The bytes are not such an object; the sentence says why, and may be read by a client."""


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in the bytes; raise NotStrictJson. An empty body is an empty object."""
    if not raw:
        return {}
    if _has_too_many(raw):
        raise NotStrictJson(f"The body holds more than {MAX_VALUES:,} values.")
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NotStrictJson("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise NotStrictJson("The body must be a JSON object.")
    if _is_deeper_than(value, MAX_DEPTH):
        raise NotStrictJson(f"The body is nested more than {MAX_DEPTH} deep.")
    if "\\u" in text:  # NUL and lone surrogates are only possible as escapes
        try:
            clean = "\0" not in _all_text(value)
        except UnicodeEncodeError as error:
            raise NotStrictJson("The body holds a lone surrogate.") from error
        if not clean:
            raise NotStrictJson("The body holds a NUL character.")
    return value


def _has_too_many(raw: bytes) -> bool:
    """Return whether there are more than MAX_VALUES. Commas in strings do not count, if there are not too many strings
    to take out."""
    if raw.count(b'"') > 4 * MAX_VALUES:
        return True
    return _counted(raw) > MAX_VALUES and _counted(_STRING.sub(b"", raw)) > MAX_VALUES


def _counted(raw: bytes) -> int:
    """Return a number of values that JSON has no more of, and as little as half of it; found in a millisecond a MiB."""
    return 1 + raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _is_deeper_than(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested more than `levels` deep."""
    layer = [value]
    for _ in range(levels):
        layer = [
            child
            for outer in layer
            for child in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(child, (dict, list))
        ]
        if not layer:
            return False
    return True


def _all_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    text.encode("utf-8")
    return "\0" if "\\u0000" in text.replace("\\\\", "") else ""


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
