"""`manage.py verify_exports`: render what was exported again from its frozen snapshot, and compare the bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any

from django.core.management.base import CommandParser
from uuid6 import uuid7

from exports.management.options import (
    ALL_DONE,
    EXIT_STATUS,
    INTERRUPTED,
    SOME_FAILED,
    ExportsCommand,
    add_bounds,
    add_selection,
    read_selection,
    stopped_by_signals,
)
from exports.management.reporting import print_report, showing
from exports.models import Export
from exports.services.reports import Report
from exports.services.selection import EXPORTS_A_PAGE, estimate, in_pages
from exports.services.verification import Finding, Subject, Verdict, examine, prepare

HELP = f"""\
Check exports that succeeded: that the stored artifact has the bytes that were made, that its pictures and what the
export says of them are still there and fit together, and that rendering the frozen snapshot again gives the same
bytes. Nothing is written.

What was made by another version of the renderer, or shows a picture that was redacted since, is not rendered again;
it is counted as not comparable, which is no failure, and all else is checked.
{EXIT_STATUS} An export that differs has failed."""


class Command(ExportsCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(
            parser,
            span_of="of exports asked for in this span",
            made_by="only what was made by such a renderer, such as pdf-2",
        )
        add_bounds(
            parser,
            limit="check N exports at most",
            concurrency="render N at once, here and not in a worker",
            usual=2,
            most=4,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = read_selection(options).exports()
        report = Report("verify_exports", f"verify-{uuid7()}")
        limit = options["limit"] or None
        total = min(estimate(rows), limit or 10**9)
        with stopped_by_signals() as stopped, showing(report, total, self.stderr) as shown:
            exports = islice(in_pages(rows, EXPORTS_A_PAGE), limit)
            for verdict in _verdicts(exports, options["concurrency"], stopped):
                _count(report, verdict)
                shown.advance()
            if stopped.is_set():
                report.ended_as = "interrupted"
        status = INTERRUPTED if stopped.is_set() else SOME_FAILED if report.total("differs") else ALL_DONE
        print_report(report, self.stdout, status=status, as_json=options["json"])
        if status:
            raise SystemExit(status)


def _verdicts(exports: Iterator[Export], threads: int, stopped: threading.Event) -> Iterator[Verdict]:
    """Yield the verdicts as they come; rows are read here, and no more of them than threads can take."""
    with ThreadPoolExecutor(threads) as pool:
        running: set[Future[Verdict]] = set()
        submit: Callable[..., Future[Verdict]] = pool.submit
        while not stopped.is_set():
            running |= {submit(_examine, prepare(one)) for one in islice(exports, threads * 2 - len(running))}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
        for future in running:
            future.cancel()


def _examine(subject: Subject) -> Verdict:
    """Return the verdict on an export. A file that cannot be read now fails this one alone, and not the run."""
    try:
        return examine(subject)
    except OSError as error:
        return Verdict(subject.export, (*subject.found, Finding("UNREADABLE", str(error))))


def _count(report: Report, verdict: Verdict) -> None:
    codes = sorted({finding.code for finding in verdict.found})
    report.count(
        verdict.export.format,
        verdict.outcome,
        *codes,
        export_id=str(verdict.export.pk),
        job_id=str(verdict.export.job_id),
        message="; ".join(map(str, verdict.found)),
    )
