"""A backfill of many small guides, beside the renderer alone in a loop with as many at once."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
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
from config.work.registry import load_kinds
from exports.models import Export
from exports.services.backfill import Backfill, Pace
from exports.services.rendering import render_document
from exports.services.reports import Report
from exports.services.selection import Selection
from exports.snapshot import Document
from instructions.models import InstructionVersion
from jobs.states import JobStatus
from tests.bench.results import Result, at_least, figure
from tests.exports.documents import drawing
from tests.factories import DRAFT, force, make_job, make_user
from tests.workers import running_worker

EXPORTS = int(os.environ.get("BACKFILL_EXPORTS", "1000"))
OWNERS, AT_ONCE, OPEN = 10, 2, 64
STEPS = 5
GUIDE = "# Send an invoice\n\n" + "".join(
    f"## Step {number}: Open the page number {number} (0:0{number}–0:0{number + 1})\n\n"
    f"Click **Invoices** in the menu. The list number {number} opens.\n\n"
    for number in range(1, STEPS + 1)
)
PICTURES = [drawing(number, size=(1280, 720)) for number in range(STEPS)]
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
        "Backfill of PDFs of 5 steps with pictures: rate",
        round(rate / alone, 2),
        0.8,
        "× the renderer alone",
        **facts,
    )
    half = len(memory) // 2
    grown = max(memory[half:]) - max(memory[:half])
    unit = "MiB more in the second half"
    yield figure("Backfill: memory of its process", round(grown, 1), unit, most_mib=round(max(memory), 1))


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
