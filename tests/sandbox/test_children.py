"""What a child has of its parent's, and what becomes of it when the parent ends."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest
from dramatiq.threading import raise_thread_exception

from config import sandbox
from config.sandbox.pool import pool
from tests import sandbox_engines as engines
from tests.races import at_once, beside

LIMITS = sandbox.Limits(memory_bytes=512 * 2**20, cpu_seconds=30, wall_seconds=60)
ROOT = Path(__file__).parents[2]

PARENT = """
import os, sys, threading
from config import sandbox
from tests import sandbox_engines as engines

limits = sandbox.Limits(memory_bytes=2**29, cpu_seconds=60, wall_seconds=60)
facts = sandbox.call(engines.facts, limits=limits, returns=(engines.Facts,))
threading.Thread(target=lambda: sandbox.call(engines.{engine}, limits=limits), daemon=True).start()
sandbox.call(engines.echo, 1, limits=limits)
print(facts.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def no_child_before() -> Iterator[None]:
    pool().clear()
    yield
    pool().clear()


def inside() -> dict[str, Any]:
    found: dict[str, Any] = sandbox.call(engines.inside, limits=LIMITS)
    return found


def test_a_child_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:password@host/stepwright")
    monkeypatch.setenv("STEPWRIGHT_CALLBACK_SECRET", "hidden")
    monkeypatch.setenv("STEPWRIGHT_SERVED_FROM", "/home/of/serve")
    environment = inside()["environment"]
    known = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "OMP_NUM_THREADS", "PYTHONPATH", "TMPDIR", "HOME"}
    known |= {"SSL_CERT_FILE", "SSL_CERT_DIR"}  # paths of certificates that anybody may read
    assert set(environment) <= known | {"MALLOC_ARENA_MAX", "STEPWRIGHT_SERVED_FROM"}
    assert environment["STEPWRIGHT_SERVED_FROM"] == "/home/of/serve"


def test_a_child_has_no_file_of_its_parent(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        found = inside()
    assert sorted(found["files"].values())[:2] == [os.devnull, os.devnull]
    others = [name for name in found["files"].values() if name != os.devnull]
    assert len(others) == 3
    assert all(name.startswith("pipe:") for name in others), others


def test_a_child_stands_in_a_folder_and_session_of_its_own() -> None:
    found = inside()
    assert found["is_leader"]
    assert found["folder"] == found["environment"]["TMPDIR"] == found["environment"]["HOME"]
    assert Path(found["folder"]).stat().st_mode & 0o777 == 0o700
    pool().clear()
    assert not Path(found["folder"]).exists()


def test_a_child_is_limited_before_it_begins() -> None:
    def soft(kind: int) -> int:
        return resource.prlimit(pool().idle_pids()[0], kind)[0]

    sandbox.call(engines.echo, 1, limits=LIMITS)
    assert soft(resource.RLIMIT_AS) == LIMITS.memory_bytes
    assert soft(resource.RLIMIT_FSIZE) == LIMITS.file_bytes
    assert soft(resource.RLIMIT_CPU) <= LIMITS.cpu_seconds + 2
    assert soft(resource.RLIMIT_CORE) == 0
    assert soft(resource.RLIMIT_NOFILE) == 128


def test_a_child_goes_first_when_the_memory_of_the_machine_is_short() -> None:
    sandbox.call(engines.echo, 1, limits=LIMITS)
    assert int(Path(f"/proc/{pool().idle_pids()[0]}/oom_score_adj").read_text()) == 1000


@pytest.mark.parametrize("engine", ["loop_in_native_code", "sleep_long", "be_idle"])
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_stays_when_the_parent_is_killed(engine: str, stop: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(engine=engine)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with parent:
        assert parent.stdout and int(parent.stdout.readline())
        children = psutil.Process(parent.pid).children()
        assert len(children) >= 1
        parent.send_signal(stop)
        parent.wait(10)
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


def test_a_parent_that_ends_takes_children_and_folders_along(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(engine="be_idle")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with parent:
        assert parent.stdout and parent.stdin and int(parent.stdout.readline())
        children = psutil.Process(parent.pid).children()
        assert children and list(tmp_path.iterdir())
        parent.stdin.close()
        assert parent.wait(10) == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not list(tmp_path.iterdir())


def test_a_child_outlives_the_thread_that_first_called_it() -> None:
    """PR_SET_PDEATHSIG goes by threads: a web server ends idle ones in the middle of other threads' calls."""
    pids: list[int] = []

    def ask() -> None:
        pids.append(sandbox.call(engines.facts, limits=LIMITS, returns=(engines.Facts,)).pid)

    with beside(ask):
        pass
    time.sleep(0.2)
    ask()
    assert pids[0] == pids[1]


@pytest.mark.parametrize("interrupt", [dramatiq.middleware.TimeLimitExceeded, dramatiq.middleware.Shutdown])
def test_what_dramatiq_raises_in_the_thread_kills_the_child(interrupt: type[BaseException]) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            sandbox.call(engines.loop_in_native_code, limits=LIMITS)
        except BaseException as error:
            raised.append(error)

    before = set(psutil.Process().children())
    with beside(work) as thread:
        while not set(psutil.Process().children()) - before:
            time.sleep(0.05)
        time.sleep(0.2)
        assert thread.ident
        raise_thread_exception(thread.ident, interrupt)
        thread.join(2)
        assert not thread.is_alive()
    assert [type(error) for error in raised] == [interrupt]
    assert set(psutil.Process().children()) == before


def test_a_forked_process_has_children_of_its_own() -> None:
    mine = sandbox.call(engines.facts, limits=LIMITS, returns=(engines.Facts,)).pid
    read, write = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            theirs = sandbox.call(engines.facts, limits=LIMITS, returns=(engines.Facts,)).pid
            os.write(write, str(theirs).encode())
            pool().clear()
        finally:
            os._exit(0)
    os.waitpid(forked, 0)
    theirs = int(os.read(read, 20))
    os.close(read)
    os.close(write)
    assert theirs != mine
    assert sandbox.call(engines.facts, limits=LIMITS, returns=(engines.Facts,)).pid == mine


def test_threads_share_the_children() -> None:
    before = threading.active_count()
    pids = at_once(4, lambda _: sandbox.call(engines.facts, limits=LIMITS, returns=(engines.Facts,)).pid)
    assert set(pool().idle_pids()) == set(pids)
    assert threading.active_count() < before + 4, "no thread stays for a call"
