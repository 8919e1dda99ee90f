"""A worker's lease of a claimed row: renewed by a heartbeat, and checked during the work and at its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models.functions import Now

from config.work.models import LEASE, WorkRow

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0


class LeaseLost(Exception):
    """The row was cancelled or taken over by another worker. The results of the work are discarded."""


class Lease:
    """The lease of `row`; `beating()` renews it every 2 s, as long as its block runs."""

    def __init__(self, row: WorkRow) -> None:
        self.row = row
        self.progress_pct = row.progress_pct
        self._lost = threading.Event()
        self._ended = threading.Event()

    def check(self) -> None:
        """Raise LeaseLost if the row was cancelled or taken over. This is cheap enough for inner loops."""
        if self._lost.is_set():
            raise LeaseLost

    def report(self, share: float) -> None:
        """Store the progress (0..1), which the next heartbeat writes; raise LeaseLost as `check` does."""
        self.progress_pct = max(0, min(99, int(share * 100)))
        self.check()

    @contextmanager
    def hold(self, before: Callable[[], object] | None = None) -> Iterator[None]:
        """Open a transaction and lock the row, after the locks of `before`: the lock of the job always comes first.

        Raise LeaseLost, and write nothing, if the row was cancelled or taken over.
        """
        with transaction.atomic():
            if before:
                before()
            self.verify()
            yield

    def verify(self) -> None:
        """Lock the row in the caller's transaction; raise LeaseLost if it was cancelled or taken over."""
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
            # Each beat gives its connection back, so that the work itself and others find one in the pool.
            try:
                renewed = self.row.held().update(
                    lease_expires_at=Now() + LEASE, heartbeat_at=Now(), progress_pct=self.progress_pct
                )
            except Exception:
                # The database may be restarting. The lease lasts for five heartbeats; if it expires, the check at the
                # end raises LeaseLost.
                log.warning("heartbeat failed", exc_info=True)
                continue
            finally:
                connection.close()
            if not renewed:
                self._lost.set()
                break
