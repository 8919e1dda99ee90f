"""Ask for the exports of many finished jobs, a few at a time, and wait for the workers that perform them.

The rows are the only memory: a run that was interrupted is gone on with by another, which finds what is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db.models.functions import Now

from config.api.errors import ApiError
from config.work.lanes import Lane
from config.work.models import ALIVE_SECONDS, Worker
from exports.models import Export
from exports.services.bulk_requests import request_all
from exports.services.reports import Report
from exports.services.selection import Selection, Wanted, rendered_of

MAX_AT_ONCE = 32
POLL_SECONDS = (0.1, 1.0)  # the pause between two looks at what is open doubles while nothing changes
SILENT_SECONDS = 15.0  # without a change; then it is said if the lane has no worker, and again after as long
GIVE_UP_SECONDS = 300.0  # without a change and without a worker
NO_WORKER = (
    f"No worker serves the lane {Lane.EXPORT_BACKFILL}, so nothing is rendered. "
    f"Start one: manage.py work {Lane.EXPORT_BACKFILL}:2"
)


@dataclass(frozen=True)
class Pace:
    """How fast a backfill asks: at most `concurrency` open at once, `per_minute` new ones (0: as many as are done),
    and `limit` new ones in all (0: no limit)."""

    concurrency: int
    per_minute: float = 0
    limit: int = 0

    @property
    def at_once(self) -> int:
        """Return how many are asked for by the same statements: half of what may be open, so that the others are
        rendered meanwhile, and no more than a second's."""
        at_once = min(MAX_AT_ONCE, self.concurrency // 2)
        return max(1, min(at_once, int(self.per_minute // 60)) if self.per_minute else at_once)


class Backfill:
    """One run. `advance` is called after each export that has been dealt with, `say` with what an operator must know;
    when `stopped` is set nothing more is asked for, and what is open is left to the workers."""

    def __init__(
        self,
        selection: Selection,
        pace: Pace,
        report: Report,
        *,
        only_missing: bool,
        stopped: threading.Event,
        advance: Callable[[], object],
        say: Callable[[str], object],
    ) -> None:
        self.selection, self.pace, self.report = selection, pace, report
        self.only_missing, self.stopped, self.advance, self.say = only_missing, stopped, advance, say
        self.open: dict[UUID, str] = {}  # id -> format
        self.asked = 0
        self.may_ask_at = 0.0
        self.seen: set[tuple[UUID, str, int]] = set()  # id, status and attempt of what is open
        self.changed_at = self.said_at = time.monotonic()

    def run(self) -> Report:
        """Go over all that is selected; the report says how it ended, too."""
        for page in self.selection.wanted():
            self._deal_with_page(page)
            if self._is_over() or self._is_full():
                break
        self._wait(lambda: not self.open)
        self._look()
        for format in self.open.values():
            self.report.count(format, "left_open")
        if self.stopped.is_set():
            self.report.ended_as = "interrupted"
        return self.report

    def _is_over(self) -> bool:
        return self.stopped.is_set() or self.report.ended_as != "finished"

    def _is_full(self) -> bool:
        return bool(self.pace.limit) and self.asked >= self.pace.limit

    def _deal_with_page(self, page: Sequence[Wanted]) -> None:
        present = rendered_of(page) if self.only_missing or self.report.is_dry else set()
        for one in present:
            self._count(one.format, "present")
        rest = [one for one in page if one not in present]
        while rest:
            enough = min(len(rest), self.pace.at_once)
            self._wait(partial(self._has_room, enough))
            if self._is_over() or self._is_full():
                break
            number = min(enough, self.pace.limit - self.asked) if self.pace.limit else enough
            some, rest = rest[:number], rest[number:]
            if self.report.is_dry:
                self._count_missing(some)
            else:
                self._ask(some)

    def _has_room(self, number: int) -> bool:
        return len(self.open) + number <= self.pace.concurrency and time.monotonic() >= self.may_ask_at

    def _count_missing(self, wanted: Sequence[Wanted]) -> None:
        self.asked += len(wanted)
        for one in wanted:
            self._count(one.format, "would_ask")

    def _ask(self, wanted: Sequence[Wanted]) -> None:
        new = 0
        answers = request_all(wanted, correlation_id=self.report.run_id)
        for (job, _, format), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ApiError):
                self._count(format, "refused", answer.code, job_id=str(job.pk), message=answer.message)
            elif answer.is_known and answer.status == Export.SUCCEEDED:
                self._count(format, "present")
            else:
                self.open[answer.pk] = format
                new += not answer.is_known
        self.asked += new
        self.may_ask_at = time.monotonic() + (60 * new / self.pace.per_minute if self.pace.per_minute else 0)

    def _count(self, format: str, outcome: str, *codes: str, **facts: str) -> None:
        self.report.count(format, outcome, *codes, **facts)
        self.advance()

    def _wait(self, is_enough: Callable[[], bool]) -> None:
        """Look at what is open until it is enough, or the run is over."""
        pause = POLL_SECONDS[0]
        while not is_enough() and not self._is_over():
            if self._look():
                pause = POLL_SECONDS[0]
                continue
            self._listen_for_workers()
            self.stopped.wait(pause)
            pause = min(pause * 2, POLL_SECONDS[1]) if self.open else POLL_SECONDS[0]

    def _look(self) -> bool:
        """Count what has ended; return whether anything has changed since the last look."""
        columns = ("pk", "status", "attempt", "job_id", "failure_code", "failure_message")
        rows = list(Export.objects.filter(pk__in=self.open).values_list(*columns))
        seen = {row[:3] for row in rows}
        for pk, status, _, job_id, code, message in rows:
            if status == Export.SUCCEEDED:
                self._count(self.open.pop(pk), "exported")
            elif status == Export.FAILED:
                facts = {"export_id": str(pk), "job_id": str(job_id), "message": message}
                self._count(self.open.pop(pk), "failed", code, **facts)
        for pk in self.open.keys() - {row[0] for row in rows}:
            self._count(self.open.pop(pk), "refused", "JOB_DELETED", export_id=str(pk))
        has_changed, self.seen = seen != self.seen, seen
        if has_changed:
            self.changed_at = self.said_at = time.monotonic()
        return has_changed

    def _listen_for_workers(self) -> None:
        """Say it when nothing has changed for long as there is no worker; give up after five minutes."""
        now = time.monotonic()
        if not self.open or now - self.said_at < SILENT_SECONDS:
            return
        self.said_at = now
        if has_worker():
            self.changed_at = now
            return
        self.say(NO_WORKER)
        if now - self.changed_at >= GIVE_UP_SECONDS:
            self.report.ended_as = "no_worker"


def has_worker() -> bool:
    """Return whether a living worker serves the lane of backfills."""
    alive = Worker.objects.filter(heartbeat_at__gt=Now() - timedelta(seconds=ALIVE_SECONDS))
    return alive.filter(lanes__contains=[Lane.EXPORT_BACKFILL.value]).exists()
