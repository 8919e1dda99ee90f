"""A backfill of many small exports, beside the renderer alone in a loop with as many at once."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psutil

from anchors.models import Asset
from config.work.lanes import Lane
from config.work.registry import load_kinds
from exports.models import Export
from exports.services.backfill import Backfill, Pace
from exports.services.rendering import render_document
from exports.services.reports import Report
from exports.services.selection import Selection
from exports.snapshot import Document
from jobs.states import JobStatus
from tests.bench.results import Result, at_least, figure
from tests.factories import force, make_anchor, make_asset, make_job, make_user
from tests.workers import running_worker

EXPORTS = int(os.environ.get("BACKFILL_EXPORTS", "1000"))
OWNERS, AT_ONCE, OPEN = 10, 2, 8
LANE = Lane.EXPORT_BACKFILL


def measure() -> Iterator[Result]:
    load_kinds()
    make_jobs()
    memory: list[float] = []
    with running_worker("", threads={LANE: AT_ONCE}):
        run(20)  # children, connections and fonts are there
        began = time.perf_counter()
        report = run(EXPORTS, memory)
        seconds = time.perf_counter() - began
    made = report.total("exported")
    if made != EXPORTS:
        raise RuntimeError(f"{report.to_json()['totals']}: not all were exported")
    rate, alone = made / seconds, render_alone()
    facts = {"exports": made, "a_second": round(rate, 2), "alone_a_second": round(alone, 2)}
    yield at_least(
        "Backfill of small PDFs: rate", round(rate / alone, 2), 0.8, "× the renderer alone", **facts
    )
    half = len(memory) // 2
    grown = max(memory[half:]) - max(memory[:half])
    unit = "MiB more in the second half"
    yield figure("Backfill: memory of its process", round(grown, 1), unit, most_mib=round(max(memory), 1))


def make_jobs() -> None:
    for number in range(EXPORTS + 20):
        job = make_job(JobStatus.EDITING, owner=make_user(f"owner {number % OWNERS}"))
        make_asset(job, anchor=make_anchor(job))
        force(job, JobStatus.DONE)


def run(number: int, memory: list[float] | None = None) -> Report:
    process, report = psutil.Process(), Report("backfill_exports", "bench")

    def advance() -> None:
        if memory is not None:
            memory.append(process.memory_info().rss / 2**20)

    selection = Selection(formats=("PDF",))
    pace = Pace(concurrency=OPEN, limit=number)
    options: dict[str, Any] = {"only_missing": True, "stopped": threading.Event(), "advance": advance}
    return Backfill(selection, pace, report, say=print, **options).run()


def render_alone() -> float:
    """Return how many of the same documents are rendered a second, by as many threads as the lane has."""
    gc.collect()
    kept = [
        (
            Document.from_json(export.snapshot),
            dict(Asset.objects.filter(job=export.job_id).values_list("pk", "uri")),
        )
        for export in Export.objects.filter(lane=LANE)[: min(EXPORTS, 200)]
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(render, kept[:10]))
        began = time.perf_counter()
        list(pool.map(render, kept))
        return len(kept) / (time.perf_counter() - began)


def render(kept: tuple[Document, dict[UUID, str]]) -> None:
    render_document("PDF", *kept, check=lambda: None)
