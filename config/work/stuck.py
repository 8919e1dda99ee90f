"""Rows of work that do not go on as they should, and how long the lanes keep rows waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from config.work.lanes import Lane
from config.work.models import WorkRow

LONG_WAIT = timedelta(minutes=10)
MAX_COUNTED = 1000  # rows of a kind; of more, it is only known that there are more


def kinds() -> Iterator[type[WorkRow]]:
    """Yield the models of all kinds of work, those too that only workers know as such."""
    yield from (model for model in apps.get_models() if issubclass(model, WorkRow))


def is_lost(kind: type[WorkRow]) -> Q:
    """Return the condition of rows whose lease ran out: nobody works on them."""
    return Q(status=kind.RUNNING, lease_expires_at__lt=Now())


def waits_long(kind: type[WorkRow]) -> Q:
    """Return the condition of rows that could have begun LONG_WAIT ago."""
    return Q(status=kind.WAITING, available_at__lt=Now() - LONG_WAIT)


STUCK_ROWS = {"lost": is_lost, "waiting": waits_long}


def count_stuck() -> dict[type[WorkRow], tuple[int, int]]:
    """Return how many rows of each kind are lost, and wait long, by one statement; each counted to MAX_COUNTED + 1."""
    models = list(kinds())
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(_stuck(kind, number) for number, kind in enumerate(models)),
            {"wait": str(LONG_WAIT), "most": MAX_COUNTED + 1},
        )
        return {models[number]: (lost, waiting) for number, lost, waiting in cursor.fetchall()}


def _stuck(kind: Any, number: int) -> str:
    table = kind._meta.db_table
    return f"""
        SELECT {number}, (
            SELECT count(*) FROM (
                SELECT 1 FROM "{table}"
                WHERE status = '{kind.RUNNING}' AND lease_expires_at < statement_timestamp() LIMIT %(most)s
            ) AS lost
        ), (
            SELECT count(*) FROM (
                SELECT 1 FROM "{table}"
                WHERE status = '{kind.WAITING}' AND available_at < statement_timestamp() - %(wait)s::interval
                LIMIT %(most)s
            ) AS waiting
        )"""  # our tables and constants  # nosec B608


@dataclass
class Queue:
    """What waits in a lane and is due, for how long its oldest row does, and how many rows are performed."""

    waiting: int = 0
    running: int = 0
    longest: timedelta = timedelta(0)
    is_more: bool = False


def read_queues() -> dict[str, Queue]:
    """Return the queue of each lane, by one statement that reads what waits and runs, and nothing that is over."""
    queues = {str(lane): Queue() for lane in Lane}
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(_counts(kind) for kind in kinds()),
            {"lanes": list(queues), "most": MAX_COUNTED + 1},
        )
        for lane, waiting, longest, running in cursor.fetchall():
            queue = queues[lane]
            queue.waiting += min(waiting, MAX_COUNTED)
            queue.is_more |= waiting > MAX_COUNTED
            queue.running += running
            queue.longest = max(queue.longest, longest or timedelta(0))
    return queues


def _counts(kind: Any) -> str:
    """Return a query that gives (lane, waiting, longest, running) of a kind of work for each lane."""
    table = kind._meta.db_table
    return f"""
        SELECT lane, queued.waiting, queued.longest, (
            SELECT count(*) FROM "{table}" WHERE status = '{kind.RUNNING}' AND lane = lanes.lane
        ) FROM unnest(%(lanes)s::text[]) AS lanes (lane) CROSS JOIN LATERAL (
            SELECT count(*) AS waiting, statement_timestamp() - min(available_at) AS longest FROM (
                SELECT available_at FROM "{table}"
                WHERE status = '{kind.WAITING}' AND lane = lanes.lane AND available_at <= statement_timestamp()
                ORDER BY available_at LIMIT %(most)s
            ) AS due
        ) AS queued"""  # our tables and constants  # nosec B608
