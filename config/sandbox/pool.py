"""The children of this process: a few are kept warm, each for the engines of one module."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from config.sandbox.process import TICK_SECONDS, Child

MAX_CHILDREN = 4  # at work at the same time; further callers wait
MAX_IDLE = 4
REAP_SECONDS = 60.0  # between two looks at whether idle ones have ended
MAX_CALLS = 200  # then a child is replaced, so that no leak grows for ever


class Pool:
    """Children at work and idle ones. One a process; a forked process begins with an empty one."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MAX_CHILDREN)
        self._lock = threading.Lock()
        self._idle: list[tuple[str, Child]] = []  # the longest idle first
        # A child dies with the thread that started it (prctl(2), PR_SET_PDEATHSIG): so one that lives as long as the
        # process starts them all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox")
        self._reaper: threading.Thread | None = None

    @contextmanager
    def place(self, check: Callable[[], object]) -> Iterator[None]:
        """Wait for a place among those at work, and hold it while the block runs."""
        while not self._places.acquire(timeout=TICK_SECONDS):
            check()
        try:
            yield
        finally:
            self._places.release()

    def take(self, module: str) -> Child:
        """Return an idle child that has loaded the module, or a new one."""
        with self._lock:
            for index in reversed(range(len(self._idle))):
                if self._idle[index][0] == module:
                    return self._idle.pop(index)[1]
        return self._start()

    def _start(self) -> Child:
        started: Future[Child] = self._starter.submit(Child)
        self._ensure_reaper()
        return started.result()

    def _ensure_reaper(self) -> None:
        with self._lock:
            if self._reaper is None:
                self._reaper = threading.Thread(
                    target=self._reap_regularly, name="sandbox-reaper", daemon=True
                )
                self._reaper.start()

    def give_back(self, module: str, child: Child) -> None:
        """Keep a child that has done well for the next call."""
        ended = [child] if child.calls >= MAX_CALLS else []
        with self._lock:
            if not ended:
                self._idle.append((module, child))
            ended += self._remove_ended()
            while len(self._idle) > MAX_IDLE:
                ended.append(self._idle.pop(0)[1])
        for one in ended:
            one.end()

    def _remove_ended(self) -> list[Child]:
        """Return the idle ones that ended by themselves, which are kept no longer. The caller holds the lock."""
        ended = [child for _, child in self._idle if child.has_ended()]
        self._idle = [(module, child) for module, child in self._idle if child not in ended]
        return ended

    def reap(self) -> None:
        """Remove idle children that ended by themselves, with their folders."""
        with self._lock:
            ended = self._remove_ended()
        for child in ended:
            child.end()

    def _reap_regularly(self) -> None:
        while True:
            time.sleep(REAP_SECONDS)
            self.reap()

    def idle_pids(self) -> list[int]:
        with self._lock:
            return [child.pid for _, child in self._idle]

    def clear(self) -> None:
        """End the idle children."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, child in idle:
            child.end()

    def forget(self) -> None:
        """Leave the children to the process that this one was forked from."""
        for _, child in self._idle:
            child.forget()


_pools: list[Pool] = []


def pool() -> Pool:
    """Return this process's pool."""
    if not _pools:
        _pools.append(Pool())
    return _pools[0]


def _after_fork() -> None:
    while _pools:
        _pools.pop().forget()


os.register_at_fork(after_in_child=_after_fork)
