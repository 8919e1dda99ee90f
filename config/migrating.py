"""Let the web process come up while `serve` migrates, and answer when that is done."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from config import environment

LOCK = "migrating.lock"


@contextlib.contextmanager
def migrating() -> Iterator[None]:
    """Hold up the processes of this STEPWRIGHT_HOME that wait, until the block ends or this process does."""
    with environment.open_lock(LOCK) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until_migrated() -> None:
    """Wait while the `serve` of this STEPWRIGHT_HOME, if there is one, migrates."""
    with contextlib.suppress(FileNotFoundError), (environment.home() / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
