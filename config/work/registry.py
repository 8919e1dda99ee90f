"""The kinds of background work. Each app registers its own in its `tasks.py`, which a worker loads, and no other
process: with the tasks come the engines."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import dramatiq
import structlog
from django.utils.module_loading import autodiscover_modules

from config.sandbox import SandboxError
from config.work.enqueue import actor_name
from config.work.lanes import Lane
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed, WorkRow

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=WorkRow)
RowToFail = TypeVar("RowToFail", bound=WorkRow, contravariant=True)


class OnFailure(Protocol[RowToFail]):
    """Makes the failing transition, and writes nothing when the row is no longer that of `lease`."""

    def __call__(self, row: RowToFail, failure: WorkFailed, /, *, lease: Lease) -> None: ...


@dataclass(frozen=True)
class Kind(Generic[Row]):
    """The work for the rows of one model. `perform` does the heavy work outside transactions, and then calls a
    service that writes under `lease.hold()`; it raises WorkFailed if the work cannot succeed."""

    model: type[Row]
    perform: Callable[[Row, Lease], None]
    on_failure: OnFailure[Row]
    lanes: Sequence[Lane]

    def perform_next(self, lane: Lane) -> bool:
        """Claim the row whose turn it is in the lane and perform its work; return False if none waits."""
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
        structlog.contextvars.bind_contextvars(correlation_id=row.correlation_id, work=str(row.pk))
        lease = Lease(row)
        try:
            with lease.beating():
                lease.check()
                self.perform(row, lease)
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
        except dramatiq.middleware.Shutdown:
            log.info("worker is shutting down: work goes back")
            row.requeue()
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
) -> None:
    """Have the workers of `lanes` perform the rows of `model`, each for at most `time_limit`.

    Which of them is a row's own stands in its field `lane`. A message is a doorbell: it names a row that waits, and
    has the row performed whose turn it is.
    """
    kind = Kind(model, perform, on_failure, lanes)
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
