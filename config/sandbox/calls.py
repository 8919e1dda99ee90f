"""Call an engine in a child."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from config.sandbox.errors import OUT_OF_MEMORY, TOO_COMPLEX, ChildFailed, SandboxError
from config.sandbox.limits import Limits
from config.sandbox.pool import pool
from config.sandbox.process import Child, Vanished
from config.sandbox.wire import MAX_BESIDE_BYTES, Request, name_of, write_request

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def call(
    function: Callable[..., Result],
    *args: Any,
    limits: Limits,
    returns: tuple[type, ...] = (),
    raises: tuple[type[Exception], ...] = (),
    on_progress: Callable[[float], object] | None = None,
    check: Callable[[], object] = lambda: None,
    **kwargs: Any,
) -> Result:
    """Return what a function of a module returns for these arguments, called in a child within the limits.

    The result is of plain values and of the dataclasses and named tuples in `returns`. Exceptions of `raises` are
    raised as they were in the child, with their attributes, and so is OSError; others as ChildFailed.
    With `on_progress`, the function is given one, and what it reports is reported here. `check` is called at least
    every half second. When one of the two raises, or another thread raises something in this one, the child is
    killed: so it ends even in native code.

    Raise SandboxError when a limit or a crash ended the child.
    """
    pickled = pickle.dumps((function, args, kwargs), protocol=5)
    request = write_request(Request(limits, wants_progress=on_progress is not None, call=pickled))

    def ask(child: Child) -> dict[str, Any]:
        return _last_answer(child, request, limits, returns, on_progress, check)

    try:
        with pool().place(check):
            answer = _ask_one(function.__module__, ask, raises)
    except SandboxError as error:
        log.warning(
            "the child that ran %s.%s was ended: %s", function.__module__, function.__qualname__, error
        )
        raise
    if answer["kind"] == "returned":
        result: Result = answer["value"]
        return result
    raise _error(answer, raises)


def _ask_one(
    module: str, ask: Callable[[Child], dict[str, Any]], raises: tuple[type[Exception], ...]
) -> dict[str, Any]:
    """Return a child's answer. Only one that has done well is kept for the next call."""
    while True:
        child = pool().take(module)
        try:
            answer = ask(child)
        except Vanished:
            child.end()
        except BaseException:
            child.end()
            raise
        else:
            break
    did_well = _listed(answer, raises) if answer["kind"] == "raised" else answer["kind"] == "returned"
    if did_well and not answer["is_large"]:
        pool().give_back(module, child)
    else:
        child.end()
    return answer


def _last_answer(
    child: Child,
    request: bytes,
    limits: Limits,
    returns: tuple[type, ...],
    on_progress: Callable[[float], object] | None,
    check: Callable[[], object],
) -> dict[str, Any]:
    answers = child.answers(
        request,
        returns,
        max_bytes=min(limits.memory_bytes, MAX_BESIDE_BYTES),
        wall_seconds=limits.wall_seconds,
        check=check,
    )
    for answer in answers:
        if answer["kind"] == "progress" and on_progress:
            on_progress(answer["share"])
        elif answer["kind"] != "started":
            return answer
    raise AssertionError("answers() ends by raising")


def _error(answer: Mapping[str, Any], raises: tuple[type[Exception], ...]) -> Exception:
    if answer["kind"] == "out_of_memory":
        return SandboxError(OUT_OF_MEMORY)
    if answer["kind"] == "file_too_large":
        return SandboxError(TOO_COMPLEX, detail="over the size of a file")
    if class_ := _listed(answer, raises):
        error = class_.__new__(class_, *answer["args"])
        error.args = answer["args"]
        error.__dict__.update(answer["attributes"])
        return error
    if answer["errno"] is not None:
        return OSError(answer["errno"], os.strerror(answer["errno"]))  # its own words may be out of the file
    return ChildFailed(answer["trace"])


def _listed(answer: Mapping[str, Any], raises: tuple[type[Exception], ...]) -> type[Exception] | None:
    known = {name_of(class_): class_ for class_ in raises}
    return next((known[name] for name in answer["classes"] if name in known), None)
