"""Calls that happen at the same time, in threads that give their database connections back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def at_once(number: int, call: Callable[[int], Answer]) -> list[Answer]:
    """Call it this many times at once, with 0, 1, 2 and so on; return the answers in that order."""
    barrier = threading.Barrier(number)

    def one(index: int) -> Answer:
        barrier.wait(20)
        try:
            return call(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@contextmanager
def beside(call: Callable[[], object], *, seconds: float = 20) -> Iterator[threading.Thread]:
    """Call it in a thread while the block runs, and wait for its end."""

    def work() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(seconds)
    assert not thread.is_alive(), "it did not end"
