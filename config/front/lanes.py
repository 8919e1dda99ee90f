"""The threads of the web process, in lanes: requests of one kind never wait for those of another."""

from __future__ import annotations

import asyncio
import contextvars
import re
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from config.api import errors
from config.front.bounds import Bounds, Pool

Result = TypeVar("Result")

# These run media code in children of the web process, for seconds.
HEAVY = re.compile(
    r"/api/v1/(jobs/[^/]+/(confirm-upload|screenshots/uploads/[^/]+/confirm)|anchors/[^/]+/annotations)\Z"
)
HEAVY_READS = re.compile(r"/api/v1/instructions/[^/]+/compare\Z")
# These wait for the orchestrator, for up to 10 s.
CALLS = re.compile(r"(/api/v1/jobs/[^/]+/(run|retry)|/jobs/[^/]+/retry)\Z")


class Lane:
    """Threads that live as long as the process, and a bounded number of calls that wait for one.

    A ThreadPoolExecutor does the same for twice the CPU (40 us a call), as its futures are made for threads that wait.
    """

    def __init__(self, name: str, pool: Pool) -> None:
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._limit, self._taken = pool.threads + pool.waiting, 0
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(pool.threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return what the function returns in a thread; raise 503 at once if too many calls wait already."""
        if self._taken >= self._limit:
            raise errors.overloaded()
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        future: asyncio.Future[Result] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            self._taken -= 1
            if future.cancelled():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def call() -> None:
            result, error = None, None
            try:
                # In a context of its own, so that nothing of an earlier request in this thread is left, as its id.
                result = context.run(function, *arguments)
            except BaseException as raised:
                error = raised
            loop.call_soon_threadsafe(settle, result, error)

        self._taken += 1
        self._waiting.put(call)
        return await future

    def close(self) -> None:
        """End the threads when they have done what waits."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while call := self._waiting.get():
            call()


class Lanes:
    def __init__(self, bounds: Bounds) -> None:
        self.api = Lane("api", bounds.api)
        self.heavy = Lane("heavy", bounds.heavy)
        self.calls = Lane("calls", bounds.calls)
        self.health = Lane("health", bounds.health)
        self.ready = Lane("ready", bounds.ready)
        self.refusals = Lane("refusals", bounds.refusals)
        self.reads = Lane("reads", bounds.reads)
        self.writes = Lane("writes", bounds.writes)

    def of(self, method: str, path: str) -> Lane:
        """Return the lane that a request runs in."""
        if path == "/healthz":
            return self.health
        if path == "/readyz":  # asks the database, which may take its time
            return self.ready
        if (HEAVY if method == "POST" else HEAVY_READS).match(path):
            return self.heavy
        if method == "POST" and CALLS.match(path):
            return self.calls
        return self.api

    def close(self) -> None:
        for lane in vars(self).values():
            lane.close()
