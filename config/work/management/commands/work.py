"""`manage.py work LANE:THREADS …`: perform background work until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

import dramatiq
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.work.lanes import Lane
from config.work.registry import load_kinds
from config.work.workers import Timer, Workers, sweep_regularly

MORE_CONNECTIONS = 3  # for heartbeats, the timer and the sweep


def lane_and_threads(text: str) -> tuple[Lane, int]:
    """Return `media:2` as a lane and its number of threads, 1 to 64. Raise ArgumentTypeError."""
    lane, _, threads = text.partition(":")
    if lane not in set(Lane) or not (threads or "1").isdecimal() or not 1 <= int(threads or 1) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not LANE:THREADS; lanes are {', '.join(Lane)}")
    return Lane(lane), int(threads or 1)


def require_connections(threads: int) -> None:
    """Raise CommandError unless each thread, its heartbeats, the timer and the sweep find a connection in the pool."""
    pool = connection.settings_dict["OPTIONS"].get("pool")
    if pool and pool["max_size"] < (needed := threads + MORE_CONNECTIONS):
        raise CommandError(
            f"{threads} threads need {needed} connections to the database, and a process may have "
            f"{pool['max_size']}. Set STEPWRIGHT_DB_POOL_SIZE to {needed}, or ask for fewer threads."
        )


class Command(BaseCommand):
    help = "Perform background work: in each lane so many rows at once. Stopped, it gives back what it has begun."
    requires_system_checks: list[str] = []  # they load the views, which no worker needs

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lanes", nargs="+", type=lane_and_threads, metavar="LANE:THREADS")

    def handle(self, *args: Any, lanes: list[tuple[Lane, int]], **options: Any) -> None:
        asked_to_stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: asked_to_stop.set())
        require_connections(sum(threads for _, threads in lanes))
        load_kinds()
        workers = Workers(dramatiq.get_broker(), dict(lanes))
        timer = Timer(workers)
        ticking = threading.Thread(target=timer.run, name="timer", daemon=True)
        sweeping = threading.Thread(target=sweep_regularly, args=(timer.stopped,), name="sweep", daemon=True)
        workers.start()
        ticking.start()
        sweeping.start()
        asked_to_stop.wait()
        timer.stopped.set()
        workers.stop()
        ticking.join(1)
