"""Processes that end are started again, with growing delays; one that cannot start stops all. Real ones: tests/soak."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from honcho.printer import Printer

from config import supervisor
from config.supervisor import CannotStart, Process, Supervised, Supervisor

SLEEPS = "import time; print('here', flush=True); time.sleep(60)"


def process(name: str, code: str, cwd: Path) -> Process:
    return Process(name, [sys.executable, "-c", code], env={}, cwd=str(cwd), scratch=cwd / "tmp" / name)


@contextmanager
def supervising(*supervised: Supervised, **options: Any) -> Iterator[tuple[Supervisor, io.StringIO]]:
    output = io.StringIO()
    running = Supervisor(list(supervised), Printer(output, colour=False), **options)
    thread = threading.Thread(target=running.loop)
    thread.start()
    try:
        yield running, output
    finally:
        running.stop()
        thread.join(20)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_that_is_killed_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    one, other = process("one", SLEEPS, tmp_path), process("other", SLEEPS, tmp_path)
    with supervising(one, other) as (_, output):
        wait_until(lambda: output.getvalue().count("| here") == 2)
        first, unharmed = one._running, other._running
        assert first and unharmed
        first.kill()
        wait_until(lambda: output.getvalue().count("one    | here") == 2)
        assert unharmed.poll() is None
        assert "one ended (status -9)" in output.getvalue()
    assert one._running and one._running.poll() is not None
    assert unharmed.poll() == -signal.SIGTERM


def test_what_a_killed_process_had_started_is_ended_with_it(tmp_path: Path) -> None:
    parent = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])\n"
    parent += "print('child', p.pid, flush=True); p.wait()"
    with supervising(process("parent", parent, tmp_path)) as (running, output):
        wait_until(lambda: "child" in output.getvalue())
        child = psutil.Process(int(output.getvalue().split("child")[1].split()[0]))
        first = running.supervised[0]
        assert isinstance(first, Process) and first._running
        first._running.kill()
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_what_a_killed_process_left_in_its_temporary_folder_is_removed(tmp_path: Path) -> None:
    leaves = "import os, tempfile; d = tempfile.mkdtemp(); print(len(os.listdir(tempfile.gettempdir())), 'in', end=' ')"
    one = process("one", f"{leaves}; print(oct(os.stat(tempfile.gettempdir()).st_mode)); {SLEEPS}", tmp_path)
    with supervising(one) as (_, output):
        wait_until(lambda: output.getvalue().count("| here") == 1)
        assert one._running
        one._running.kill()
        wait_until(lambda: output.getvalue().count("| here") == 2)
        assert output.getvalue().count("1 in 0o40700") == 2
    assert not list(one.scratch.iterdir())


class Scripted:
    """Ends at once, each time with the next of these outcomes; then it runs until it is stopped."""

    name = "scripted"

    def __init__(self, *outcomes: int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.began: list[float] = []
        self.stopped = threading.Event()

    def run(self, say: Callable[[str], None]) -> int:
        self.began.append(time.monotonic())
        if not self.outcomes:
            self.stopped.wait(20)
            return 0
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stop(self, number: signal.Signals) -> None:
        self.stopped.set()


class Hurried(threading.Event):
    """Lets no time pass, and writes down how much would have."""

    waited: list[float]

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        self.waited.append(timeout)
        return self.is_set()


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays before each start, which pass at once."""
    monkeypatch.setattr(Hurried, "waited", [], raising=False)
    made = Supervisor.__init__

    def hurried(self: Supervisor, supervised: list[Supervised], printer: Printer, **options: Any) -> None:
        made(self, supervised, printer, **options)
        self._stopping = Hurried()

    monkeypatch.setattr(Supervisor, "__init__", hurried)
    return Hurried.waited


