"""The child process: performs one request after another until its pipe ends. Started by `config.sandbox.process`."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import gc
import math
import os
import pickle
import resource
import select
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from config.sandbox.limits import Limits
from config.sandbox.wire import Request, name_of, read_request, write_answer

IDLE_SECONDS = 300.0  # then it ends
PAUSE_SECONDS = 0.05  # then it gives memory back
MAX_OPEN_FILES = 128
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
_MAX_TRACE_CHARACTERS = 20_000
_libc = ctypes.CDLL(None, use_errno=True)


def main(parent: int) -> None:
    os.umask(0o077)  # libraries write into the child's folder
    requests, answers = _take_pipes()
    _bind_to(parent)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _be_first_to_go()
    faulthandler.enable()
    while select.select([requests], [], [], IDLE_SECONDS)[0]:
        request = read_request(lambda size: os.read(requests, size))
        if request is None:
            break
        _send(answers, write_answer("started"))
        _send(answers, _perform(request, answers))
        if not select.select([requests], [], [], PAUSE_SECONDS)[0]:
            _tidy()
    os._exit(0)  # not by the interpreter's end, for which libraries' threads may let it wait


def _take_pipes() -> tuple[int, int]:
    """Return the pipes under numbers of their own. What engines print goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return requests, answers


def _bind_to(parent: int) -> None:
    """Die with the parent, even in the middle of native code."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os._exit(0)


def _be_first_to_go() -> None:
    """Let the system end this process before any other when memory is short (proc(5), oom_score_adj)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _limit(kind: int, value: float) -> None:
    """Set a limit as far as the one that cannot be raised allows."""
    hard = resource.getrlimit(kind)[1]
    soft = math.ceil(value)
    resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _perform(request: Request, answers: int) -> list[bytes]:
    _limit_call(request.limits)
    try:
        function, args, kwargs = pickle.loads(request.call)  # of the parent, which is trusted  # nosec B301
        if request.wants_progress:
            kwargs["on_progress"] = lambda share: _send(answers, write_answer("progress", share=float(share)))
        return write_answer("returned", value=function(*args, **kwargs), is_large=_is_large(request.limits))
    except BaseException as error:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(
            resource.RLIMIT_AS, (hard, hard)
        )  # what filled the memory is held by the traceback
        return _failure(error, request.limits)


def _limit_call(limits: Limits) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, used.ru_utime + used.ru_stime + limits.cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)


def _failure(error: BaseException, limits: Limits) -> list[bytes]:
    causes = list(_causes(error))
    if any(isinstance(cause, MemoryError) for cause in causes):
        return write_answer("out_of_memory")
    if any(isinstance(cause, OSError) and cause.errno == errno.EFBIG for cause in causes):
        return write_answer("file_too_large")
    facts = {
        "classes": [name_of(class_) for class_ in type(error).__mro__],
        "errno": error.errno if isinstance(error, OSError) else None,
        "is_large": _is_large(limits),
        "trace": "\n".join(line for cause in causes for line in _trace(cause))[:_MAX_TRACE_CHARACTERS],
    }
    with contextlib.suppress(TypeError):
        return write_answer("raised", **facts, args=error.args, attributes=vars(error))
    return write_answer("raised", **facts, args=(str(error),), attributes={})


def _trace(error: BaseException) -> Iterator[str]:
    """Yield the class of an exception and the lines that it passed: not its message, nor any value, for it goes to
    the log, and both may be text out of a file."""
    yield name_of(type(error))
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, or while handling: a reader that runs out of memory may
    call the file damaged."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__]


def _is_large(limits: Limits) -> bool:
    """Return whether so much is held that the next call would lack room."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    return pages * resource.getpagesize() > limits.memory_bytes // 2


def _send(answers: int, pieces: list[bytes]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(answers, view) :]


def _tidy() -> None:
    """Give memory back, which takes some milliseconds."""
    gc.collect()
    trim: Any = getattr(_libc, "malloc_trim", None)  # glibc only
    if trim:
        trim(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
