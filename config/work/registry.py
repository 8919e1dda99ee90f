"""The kinds of background work. Each app registers its own in its `tasks.py`, which a worker loads, and no other
process: with the tasks come the engines."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import dramatiq
import structlog
from django.utils.module_loading import autodiscover_modules

from config.sandbox import SandboxError
from config.work.enqueue import actor_name
from config.work.lanes import BULK, Lane
from config.work.lease import Lease, LeaseLost, beating
from config.work.models import WorkFailed, WorkRow

log = logging.getLogger(__name__)

MAX_IN_BULK = 16  # rows that a thread claims at once in a lane of BULK
MAX_BULK_SECONDS = (
    5.0  # then those of them that are not begun go back, for they wait while other threads may be free
)

Row = TypeVar("Row", bound=WorkRow)
Begun = TypeVar("Begun")
Made = TypeVar("Made")
Item = TypeVar("Item")
Written = TypeVar("Written")
RowToFail = TypeVar("RowToFail", bound=WorkRow, contravariant=True)


class OnFailure(Protocol[RowToFail]):
    """Makes the failing transition, and writes nothing when the row is no longer that of `lease`."""

    def __call__(self, row: RowToFail, failure: WorkFailed, /, *, lease: Lease) -> None: ...


@dataclass(frozen=True)
class InBulk(Generic[Row, Begun, Made]):
    """The work of a Kind in parts, for lanes of BULK, whose rows are claimed some at a time.

    `start` and `finish` write many rows in one transaction. They return those that they have written, `start` with what
    it has read for each; others are performed or finished alone, which also says how they fail. `make` does the heavy
    work of one row in between, and asks the database nothing.
    """

    start: Callable[[Sequence[Row]], Mapping[Row, Begun]]
    make: Callable[[Row, Lease, Begun], Made]
    finish: Callable[[Sequence[tuple[Row, Made]]], Collection[Row]]
    finish_alone: Callable[[Row, Lease, Made], None]


@dataclass(frozen=True)
class Kind(Generic[Row]):
    """The work for the rows of one model. `perform` does the heavy work outside transactions, and then calls a
    service that writes under `lease.hold()`; it raises WorkFailed if the work cannot succeed."""

    model: type[Row]
    perform: Callable[[Row, Lease], None]
    on_failure: OnFailure[Row]
    lanes: Sequence[Lane]
    in_bulk: InBulk[Row, Any, Any] | None = None

    def perform_next(self, lane: Lane) -> bool:
        """Claim the row whose turn it is in the lane and perform its work; return False if none waits."""
        if self.in_bulk and lane in BULK:
            return self._perform_some(lane, self.in_bulk)
        row = self.model.claim_next(lane)
        is_performed = self._perform(row)
        if row:
            row.enqueue_next_of_owner()
        return is_performed

    def perform_row(self, row_id: UUID) -> bool:
        """Claim a row and perform its work; return False if it cannot be claimed."""
        return self._perform(self.model.claim(row_id))

    def _perform(self, row: Row | None) -> bool:
        if row is None:
            return False
        lease = Lease(row)
        with ExitStack() as opened:

            def work() -> None:
                opened.enter_context(lease.beating())
                lease.check()
                self.perform(row, lease)

            self._attempt(lease, work)
        return True

    def _perform_some(self, lane: Lane, bulk: InBulk[Row, Any, Any]) -> bool:
        """Claim some rows of a lane of BULK and perform their work, one after another; return False if none waits."""
        rows = self.model.claim_in_bulk(lane, MAX_IN_BULK)
        if len(rows) == MAX_IN_BULK:
            # More may wait: one message told of all that were written together.
            rows[0].enqueue_on_commit()
        leases = {row.pk: Lease(row) for row in rows}
        if rows:
            try:
                with beating([*leases.values()]):
                    self._work_through(rows, leases, bulk)
            except dramatiq.threading.Interrupt:
                log.info("worker is shutting down: work goes back")
                for row in rows:
                    row.requeue()
        return bool(rows)

    def _work_through(
        self, rows: Sequence[Row], leases: Mapping[UUID, Lease], bulk: InBulk[Row, Any, Any]
    ) -> None:
        started = _together(bulk.start, rows) or {}
        begun = time.monotonic()  # not before, so that one at least is performed
        made: list[tuple[Row, Any]] = []

        def make(row: Row) -> None:
            leases[row.pk].check()
            made.append((row, bulk.make(row, leases[row.pk], started[row])))

        goes_on = True
        for row in rows:
            if not goes_on or time.monotonic() - begun > MAX_BULK_SECONDS:
                row.requeue()  # others may have it, and its place in the time limit
            elif row in started:
                goes_on = self._attempt(leases[row.pk], partial(make, row))
            else:
                goes_on = self._attempt(leases[row.pk], partial(self.perform, row, leases[row.pk]))
        finished: Collection[Row] = ()
        if made:
            finished = _together(bulk.finish, made) or ()
        for row, result in made:
            if row not in finished:
                lease = leases[row.pk]
                self._attempt(lease, partial(bulk.finish_alone, row, lease, result))

    def _attempt(self, lease: Lease, work: Callable[[], None]) -> bool:
        """Do work on a leased row, and end it if that fails; return False if this thread has to stop."""
        row: Row = lease.row  # type: ignore[assignment]  # it was claimed by `model`
        structlog.contextvars.bind_contextvars(correlation_id=row.correlation_id, work=str(row.pk))
        try:
            work()
        except LeaseLost:
            log.info("gave up work that is no longer ours")
        except WorkFailed as failure:
            log.info("work failed: %s", failure.code)
            self.fail(row, failure, lease)
        except SandboxError as error:
            ended = WorkFailed(error.code, error.message)
            self._retry_or_fail(row, ended, lease, retry=error.may_pass)
        except dramatiq.middleware.TimeLimitExceeded:
            self.fail(row, TIME_LIMIT_EXCEEDED, lease)
            return False
        except dramatiq.middleware.Shutdown:
            log.info("worker is shutting down: work goes back")
            row.requeue()
            return False
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            log.exception("work met an error of the system")
            self._retry_or_fail(row, STORAGE_FULL if full else INTERNAL_ERROR, lease, retry=not full)
        except Exception:
            log.exception("work met an unexpected error")
            self._retry_or_fail(row, INTERNAL_ERROR, lease, retry=True)
        finally:
            structlog.contextvars.clear_contextvars()
        return True

    def _retry_or_fail(self, row: Row, failure: WorkFailed, lease: Lease, *, retry: bool) -> None:
        if not (retry and row.retry_later()):
            self.fail(row, failure, lease)

    def fail(self, row: Row, failure: WorkFailed, lease: Lease) -> None:
        try:
            self.on_failure(row, failure, lease=lease)
        except LeaseLost:
            log.info("a failure of work that is no longer ours")


def _together(write: Callable[[Sequence[Item]], Written], items: Sequence[Item]) -> Written | None:
    """Return the rows that `write` has written; None after an error, so that each is tried alone."""
    try:
        return write(items)
    except Exception:
        log.warning("rows could not be written together; each is written alone", exc_info=True)
        return None


STORAGE_FULL = WorkFailed("STORAGE_FULL", "The storage has no room left. Free some space, then try again.")
INTERNAL_ERROR = WorkFailed("INTERNAL_ERROR", "Something went wrong on our side. Try again, or ask support.")
TIME_LIMIT_EXCEEDED = WorkFailed("TIME_LIMIT_EXCEEDED", "This took longer than the service allows.")

KINDS: dict[type[WorkRow], Kind[WorkRow]] = {}


def load_kinds() -> None:
    """Have every app register its kinds of work, its parts of the sweep, and its stages of the pipeline."""
    autodiscover_modules("tasks")


def register(
    model: type[Row],
    *,
    perform: Callable[[Row, Lease], None],
    on_failure: OnFailure[Row],
    lanes: Sequence[Lane],
    time_limit: timedelta,
    in_bulk: InBulk[Row, Any, Any] | None = None,
) -> None:
    """Have the workers of `lanes` perform the rows of `model`, each for at most `time_limit`.

    Which of them is a row's own stands in its field `lane`. A message is a doorbell: it names a row that waits, and
    has the row performed whose turn it is.
    """
    kind = Kind(model, perform, on_failure, lanes, in_bulk)
    KINDS[model] = kind  # type: ignore[assignment]  # a kind is only called with rows of its own model
    for lane in lanes:
        dramatiq.actor(
            actor_name=actor_name(model, lane),
            queue_name=lane,
            time_limit=int(time_limit.total_seconds() * 1000),
            notify_shutdown=True,
        )(_doorbell(kind, lane))


def _doorbell(kind: Kind[Row], lane: Lane) -> Callable[[str], None]:
    def perform_next(row_id: str) -> None:
        kind.perform_next(lane)

    return perform_next
