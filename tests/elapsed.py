"""What time brings about, without the waiting: leases run out, rows become due, the sweep recovers them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models.functions import Now

from config.locks import place
from config.storage import FileStorage, storage
from config.work.registry import KINDS
from config.work.sweep import sweep, sweep_work_rows
from jobs.models import Dispatch
from jobs.services.timeouts import give_up_unanswered_dispatches
from tests.factories import work_off
from tests.s3 import backdate


def expire_leases() -> None:
    """As when the workers and senders of this moment had died a while ago."""
    for model in KINDS:
        held = model._default_manager.filter(lease_expires_at__isnull=False)
        held.update(lease_expires_at=Now() - timedelta(seconds=1))


@contextmanager
def between_sweeps() -> Iterator[None]:
    """While no other process sweeps; this one still may, as a lock of the session can be taken again by its holder."""
    with place("sweep", seconds=20) as is_free:
        assert is_free, "another process kept sweeping"
        yield


def make_due() -> None:
    """As when what waits for its time had waited long enough."""
    for model in KINDS:
        model._default_manager.filter(status=model.WAITING).update(available_at=Now())


def let_time_pass() -> None:
    """As when much time had gone by: leases have run out, waiting rows have waited, silence is given up."""
    expire_leases()
    sweep_work_rows()
    make_due()
    Dispatch.objects.filter(status=Dispatch.UNANSWERED).update(updated_at=Now() - timedelta(minutes=16))
    give_up_unanswered_dispatches()


def recover() -> None:
    """What the workers do by themselves when others have died, with the waiting cut out.

    The sweep of a worker that was killed a moment ago is over when the database has seen its session end.
    """
    expire_leases()
    with between_sweeps():
        sweep()
    make_due()
    work_off()


def age_file(uri: str, by: timedelta) -> None:
    """As when a file of the storage had been written so long ago, and a bit."""
    kept, seconds = storage(), by.total_seconds() + 10
    if isinstance(kept, FileStorage):
        with kept.local_path(uri) as path:
            os.utime(path, (time.time() - seconds,) * 2)
    else:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        backdate(bucket, key, seconds)
