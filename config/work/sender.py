"""Calls of the broker from a thread of its own, so that a broker that hangs holds up no request."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

SEND_SECONDS = 0.5  # that a caller waits at most
MAX_QUEUED = 1000  # calls that wait for a broker that hangs; further ones are lost


class Sender:
    """One thread that makes the calls it is given, in order. It starts with the first, in each process."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue(MAX_QUEUED)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began: float | None = None  # the call that it makes now

    def call(self, function: Callable[[], Any]) -> None:
        """Have the thread call `function`, and wait until it has; raise what it raised.

        Raise TimeoutError after SEND_SECONDS, and at once while another call has hung for longer; the call is made
        all the same when the thread comes to it, unless MAX_QUEUED others wait.
        """
        made: Future[Any] = Future()
        try:
            self._calls.put_nowait((made, function))
        except queue.Full as error:
            raise TimeoutError("too many calls wait for the broker") from error
        self._ensure_thread()
        began = self._began
        is_stuck = began is not None and time.monotonic() - began > SEND_SECONDS
        made.result(timeout=0 if is_stuck else SEND_SECONDS)

    def _ensure_thread(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():  # a forked process has not its parent's
                self._began = None
                self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            made, function = self._calls.get()
            self._began = time.monotonic()
            try:
                made.set_result(function())
            except BaseException as error:
                made.set_exception(error)
            self._began = None


SENDER = Sender()
