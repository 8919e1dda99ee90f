"""A backfill of many small guides, beside the renderer alone in a loop with as many at once. The two take turns.

What is asked for here is performed by `manage.py work` in a process of its own, as with the operator's command.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock
from uuid import UUID

import psutil
from django.db import transaction
from PIL import Image

from anchors.frames import encode_image
from anchors.models import Asset
from anchors.pixels import pixels_sha256
from anchors.services.anchors import add_anchor, add_asset
from config.storage import kept_folder, storage
from config.work.lanes import Lane
from exports.models import Export
from exports.services.backfill import Backfill, Pace
from exports.services.rendering import render_document
from exports.services.reports import Report
from exports.services.selection import Selection
from exports.snapshot import Document
from instructions.models import InstructionVersion
from jobs.states import JobStatus
from tests.bench.results import Result, at_least, figure
from tests.bench.service import database_cpu, postmaster
from tests.exports.documents import drawing
from tests.factories import DRAFT, force, make_job, make_user
from tests.served import ROOT

EXPORTS = int(os.environ.get("BACKFILL_EXPORTS", "1000"))
OWNERS, AT_ONCE, OPEN, TURNS = 10, 2, 64, 5
STEPS = 5
GUIDE = "# Send an invoice\n\n" + "".join(
    f"## Step {number}: Open the page number {number} (0:0{number}–0:0{number + 1})\n\n"
    f"Click **Invoices** in the menu. The list number {number} opens.\n\n"
    for number in range(1, STEPS + 1)
)
PICTURES = [drawing(number, size=(1280, 720)) for number in range(STEPS)]
LANE = Lane.EXPORT_BACKFILL


def measure() -> Iterator[Result]:
    make_jobs()
    memory: list[float] = []
    turns: list[tuple[Turn, Turn]] = []
    with working():
        run(20)  # children, connections and fonts are there
        for _ in range(TURNS):
            backfill = timed(lambda: run(EXPORTS // TURNS, memory).total("exported"))
            kept = documents(EXPORTS // TURNS)
            turns.append((backfill, timed(lambda kept=kept: render_alone(kept))))  # type: ignore[misc]
    made = sum(backfill.number for backfill, _ in turns)
    if made != EXPORTS // TURNS * TURNS:
        raise RuntimeError(f"only {made} were exported")
    rates, cpu = (
        [getattr(backfill, each) / getattr(alone, each) for backfill, alone in turns]
        for each in ("a_second", "a_cpu_second")
    )
    facts = {
        "exports": made,
        "a_second": round(statistics.median(backfill.a_second for backfill, _ in turns), 2),
        "alone_a_second": round(statistics.median(alone.a_second for _, alone in turns), 2),
    }
    name, unit = "Backfill of PDFs of 5 steps with pictures", "× the renderer alone"
    yield at_least(f"{name}: rate", round(statistics.median(rates), 2), 0.8, unit, **facts)
    yield figure(f"{name}: for the same CPU", round(statistics.median(cpu), 2), unit)
    half = len(memory) // 2
    grown = max(memory[half:]) - max(memory[:half])
    unit = "MiB more in the second half"
    yield figure("Backfill: memory of its process", round(grown, 1), unit, most_mib=round(max(memory), 1))


@contextmanager
def working() -> Iterator[None]:
    """While a worker process serves the lane."""
    worker = subprocess.Popen([sys.executable, "manage.py", "work", f"{LANE}:{AT_ONCE}"], cwd=ROOT)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(20)


class Turn(NamedTuple):
    """How many one side made in one turn, and the seconds and CPU seconds that it took, PostgreSQL's too."""

    number: int
    seconds: float
    cpu_seconds: float

    @property
    def a_second(self) -> float:
        return self.number / self.seconds

    @property
    def a_cpu_second(self) -> float:
        return self.number / self.cpu_seconds


def timed(side: Callable[[], int]) -> Turn:
    gc.collect()
    began, before = time.perf_counter(), cpu()
    number = side()
    return Turn(number, time.perf_counter() - began, cpu() - before)


def cpu() -> float:
    """Return the CPU seconds of this process, of those that it and they have started, and of PostgreSQL."""
    process, postgres = psutil.Process(), postmaster()
    started = [child for child in process.children() if child.pid != postgres]
    processes = [process, *started, *(below for child in started for below in child.children(recursive=True))]
    return sum(sum(each.cpu_times()[:4]) for each in processes) + database_cpu()


def make_jobs() -> None:
    for number in range(EXPORTS + 20):
        with mock.patch.dict(DRAFT, markdown=GUIDE):
            job = make_job(JobStatus.EDITING, owner=make_user(f"owner {number % OWNERS}"))
        version = job.instruction.versions.latest("version")
        steps = [block["block_id"] for block in version.blocks if block["kind"] == "step"]
        for step, picture in zip(steps, PICTURES, strict=True):
            put_picture(version, step, picture)
        force(job, JobStatus.DONE)


def put_picture(version: InstructionVersion, step: str, picture: Image.Image) -> None:
    """Put a picture on a step, as if it was a frame of the video."""
    document = version.instruction
    place = {"address_type": "block_id", "block_id": step}
    anchor = add_anchor(document, version, "addressing", **place)
    stored = storage().save_bytes(kept_folder(document.job_id), encode_image(picture, "png"), suffix=".png")
    about = {"kind": "EXTRACTED", "mime_type": "image/png", "pixels_sha256": pixels_sha256(picture)}
    with transaction.atomic():
        add_asset(document.job_id, anchor.pk, stored, size=picture.size, **about)


def run(number: int, memory: list[float] | None = None) -> Report:
    process, report = psutil.Process(), Report("backfill_exports", "bench")

    def advance() -> None:
        if memory is not None:
            memory.append(process.memory_info().rss / 2**20)

    selection = Selection(formats=("PDF",))
    pace = Pace(concurrency=OPEN, limit=number)
    options: dict[str, Any] = {"only_missing": True, "stopped": threading.Event(), "advance": advance}
    return Backfill(selection, pace, report, say=print, **options).run()


def documents(number: int) -> list[tuple[Document, dict[UUID, str]]]:
    """Return what the newest exports were rendered from."""
    exports = Export.objects.filter(lane=LANE).order_by("-pk")[:number]
    return [
        (
            Document.from_json(export.snapshot),
            dict(Asset.objects.filter(job=export.job_id).values_list("pk", "uri")),
        )
        for export in exports
    ]


def render_alone(kept: list[tuple[Document, dict[UUID, str]]]) -> int:
    """Render these documents by as many threads as the lane has; return how many they were."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return len(list(pool.map(render, kept)))


def render(kept: tuple[Document, dict[UUID, str]]) -> None:
    render_document("PDF", *kept, check=lambda: None)
