"""A child process, seen from its parent: it is started, given a request, listened to, and ended."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from config.sandbox.errors import OUT_OF_MEMORY, TOO_COMPLEX, WORKER_CRASHED, SandboxError
from config.sandbox.wire import AnswerReader, ForgedAnswer

TICK_SECONDS = 0.25  # how often the caller is asked whether it still wants the result
WORKING_SHARE = 0.5  # of its time that a child uses the processor, which is not only waiting
_CHUNK = 2**20
_TAIL_BYTES = 8192
_ENDING_SECONDS = 1.0
_ROOT = Path(__file__).parents[2]
# STEPWRIGHT_SERVED_FROM is how `serve` finds what a run that was killed has left behind. Everything else, above all
# what holds secrets, stays here.
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "STEPWRIGHT_SERVED_FROM"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),  # of a bucket that is read by ranges
)
# The last words of programs that could not get memory: Rust, C++, Python, and C programs by strerror().
_NO_MEMORY = (b"memory allocation of", b"std::bad_alloc", b"MemoryError", b"Cannot allocate memory")


class Vanished(Exception):
    """The child had ended before it began with the request, for reasons of its own: it was idle for too long."""


class Child:
    """A running child. It ends with this object, if not before by `end`."""

    def __init__(self) -> None:
        self.calls = 0
        folder = tempfile.mkdtemp(prefix="stepwright-child-")
        try:
            self._process = subprocess.Popen(  # our own program  # nosec B603
                [sys.executable, "-m", "config.sandbox.child", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.pid = self._process.pid
        for pipe in self._pipes():
            os.set_blocking(pipe.fileno(), False)
        self._tail = b""
        self._is_silent = False  # it has closed its stderr
        # Whoever loses the object, an exception that another thread raised in the caller included, ends the child.
        self._finalizer = weakref.finalize(self, _end, self._process, folder, os.getpid())

    def _pipes(self) -> list[Any]:
        return [self._process.stdin, self._process.stdout, self._process.stderr]

    def forget(self) -> None:
        """Close the pipes of a child that is another process's, from which this one was forked."""
        self._finalizer.detach()
        for pipe in self._pipes():
            pipe.close()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """Kill it, with whatever it started, and wait for its end."""
        self._finalizer()

    def answers(
        self,
        request: bytes,
        classes: Iterable[type],
        *,
        max_bytes: int,
        wall_seconds: float,
        check: Callable[[], object],
    ) -> Iterator[dict[str, Any]]:
        """Send the request and yield what comes back, until the caller has what it waits for.

        `check` is called at least every half second. Raise Vanished, SandboxError, and whatever `check` raises.
        """
        self.calls += 1
        reader, unsent, has_begun = AnswerReader(classes, max_bytes=max_bytes), memoryview(request), False
        deadline, spent = time.monotonic() + wall_seconds, self._processor_seconds()
        while True:
            try:
                unsent, is_open = self._exchange(unsent, reader)
                while answer := reader.next():
                    has_begun = True
                    yield answer
            except ForgedAnswer as error:
                raise SandboxError(WORKER_CRASHED, detail=f"a forged answer: {error}") from error
            if not is_open:
                raise self._why_it_ended(has_begun) if has_begun or self.calls == 1 else Vanished
            if time.monotonic() > deadline:
                # One that has waited for most of its time waited for a storage or a busy machine: not the file's fault.
                has_waited = self._processor_seconds() - spent < WORKING_SHARE * wall_seconds
                raise SandboxError(TOO_COMPLEX, may_pass=has_waited, detail=f"over {wall_seconds:.0f} s")
            check()

    def _processor_seconds(self) -> float:
        """Return what all its threads have used so far; 0 if it has ended."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def _exchange(self, unsent: memoryview, reader: AnswerReader) -> tuple[memoryview, bool]:
        """Move what can be moved within a tick; return what is still unsent, and whether the child still answers."""
        requests, answers, errors = (pipe.fileno() for pipe in self._pipes())
        poll = select.poll()
        poll.register(answers, select.POLLIN)
        if not self._is_silent:
            poll.register(errors, select.POLLIN)
        if unsent:
            poll.register(requests, select.POLLOUT)
        for pipe, _ in poll.poll(TICK_SECONDS * 1000):
            if pipe == requests:
                try:
                    unsent = unsent[os.write(requests, unsent[:_CHUNK]) :]
                except BrokenPipeError:
                    return unsent, False
            elif piece := os.read(pipe, _CHUNK):
                if pipe == answers:
                    reader.feed(piece)
                else:
                    self._tail = (self._tail + piece)[-_TAIL_BYTES:]
            elif pipe == answers:
                return unsent, False
            else:
                self._is_silent = True  # else the poll would return at once, again and again
        return unsent, True

    def _why_it_ended(self, has_begun: bool) -> SandboxError:
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._pipes()[2].fileno(), _CHUNK):
                self._tail = (self._tail + piece)[-_TAIL_BYTES:]
        try:
            status = self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:  # it closed its pipes and goes on
            return SandboxError(WORKER_CRASHED, detail="it closed its pipes")
        detail = f"status {status}: {self._tail.decode(errors='replace')}"
        if status == -signal.SIGXCPU:
            return SandboxError(TOO_COMPLEX, detail="over its processor time")
        if any(words in self._tail for words in _NO_MEMORY):
            return SandboxError(OUT_OF_MEMORY, detail=detail)
        # Nobody of ours sends SIGKILL and waits for an answer: it was the system, short of memory, or an operator.
        was_killed = status == -signal.SIGKILL
        return SandboxError(WORKER_CRASHED, detail=detail, may_pass=was_killed or not has_begun)


def _environment(folder: str) -> dict[str, str]:
    passed_on = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    ours = {"PYTHONPATH": str(_ROOT), "TMPDIR": folder, "HOME": folder, "MALLOC_ARENA_MAX": "2"}
    return {"OMP_NUM_THREADS": "2", **passed_on, **ours}


def _end(process: subprocess.Popen[bytes], folder: str, owner: int) -> None:
    if os.getpid() != owner:
        return
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
    shutil.rmtree(folder, ignore_errors=True)
