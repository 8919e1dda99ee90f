"""Let the web process come up while `serve` migrates, and answer when that is done."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "STEPWRIGHT_SERVED_FROM"
"""An environment variable of every process that `serve` starts: its STEPWRIGHT_HOME."""
LOCK = "migrating.lock"


@contextmanager
def migrating(home: Path) -> Iterator[None]:
    """Hold up the processes that ask, until the block ends or this process does."""
    with (home / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until_migrated() -> None:
    """Wait while the `serve` that started this process migrates."""
    if home := os.environ.get(MARK):
        with (Path(home) / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
