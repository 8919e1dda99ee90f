"""Engines that misbehave, for the tests of the child processes."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refused(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Facts:
    pid: int
    calls: tuple[int, ...]


@dataclass(frozen=True)
class Forbidden:
    text: str


_seen: list[int] = []


def facts(number: int = 0) -> Facts:
    _seen.append(number)
    return Facts(os.getpid(), tuple(_seen))


def echo(value: Any) -> Any:
    return value


def refuse() -> None:
    raise Refused("NOT_SO", "It is not so.")


def break_down(*_: object) -> None:
    raise KeyError("a defect of ours")


def read_badly(text: str) -> None:
    try:
        raise ValueError(f"odd: {text}")
    except ValueError as error:
        raise KeyError(text) from error


def crash_reading(text: str) -> None:
    """What a native library does that tells what it read, before it crashes."""
    os.write(2, f"odd title: {text}\n".encode())
    os.abort()


def miss_file(text: str) -> None:
    raise OSError(errno.ENOENT, text)


def inside() -> dict[str, Any]:
    """What a child has: its environment, files, folder, limits and group."""
    files = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            files[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # that of the listing itself
    return {
        "environment": dict(os.environ),
        "files": files,
        "folder": os.getcwd(),
        "is_leader": os.getsid(0) == os.getpid(),
    }


def loop() -> None:
    while True:
        pass


def loop_in_native_code() -> None:
    """A second of processor time at a time without the interpreter's lock being given: a quadratic search."""
    import re

    re.compile(r"(a+)+b").match("a" * 60)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def be_silent(seconds: float) -> None:
    """Close stderr, and take some time."""
    os.close(2)
    time.sleep(seconds)


def eat_memory() -> None:
    held = []
    while True:
        held.append(bytearray(8 * 2**20))


def eat_memory_in_native_code() -> None:
    """What a C++ library does that finds no memory."""
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def eat_memory_in_rust() -> None:
    os.write(2, b"memory allocation of 4294967296 bytes failed\n")
    os.abort()


def abort() -> None:
    os.abort()


def leave(status: int) -> None:
    os._exit(status)


def segfault() -> None:
    ctypes.string_at(0)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def flood(megabytes: int) -> str:
    for _ in range(megabytes):
        sys.stdout.write("x" * 2**20)
        sys.stderr.write("y" * 2**20)
    os.write(1, b"z" * 2**20)
    return "done"


def forbidden() -> Forbidden:
    return Forbidden("text")


def forge(answer: bytes) -> None:
    """Write to the answers' pipe, as a child does that was taken over."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.write(int(name), answer)
            except OSError:
                continue
    time.sleep(60)


def close_everything() -> None:
    os.closerange(0, 256)
    time.sleep(60)


def write_file(path: str, size: int) -> None:
    with open(path, "wb") as file:
        file.write(b"x" * size)


def report(shares: list[float], on_progress: Callable[[float], None]) -> str:
    for share in shares:
        on_progress(share)
    return "done"


def report_and_loop(on_progress: Callable[[float], None]) -> None:
    on_progress(0.5)
    loop()


def spawn_and_loop() -> None:
    import subprocess

    subprocess.Popen(["sleep", "120"])
    loop()


def spend(seconds: float) -> Facts:
    """Use so much processor time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return Facts(os.getpid(), ())


def call_it_damaged() -> None:
    """What a reader does that takes a lack of memory for a defect of the file."""
    try:
        bytearray(2**40)
    except MemoryError as error:
        raise Refused("DAMAGED", "The file is damaged.") from error


def sleep_long() -> None:
    time.sleep(120)


def be_idle() -> None:
    pass


def measured(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, float, int]:
    """Return what an engine returns, its processor time in seconds, and the largest memory of the child in MiB."""
    begun = time.process_time()
    value = function(*args, **kwargs)
    seconds = time.process_time() - begun
    # Not ru_maxrss, which begins with what the parent had.
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM:"))
    return value, seconds, int(peak.split()[1]) // 1024


class Whatever:
    """An engine of another, whatever it is called with."""

    def __init__(self, engine: Callable[[], Any]) -> None:
        self.engine = engine
        self.__module__, self.__qualname__ = engine.__module__, engine.__qualname__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.engine()
