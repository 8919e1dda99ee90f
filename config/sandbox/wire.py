"""What goes through the pipes between a process and its child.

Requests are pickled: the parent is trusted. Answers are not, as a child that was taken over by a hostile file could
run code in the parent by them, or make it allocate any amount of memory by a forged memo index, whatever classes
the unpickler is restricted to. An answer is JSON, with bytes beside it, and holds plain values and the classes that
the call names.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from config.sandbox.limits import Limits

_SHAPES: dict[str, dict[str, tuple[type, ...]]] = {
    "started": {},
    "progress": {"share": (float,)},
    "returned": {"value": (object,), "is_large": (bool,)},
    "raised": {
        "classes": (list,),
        "errno": (int, type(None)),
        "trace": (str,),
        "is_large": (bool,),
        "args": (tuple,),
        "attributes": (dict,),
    },
    "out_of_memory": {},
    "file_too_large": {},
}

_REQUEST = struct.Struct(">Q")
_ANSWER = struct.Struct(">IQ")  # the lengths of the JSON and of the bytes beside it
MAX_JSON_BYTES = 64 * 2**20
MAX_BESIDE_BYTES = (
    256 * 2**20
)  # more than any picture or document; the parent has no limit of memory of its own


class ForgedAnswer(ValueError):
    """An answer that no honest child sends."""


@dataclasses.dataclass(frozen=True)
class Request:
    """`call` is pickled apart, so that it is read under the limits: function, arguments, keyword arguments."""

    limits: Limits
    wants_progress: bool
    call: bytes


def write_request(request: Request) -> bytes:
    pickled = pickle.dumps(request, protocol=5)
    return _REQUEST.pack(len(pickled)) + pickled


def read_request(read: Callable[[int], bytes]) -> Request | None:
    """Return the next request; None at the end. `read` returns at most so many bytes, none at the end."""
    head = _read_exactly(read, _REQUEST.size)
    pickled = head and _read_exactly(read, _REQUEST.unpack(head)[0])
    if not pickled:
        return None
    request: Request = pickle.loads(pickled)  # of the parent, which is trusted  # nosec B301
    return request


def _read_exactly(read: Callable[[int], bytes], size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        piece = read(size - len(found))
        if not piece:
            return None
        found += piece
    return bytes(found)


def write_answer(kind: str, **content: Any) -> list[bytes]:
    """Return the pieces of an answer; raise TypeError for a value that is neither plain nor of a dataclass."""
    beside: list[bytes] = []
    text = json.dumps({"kind": kind, **{name: _plain(value, beside) for name, value in content.items()}})
    encoded = text.encode("ascii")
    if len(encoded) > MAX_JSON_BYTES:
        raise TypeError("the result is too large")
    return [_ANSWER.pack(len(encoded), sum(map(len, beside))) + encoded, *beside]


def _plain(value: Any, beside: list[bytes]) -> Any:
    match value:
        case None | bool() | float():
            return value
        # Not subclasses: an enum's member is no plain value.
        case str() | int() if type(value) in (str, int):
            return value
        case bytes():
            beside.append(value)
            return {"bytes": len(value)}
        case list():
            return [_plain(item, beside) for item in value]
        case tuple() if type(value) is tuple:
            return {"tuple": [_plain(item, beside) for item in value]}
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("a key is no text")
            return {"dict": {key: _plain(item, beside) for key, item in value.items()}}
    return {"class": name_of(type(value)), "of": [_plain(item, beside) for item in _fields(value)]}


def _fields(value: Any) -> Iterable[Any]:
    """Return the values of a dataclass or a named tuple, in order."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return value
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    raise TypeError(f"a {name_of(type(value))} cannot be returned from a child")


def name_of(class_: type) -> str:
    return f"{class_.__module__}:{class_.__qualname__}"


class AnswerReader:
    """Puts answers together from the bytes that come in, at most `max_bytes` each."""

    def __init__(self, classes: Iterable[type], *, max_bytes: int) -> None:
        self._classes = {name_of(class_): class_ for class_ in classes}
        self._max_bytes = max_bytes
        self._held = bytearray()

    def feed(self, piece: bytes) -> None:
        self._held += piece

    def next(self) -> dict[str, Any] | None:
        """Return the next answer, None while it is not complete; raise ForgedAnswer."""
        if len(self._held) < _ANSWER.size:
            return None
        text_size, beside_size = _ANSWER.unpack_from(self._held)
        if text_size > MAX_JSON_BYTES or beside_size > self._max_bytes:
            raise ForgedAnswer("too large")
        begin, end = _ANSWER.size + text_size, _ANSWER.size + text_size + beside_size
        if len(self._held) < end:
            return None
        try:
            parsed = json.loads(self._held[_ANSWER.size : begin])
            with memoryview(self._held) as view, view[begin:end] as beside:
                cursor = _Cursor(beside)
                answer = {name: self._value(item, cursor) for name, item in parsed.items()}
        except ForgedAnswer:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ForgedAnswer(type(error).__name__) from error
        del self._held[:end]
        shape = _SHAPES.get(str(answer.get("kind")))
        if shape is None or not all(isinstance(answer.get(name), shape[name]) for name in shape):
            raise ForgedAnswer("an unknown kind of answer")
        return answer

    def _value(self, value: Any, beside: _Cursor) -> Any:
        if isinstance(value, list):
            return [self._value(item, beside) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"bytes": int(size)}:
                return beside.take(size)
            case {"tuple": list(items)}:
                return tuple(self._value(item, beside) for item in items)
            case {"dict": dict(items)}:
                return {key: self._value(item, beside) for key, item in items.items()}
            case {"class": str(name), "of": list(items)}:
                if name not in self._classes:
                    raise ForgedAnswer(f"a {name[:100]!a}, which is not expected")
                return self._classes[name](*(self._value(item, beside) for item in items))
        raise ForgedAnswer("an unknown kind of value")


class _Cursor:
    """The bytes beside an answer, taken in order."""

    def __init__(self, beside: memoryview) -> None:
        self._beside, self._at = beside, 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._beside) - self._at:
            raise ForgedAnswer("fewer bytes than it says")
        self._at += size
        return bytes(self._beside[self._at - size : self._at])