def test_serve_gives_up_when_one_cannot_start_five_times_in_a_row(delays: list[float]) -> None:
    outcomes: list[int | Exception] = [1, CannotStart("no"), 1, 0, FileNotFoundError(2, "No such file")]
    never = Scripted(*outcomes)
    output = io.StringIO()
    assert Supervisor([never], Printer(output, colour=False)).loop() == "scripted"
    assert len(never.began) == 5 and delays == [1, 2, 4, 8]
    assert "scripted could not start: no" in output.getvalue()


def test_an_error_that_nobody_expects_is_a_failed_start(delays: list[float]) -> None:
    broken = Scripted(AssertionError("of the wheel"), RuntimeError("another"))
    with supervising(broken) as (_, output):
        wait_until(lambda: len(broken.began) == 3)
    assert "Traceback" in output.getvalue() and "AssertionError: of the wheel" in output.getvalue()


def test_the_later_ones_are_started_when_the_first_one_answers(tmp_path: Path) -> None:
    first, later, answers = Scripted(), process("later", SLEEPS, tmp_path), threading.Event()
    asked = threading.Event()

    def may_follow() -> bool:
        asked.set()
        return answers.is_set()

    with supervising(first, later=[later], may_follow=may_follow) as (_, output):
        assert asked.wait(20) and first.began and later._running is None
        answers.set()
        wait_until(lambda: "later    | here" in output.getvalue())
    assert later._running and later._running.poll() == -signal.SIGTERM


def test_the_later_ones_are_started_in_time_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FOLLOW_SECONDS", 0.1)
    first, later = Scripted(), process("later", SLEEPS, tmp_path)
    with supervising(first, later=[later], may_follow=lambda: False) as (_, output):
        wait_until(lambda: "later    | here" in output.getvalue())


def test_nothing_later_is_started_when_the_first_one_cannot_start(delays: list[float]) -> None:
    class Slow(Scripted):
        def run(self, say: Callable[[str], None]) -> int:
            time.sleep(0.05)
            return super().run(say)

    first, later = Slow(1, 1, 1, 1, 1), Scripted()
    running = Supervisor(
        [first], Printer(io.StringIO(), colour=False), later=[later], may_follow=lambda: False
    )
    assert running.loop() == "scripted" and not later.began


class Closed(io.StringIO):
    """An output whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_output_that_nobody_reads_holds_up_no_process(tmp_path: Path) -> None:
    """A pipe that nobody drained would be full after 64 KB."""
    talking = "import pathlib; print('x' * 1000 * 1000, flush=True); pathlib.Path('done').touch()"
    supervised = process("talking", f"{talking}; {SLEEPS}", tmp_path)
    running = Supervisor([supervised], Printer(Closed(), colour=False))
    thread = threading.Thread(target=running.loop)
    thread.start()
    try:
        wait_until((tmp_path / "done").exists)
    finally:
        running.stop()
        thread.join(20)


SUPERVISES = """
import pathlib, signal, sys
from honcho.printer import Printer
from config.supervisor import Process, Supervisor
sleeps = [sys.executable, "-c", "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"]
one = Process("one", sleeps, env={}, cwd=".", scratch=pathlib.Path(sys.argv[1]) / "scratch")
Supervisor([one], Printer(sys.stdout, colour=False)).loop()
"""


def test_a_supervisor_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISES, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline().split()[-1]))
        parent.kill()
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_one_that_is_killed_again_and_again_is_started_again_and_again(delays: list[float]) -> None:
    killed = Scripted(*[-9] * 8)
    with supervising(killed):
        wait_until(lambda: len(killed.began) == 9)
    assert delays[:8] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_the_delay_begins_anew_when_one_has_run_for_a_while(
    delays: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0)
    ended = Scripted(*[1] * 6)
    with supervising(ended):
        wait_until(lambda: len(ended.began) == 7)
    assert delays[:6] == [1] * 6


def test_a_process_that_does_not_end_when_it_is_asked_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    deaf = process("deaf", f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEPS}", tmp_path)
    with supervising(deaf) as (_, output):
        wait_until(lambda: "here" in output.getvalue())
    assert deaf._running and deaf._running.poll() == -signal.SIGKILL
