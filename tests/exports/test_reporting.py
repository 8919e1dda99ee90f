"""What operators see of a run: the bar on a terminal, plain lines elsewhere, and the table at the end."""

from __future__ import annotations

import io
import json
import re

import pytest
from django.core.management.base import OutputWrapper

from exports.management import reporting
from exports.management.reporting import print_report, showing
from exports.services.reports import MAX_LISTED, Report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, *, total: int, done: int) -> str:
    """Return what is written, marks of colour left out, while so many exports are dealt with."""
    report = Report("verify_exports", "run")
    with showing(report, total, OutputWrapper(stream)) as bar:
        for _ in range(done):
            report.count("PDF", "same")
            bar.advance()
            bar.bar.refresh()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


@pytest.mark.parametrize(
    ("total", "done", "middle", "end"),
    [
        (9, 3, ["0 of about 9", "2 of about 9"], "3"),  # more was estimated than there was
        (2, 3, ["0 of about 2", "2 so far", "3 so far"], "3"),
        (0, 0, ["0 so far"], "0"),
    ],
)
def test_the_bar_says_what_is_estimated_and_at_the_end_what_was_done(
    total: int, done: int, middle: list[str], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    written = shown(Terminal(), total=total, done=done)
    assert all(words in written for words in middle)
    last = written.replace("\r", "\n").strip().split("\n")[-1]
    assert re.fullmatch(rf"verify_exports ━+ {end} 0:00:0\d", last.strip()), last
    assert f"{done} of about {done}" not in written


def test_a_bar_that_reaches_its_estimate_is_full_only_at_the_end() -> None:
    report = Report("verify_exports", "run")
    with showing(report, 2, OutputWrapper(Terminal())) as bar:
        (task,) = bar.bar.tasks
        for total in (2, None, None):
            report.count("PDF", "same")
            bar.advance()
            assert (task.total, task.finished) == (total, False)
    assert (task.total, task.finished) == (3, True)


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "LINE_SECONDS", 0.0)
    assert shown(io.StringIO(), total=2, done=3).splitlines() == [
        "1 of about 2: 1 same",
        "2 so far: 2 same",
        "3 so far: 3 same",
    ]


@pytest.mark.parametrize("more", [0, 7])
def test_what_is_not_listed_is_counted_by_exports_and_not_by_reasons(more: int) -> None:
    report = Report("verify_exports", "run")
    for number in range(MAX_LISTED + more):
        report.count("PDF", "differs", "BYTES_DIFFER", "ARTIFACT_CHANGED", export_id=str(number))
    report.count("PDF", "same")
    table, plain = io.StringIO(), io.StringIO()
    print_report(report, OutputWrapper(table), status=1, as_json=False)
    assert table.getvalue().count("differs: PDF") == MAX_LISTED
    assert ("… and 7 more\n" in table.getvalue()) == bool(more)
    print_report(report, OutputWrapper(plain), status=1, as_json=True)
    said = json.loads(plain.getvalue())
    assert (len(said["listed"]), said["left_off"], said["totals"]) == (
        MAX_LISTED,
        more,
        {"differs": MAX_LISTED + more, "same": 1},
    )
