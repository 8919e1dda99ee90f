"""A worker's hold on a claimed row: renewed by a heartbeat, asked by the work, checked when it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now

from config.work.models import LEASE, WorkRow

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0


class LeaseLost(Exception):
    """The row is no longer this worker's: cancelled, or taken over. Whatever was done is thrown away."""


class Lease:
    """The hold on `row`; `beating()` renews it every 2 s for as long as its block runs."""

    def __init__(self, row: WorkRow) -> None:
        self.row = row
        self.progress_pct = row.progress_pct
        self._lost = threading.Event()
        self._ended = threading.Event()

    def check(self) -> None:
        """Raise LeaseLost when the row was cancelled or taken over; cheap enough for inner loops."""
        if self._lost.is_set():
            raise LeaseLost

    def report(self, share: float) -> None:
        """Note progress from 0 to 1, written with the next heartbeat. Raises LeaseLost like `check`."""
        self.progress_pct = max(0, min(99, int(share * 100)))
        self.check()

    @contextmanager
    def hold(self, before: Callable[[], object] | None = None) -> Iterator[None]:
        """Open a transaction that locks the row, after the locks that `before` takes (the job's first, always).

        Raises LeaseLost, and writes nothing, when the row is no longer this worker's.
        """
        with transaction.atomic():
            if before:
                before()
            self.verify()
            yield

    def verify(self) -> None:
        """Lock the row in the caller's transaction; raise LeaseLost when it is not this worker's any more."""
        if not self.row.held().select_for_update(of=("self",)).values_list("pk").first():
            raise LeaseLost

    @contextmanager
    def beating(self) -> Iterator[None]:
        thread = threading.Thread(target=self._beat, name=f"heartbeat-{self.row.pk}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                renewed = self.row.held().update(
                    lease_expires_at=Now() + LEASE, heartbeat_at=Now(), progress_pct=self.progress_pct
                )
            except Exception:
                # The database may be restarting. The lease has five heartbeats' room; if it does run out, the
                # check at the end says so.
                log.warning("heartbeat failed", exc_info=True)
                close_old_connections()
                continue
            if not renewed:
                self._lost.set()
                break
        connection.close()
