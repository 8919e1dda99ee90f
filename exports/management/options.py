"""What the commands on many exports have in common: their options, how they are read, and how they are stopped."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from exports.models import Export
from exports.services.selection import Selection
from jobs.models import Job, Project

ALL_DONE, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
EXIT_STATUS = "Exit status: 0 all done, 1 some failed, 2 wrong usage, 130 interrupted."


class ExportsCommand(BaseCommand):
    """A command on many exports, whose help keeps its line ends."""

    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)


def add_selection(parser: CommandParser, *, span_of: str, made_by: str) -> None:
    """Add the options that select; `span_of` says whose time of creation --since and --until are about, `made_by`
    what --renderer-version selects."""
    parser.add_argument("--project", type=UUID, metavar="ID", help="of this project alone")
    parser.add_argument("--job", type=UUID, metavar="ID", help="of this job alone")
    when = f"{span_of}; ISO 8601, UTC unless it says otherwise; a date is its midnight"
    parser.add_argument("--since", type=moment, metavar="TIME", help=f"{when}; inclusive")
    parser.add_argument("--until", type=moment, metavar="TIME", help=f"{when}; exclusive")
    parser.add_argument(
        "--format",
        action="append",
        choices=Export.Format.values,
        dest="formats",
        help="may be given several times; all formats without it",
    )
    parser.add_argument("--renderer-version", default="", metavar="PREFIX", help=made_by)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout, and no table")


def add_bounds(parser: CommandParser, *, limit: str, concurrency: str, usual: int, most: int) -> None:
    """Add --limit and --concurrency, which is `usual` and at most `most`; the other two are their help."""
    parser.add_argument("--limit", type=bounded(1, 10**9), default=0, metavar="N", help=limit)
    parser.add_argument(
        "--concurrency",
        type=bounded(1, most),
        default=usual,
        metavar="N",
        help=f"{concurrency} ({usual}; {most} at most)",
    )


def moment(text: str) -> datetime:
    """Return `2026-11-25` or `2026-11-25T12:00Z` as a time. Raise ArgumentTypeError."""
    try:
        parsed = parse_datetime(text if len(text) > len("2026-11-25") else f"{text}T00:00")
    except ValueError:
        parsed = None
    if parsed is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date or time, such as 2026-11-25 or 2026-11-25T12:00Z"
        )
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def bounded(least: int, most: int) -> Callable[[str], int]:
    """Return a type of argument: a whole number in these bounds."""

    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return number


def read_selection(options: dict[str, Any]) -> Selection:
    """Return what the options select. Raise CommandError (2) for a project or job that there is none of."""
    named = ((Project, options["project"], "project"), (Job, options["job"], "job"))
    for model, pk, name in named:
        if pk and not model._default_manager.filter(pk=pk).exists():
            raise CommandError(f"There is no {name} {pk}.", returncode=USAGE)
    return Selection(
        formats=tuple(dict.fromkeys(options["formats"] or Export.Format.values)),
        project_id=options["project"],
        job_id=options["job"],
        since=options["since"],
        until=options["until"],
        renderer_version=options["renderer_version"],
    )


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield what the first Ctrl-C or SIGTERM sets; the second one ends the process as usual."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(*_: object) -> None:
        stopped.set()
        for number, handler in usual.items():
            signal.signal(number, handler)

    for number in usual:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
