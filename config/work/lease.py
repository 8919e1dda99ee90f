"""A worker's lease of a claimed row: renewed by a heartbeat, and checked during the work and at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from config.work.models import LEASE, WorkRow

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Locked = TypeVar("Locked")

HEARTBEAT_SECONDS = 2.0
LOCK_SECONDS = 40.0  # that finished work waits for locks; who does nothing with one loses it after 30 s


class LeaseLost(Exception):
    """The row was cancelled or taken over by another worker. The results of the work are discarded."""


class Lease:
    """The lease of `row`, which `beating()` renews."""

    def __init__(self, row: WorkRow) -> None:
        self.row = row
        self.progress_pct = row.progress_pct
        self._lost = threading.Event()

    def check(self) -> None:
        """Raise LeaseLost if the row was cancelled or taken over. This is cheap enough for inner loops.

        Who checks is in the middle of long work. Its connection goes back to the pool, unless a transaction is open:
        else as many threads as there are connections would leave none for their heartbeats.
        """
        if not connection.in_atomic_block:
            close_old_connections()
        if self._lost.is_set():
            raise LeaseLost

    def report(self, share: float) -> None:
        """Store the progress (0..1), which the next heartbeat writes; raise LeaseLost as `check` does."""
        self.progress_pct = max(0, min(99, int(share * 100)))
        self.check()

    @contextmanager
    def hold(self, before: Callable[[], Locked]) -> Iterator[Locked]:
        """Open a transaction and lock the row, after the locks of `before`: the lock of the job always comes first.

        Give what `before` returned. Raise LeaseLost, and write nothing, if the row was cancelled or taken over.
        """

        def open_and_lock() -> tuple[ExitStack, Locked]:
            with ExitStack() as opened:
                opened.enter_context(transaction.atomic())
                locked = before()
                self.verify()
                return opened.pop_all(), locked

        opened, locked = self.wait_for_locks(open_and_lock)
        with opened:
            yield locked

    def wait_for_locks(self, write: Callable[[], Result]) -> Result:
        """Return what `write` returns, a transaction; try it again while others keep its locks for longer than a
        statement may wait, up to LOCK_SECONDS: the work is done, and must not be lost for that.

        Raise LeaseLost.
        """
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                return write()
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable) or time.monotonic() >= until:
                    raise
            self.check()

    def verify(self) -> None:
        """Lock the row in the caller's transaction; raise LeaseLost if it was cancelled or taken over."""
        if not self.row.held().select_for_update(of=("self",)).values_list("pk").first():
            raise LeaseLost

    def beating(self) -> AbstractContextManager[None]:
        """Renew it every 2 s, as long as the block runs."""
        return beating([self])

    def beat(self) -> None:
        """Renew it once, unless it is lost. Errors are logged: it lasts for five heartbeats, and if it expires, the
        check at the end raises LeaseLost."""
        if self._lost.is_set():
            return
        try:
            renewed = self.row.held().update(
                lease_expires_at=Now() + LEASE, heartbeat_at=Now(), progress_pct=self.progress_pct
            )
        except Exception:
            log.warning("heartbeat failed", exc_info=True)  # the database may be restarting
            return
        finally:
            # Each beat gives its connection back, so that the work itself and others find one in the pool.
            connection.close()
        if not renewed:
            self._lost.set()


@contextmanager
def beating(leases: Sequence[Lease]) -> Iterator[None]:
    """Renew these leases every 2 s, as long as the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            for lease in leases:
                lease.beat()

    thread = threading.Thread(target=beat, name=f"heartbeat-{leases[0].row.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
