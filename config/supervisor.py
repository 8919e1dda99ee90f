"""Keep the processes of `serve` running: one that ends is started again, and costs the others nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from honcho.colour import get_colours
from honcho.printer import Message, Printer

START_SECONDS = 10  # what ends by itself before has not started
MAX_DELAY = (
    30  # seconds before another start; the first is 1, and it doubles until one has run for START_SECONDS
)
MAX_FAILED_STARTS = 5  # in a row
FOLLOW_SECONDS = 30  # after which the later ones are started all the same
FOLLOW_POLL_SECONDS = 0.05
STOP_SECONDS = 10  # that processes have to end when they are asked to
OURS = "system"
# Runs the program in its arguments, which is asked to end (SIGTERM) when its supervisor, whose number comes first, is
# gone. It says so itself, before it begins: code between fork() and exec() of a process with threads may hang.
BOUND = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class CannotStart(Exception):
    """It could not be started; the sentence says why."""


class Supervised(Protocol):
    name: str

    def run(self, say: Callable[[str], None]) -> int:
        """Start it, and return when it has ended: its exit status, negative when a signal ended it.

        Raise CannotStart. What it prints goes to `say`.
        """

    def stop(self, number: signal.Signals) -> None:
        """Ask it to end (SIGTERM), or end it (SIGKILL)."""


class Process:
    """A process, and those that it starts: it leads a session, so that all can be ended together.

    It is asked to end when the thread that called `run` ends, so also when this process is killed. Its temporary
    files go to `scratch`, which is emptied before each start: one that is killed cannot remove its own.
    """

    def __init__(
        self, name: str, command: list[str], *, env: dict[str, str], cwd: str, scratch: Path
    ) -> None:
        self.name, self.command, self.cwd, self.scratch = name, command, cwd, scratch
        self.env = {**env, "TMPDIR": str(scratch)}
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, say: Callable[[str], None]) -> int:
        self._empty_scratch()
        process = self._running = subprocess.Popen(  # our own programs  # nosec B603
            [sys.executable, "-S", "-c", BOUND, str(os.getpid()), *self.command],
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            printing = threading.Thread(target=self._print, args=(process, say), daemon=True)
            printing.start()
            status = process.wait()
        finally:
            self._kill_session(process)  # its children, which would keep its port
        printing.join(1)
        self._empty_scratch()
        return status

    def _empty_scratch(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.scratch.parent, self.scratch):
            folder.mkdir(mode=0o700, exist_ok=True)

    def _print(self, process: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
        for line in process.stdout or ():
            say(line.decode(errors="replace"))

    def stop(self, number: signal.Signals) -> None:
        process = self._running
        if process is None or process.returncode is not None:
            return
        if number == signal.SIGKILL:
            self._kill_session(process)
        else:
            process.send_signal(number)  # it asks its children itself, in its order

    def _kill_session(self, process: subprocess.Popen[bytes]) -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # all have ended


class Supervisor:
    """Runs each of `supervised` in a thread of its own until it is stopped, or until one cannot start.

    Those of `later` are started when `may_follow` says so, or after FOLLOW_SECONDS: what is asked for first has the
    processors for itself until then.
    """

    def __init__(
        self,
        supervised: list[Supervised],
        printer: Printer,
        *,
        later: Sequence[Supervised] = (),
        may_follow: Callable[[], bool] = lambda: True,
    ) -> None:
        self.first, self.later, self.may_follow = supervised, later, may_follow
        self.supervised = [*supervised, *later]
        self.printer = printer
        self.printer.width = max(len(name) for name in [OURS, *(one.name for one in self.supervised)])
        self._colours = dict(zip([one.name for one in self.supervised], get_colours(), strict=False))
        self._printing = threading.Lock()
        self._stopping = threading.Event()
        self._gave_up = ""
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start those that do not come later."""
        self._threads = [self._start(one) for one in self.first]

    def loop(self) -> str:
        """Return when all have ended: "" when `stop` was called, else the name of the one that could not start."""
        if not self._threads:
            self.start()
        if self.later and self._wait_to_follow():
            self._threads += [self._start(one) for one in self.later]
        self._stopping.wait()
        self._say(OURS, "stopping")
        deadline = time.monotonic() + STOP_SECONDS
        for number, until in ((signal.SIGTERM, deadline), (signal.SIGKILL, deadline + 5)):
            for one in self.supervised:
                one.stop(number)
            for thread in self._threads:
                thread.join(max(0, until - time.monotonic()))
        return self._gave_up

    def stop(self) -> None:
        self._stopping.set()

    def _start(self, one: Supervised) -> threading.Thread:
        thread = threading.Thread(target=self._keep, args=(one,), daemon=True)
        thread.start()
        return thread

    def _wait_to_follow(self) -> bool:
        """Wait until the later ones may be started; return whether they are still to be."""
        deadline = time.monotonic() + FOLLOW_SECONDS
        while not (self._stopping.is_set() or self.may_follow() or time.monotonic() > deadline):
            self._stopping.wait(FOLLOW_POLL_SECONDS)
        return not self._stopping.is_set()

    def _keep(self, one: Supervised) -> None:
        delay, failed_starts = 1, 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                status = one.run(lambda line: self._say(one.name, line))
                # One that was killed had started; it may be killed again and again.
                has_started = status < 0 or time.monotonic() - began >= START_SECONDS
                self._say(OURS, f"{one.name} ended (status {status})")
            except (CannotStart, OSError) as error:
                has_started = False
                self._say(OURS, f"{one.name} could not start: {error}")
            except Exception:  # else this thread ended, and nobody would start it again
                has_started = False
                self._say(OURS, f"{one.name} could not start:\n{traceback.format_exc()}")
            failed_starts = 0 if has_started else failed_starts + 1
            if failed_starts == MAX_FAILED_STARTS:
                self._gave_up = one.name
                self.stop()
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= START_SECONDS:
                delay = 1
            self._say(OURS, f"starting {one.name} again in {delay} s")
            self._stopping.wait(delay)
            delay = min(delay * 2, MAX_DELAY)

    def _say(self, name: str, line: str) -> None:
        message = Message("line", line, datetime.now(), name, self._colours.get(name))
        with self._printing:
            try:
                self.printer.write(message)
            except (OSError, ValueError):  # nobody reads it any more, or it cannot be said in that encoding
                return
