"""The plumbing of `make bench`: its rows, its table, and the figures in the README. It measures nothing itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.bench import load, readme, results
from tests.bench.calls import compare_calls
from tests.bench.rows import ROWS
from tests.served import ROOT

GOALS = {
    "GET /jobs/{id}: CPU": "get",
    "GET /jobs/{id}: statements": "queries",
    "the same, not modified": "not-modified",
    "a list": "list",
    "level with a FastAPI twin": "twin",
    "callback": "callback",
    "one hot job": "hot-job",
    "lists and sweeps with many rows": "growth",
    "pages of the admin with a million jobs": "admin",
    "frame at a timestamp": "frame",
    "frame out of a bucket": "bucket-frame",
    "20 frames that lie close together": "close-frames",
    "memory in the video's length": "frame-memory",
    "annotated picture": "annotation",
    "PUT of 200 steps": "save",
    "GET the newest version: statements": "document",
    "draft by rules of an hour": "draft",
    "PDF": "pdf",
    "1,000 small exports by a backfill": "backfill",
    "enqueue to claim": "claim",
    "upload": "upload",
    "speech": "speech",
    "serve and commands start": "start",
}


def test_every_goal_of_the_design_is_a_row() -> None:
    assert set(GOALS.values()) == set(ROWS)
    assert len(set(ROWS)) == len(ROWS)


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    asked = subprocess.run(
        [sys.executable, "tests/bench/run.py", "nothing"], cwd=ROOT, capture_output=True, text=True
    )
    assert asked.returncode == 2
    assert "there is no row nothing; there are get, " in asked.stderr


def test_a_result_says_whether_its_goal_is_met() -> None:
    at_goal, over = (results.at_most("a", value, 0.5, "×") for value in (0.5, 0.501))
    under = results.at_least("b", 0.849, 0.85, "×")
    assert [at_goal.verdict, over.verdict, under.verdict] == ["met", "MISSED", "MISSED"]


def test_the_table_shows_what_was_not_measured_and_why() -> None:
    found = [results.figure("a", 1234.5, "MiB"), results.not_measured("bb", "no Redis here", "at most 50")]
    assert results.table(found).splitlines()[1:] == [
        "a     1,234 MiB",
        "bb    not measured: no Redis here  at most 50",
    ]


def test_a_ratio_is_the_median_over_the_pairs_of_turns() -> None:
    assert load.ratio([1.0, 2.0, 30.0], [2.0, 4.0, 3.0]) == 0.5


def test_the_first_pair_of_calls_does_not_count() -> None:
    ticks = iter([0, 9, 9, 10, *(number for turn in range(3) for number in (0, 2, 2, 3))])
    found = compare_calls(lambda: None, lambda: 1, clock=lambda: float(next(ticks)), turns=3)
    assert (found.ours_ms, found.bare_ms, found.ratio) == (2000, 1000, 2.0)


@pytest.mark.parametrize(
    ("answer", "is_whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", False),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nx: y\r\n", False),
    ],
)
def test_an_answer_ends_where_its_length_says(answer: bytes, is_whole: bool) -> None:
    assert load.is_whole(bytearray(answer)) is is_whole


def test_the_readme_has_the_figures_that_were_measured() -> None:
    made = readme.section(json.loads(readme.FIGURES.read_text()))
    assert made in readme.README.read_text()
