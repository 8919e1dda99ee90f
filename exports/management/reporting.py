"""What an operator sees: a bar on a terminal, else plain lines, on stderr; at the end a table or JSON on stdout."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from exports.services.reports import Report

LINE_SECONDS = 10.0  # between two plain lines


class Shown:
    """Shows how far a run is: `advance` after each export, `say` for a sentence, `end` after the last export.

    The total is an estimate. Once there are more, the bar only says that the run goes on.
    """

    def __init__(self, console: Console, report: Report, total: int) -> None:
        self.console, self.report, self.total = console, report, total
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[far]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task(report.command, total=total, far=self._far())
        self.next_line_at = time.monotonic() + LINE_SECONDS

    def advance(self) -> None:
        done = self.report.total()
        self.bar.tasks[0].total = self.total if done < self.total else None
        self.bar.update(self.task, completed=done, far=self._far())
        if not self.console.is_terminal and time.monotonic() >= self.next_line_at:
            self.next_line_at = time.monotonic() + LINE_SECONDS
            self.say(f"{self._far()}: {summary(self.report)}")

    def end(self) -> None:
        done = self.report.total()
        self.bar.update(self.task, completed=done, total=done, far=str(done))

    def _far(self) -> str:
        done = self.report.total()
        return f"{done} of about {self.total}" if done < self.total else f"{done} so far"

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _console(stream: OutputWrapper) -> Console:
    stream.ending = ""  # what is written has its ends of lines
    return Console(file=cast(IO[str], stream))


@contextmanager
def showing(report: Report, total: int, stream: OutputWrapper) -> Iterator[Shown]:
    shown = Shown(_console(stream), report, total)
    with shown.bar:
        yield shown
        shown.end()


def summary(report: Report) -> str:
    """Return such as `12 exported, 3 present`."""
    totals = report.to_json()["totals"]
    return (
        ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in totals.items()) or "nothing"
    )


def print_report(report: Report, stream: OutputWrapper, *, status: int, as_json: bool) -> None:
    """Print the object for programs, or the table with what is listed."""
    if as_json:
        stream.write(json.dumps({**report.to_json(), "exit_status": status}, indent=2) + "\n")
        return
    console = _console(stream)
    outcomes = sorted({outcome for _, outcome in report.counts})
    table = Table("format")
    for outcome in outcomes:
        table.add_column(outcome.replace("_", " "), justify="right")
    for format, counts in report.by_format().items():
        table.add_row(format, *(str(counts.get(outcome, 0)) for outcome in outcomes))
    console.print(table if outcomes else "Nothing is selected.")
    for one in report.listed:
        console.print(_line(one), markup=False, highlight=False, soft_wrap=True)
    if report.left_off:
        console.print(f"… and {report.left_off} more")
    if report.ended_as != "finished":
        console.print(f"Ended: {report.ended_as.replace('_', ' ')}. Run it again to go on.")


def _line(one: dict[str, Any]) -> str:
    which = one.get("export_id") or f"job {one.get('job_id')}"
    return f"{one['outcome']}: {one['format']} {which}: {', '.join(one['codes'])}: {one.get('message', '')}"
