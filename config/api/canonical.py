"""The canonical form of JSON (RFC 8785), for large values.

The library writes value by value and replaces escapes one by one: half a second for a transcript, 3 s for 16 MiB of
backslashes. What differs from Python's own encoder are numbers with a fraction and the order of keys beyond ASCII.
"""

from __future__ import annotations

import json
from typing import Any

import rfc8785

_MAX_INT = 2**53 - 1
_LEAVES = (str, bool, type(None))


def canonical_json(value: Any) -> bytes:
    """Return the bytes that `rfc8785.dumps` returns; raises its CanonicalizationError."""
    if _is_plain(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return _written(value)


def _is_plain(value: Any) -> bool:
    """Return whether it holds no number with a fraction, none beyond 2^53, and no key beyond ASCII."""
    layer = [value]
    while layer:
        inner: list[Any] = []
        for each in layer:
            kind = type(each)
            if kind is dict and "".join(each).isascii():
                inner += each.values()
            elif kind is list:
                inner += each
            elif kind not in _LEAVES and not (kind is int and -_MAX_INT <= each <= _MAX_INT):
                return False
        layer = inner
    return True


def _written(value: Any) -> bytes:
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False).encode()
    if type(value) is list:
        return b"[%b]" % b",".join(map(_written, value))
    if type(value) is dict:
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16be"))
        return b"{%b}" % b",".join(b"%b:%b" % (_written(name), _written(inner)) for name, inner in pairs)
    return rfc8785.dumps(value)
