"""A PDF of twenty steps with twenty pictures, beside typst on the same input."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import typst

from anchors.frames import encode_image, grab_frames
from anchors.pixels import pixels_sha256
from config import sandbox
from exports.renderers import Rendered, RenderedFile, pdf, render_files
from exports.renderers.fonts import fonts
from exports.snapshot import Document
from tests.bench.calls import compare_calls
from tests.bench.profiles import why
from tests.bench.results import Result, at_most, figure
from tests.exports.documents import block_id, make_document, with_markers
from tests.factories import SAMPLE

STEPS = 20
FORGET = 11  # compilations after which typst has forgotten what it knew


def measure() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document, pictures = make_guide(folder)
        kept = as_typst_gets_it(folder, document, pictures)

        def ours() -> bytes:
            return render_files("PDF", document, pictures).content

        assert ours() == bare(kept)  # the input is the same when the bytes are
        found = compare_calls(ours, lambda: bare(kept), before=forget)
        details = {**found.facts(), **why(found.ratio <= 1.2, ours)}
        yield at_most("PDF, 20 steps and 20 pictures: CPU", found.ratio, 1.2, "× bare typst", **details)
        yield through_the_child(document, pictures)


def make_guide(folder: Path) -> tuple[Document, dict[str, Path]]:
    """Return a guide with a picture of the sample at each step, and the files of the pictures by asset id."""
    steps = (
        f"## Step {number}: Open the page number {number} (0:{number:02}–0:{number + 1:02})\n\n"
        f"Click **Invoices** in the menu, then `New`. The list number {number} opens:\n\n"
        "- newest first,\n- paid ones in grey.\n"
        for number in range(1, STEPS + 1)
    )
    text = with_markers("# Send an invoice\n\nWhat you need: an account.\n\n" + "\n".join(steps))
    frames = grab_frames(SAMPLE, [2_000 * number for number in range(1, STEPS + 1)])
    placed = [
        (block_id(text, f"Open the page number {number}"), encode_image(frame.image, "png"))
        for number, frame in enumerate(frames, start=1)
    ]
    document, _ = make_document(text, placed)
    # As the rows of pictures that were taken out of a video have it.
    shown = [
        replace(picture, pixels_sha256=pixels_sha256(frame.image))
        for picture, frame in zip(document.pictures, frames, strict=True)
    ]
    document = replace(document, pictures=tuple(shown))
    files = {}
    for picture, (_, content) in zip(document.pictures, placed, strict=True):
        files[picture.asset_id] = folder / f"{picture.asset_id}.png"
        files[picture.asset_id].write_bytes(content)
    return document, files


def as_typst_gets_it(folder: Path, document: Document, pictures: dict[str, Path]) -> Path:
    """Return a copy of the folder that the renderer hands to typst."""
    kept, compile_folder = folder / "kept", pdf._compile

    def keep(folder: Path) -> bytes:
        shutil.copytree(folder, kept)
        return compile_folder(folder)

    with mock.patch.object(pdf, "_compile", keep):
        render_files("PDF", document, pictures)
    return kept


def bare(folder: Path) -> bytes:
    settings: dict[str, Any] = {"font_paths": fonts(), "ignore_system_fonts": True}
    made: bytes = typst.compile(
        folder / "guide.typ", root=folder, format="pdf", pdf_standards=["ua-1"], **settings
    )
    return made


def forget() -> None:
    """Empty typst's cache, so that neither side finds what the other has left there."""
    for _ in range(FORGET):
        typst.compile(b"", format="pdf", font_paths=fonts(), ignore_system_fonts=True)


def through_the_child(document: Document, pictures: dict[str, Path]) -> Result:
    def here() -> Rendered:
        return render_files("PDF", document, pictures)

    def in_child() -> Rendered:
        limits, returns = sandbox.limits.EXPORT, (Rendered, RenderedFile)
        return sandbox.call(render_files, "PDF", document, pictures, limits=limits, returns=returns)

    waited = compare_calls(in_child, here, clock=time.perf_counter)
    name, unit = "PDF through the sandbox: time", "× the same in this process"
    return figure(name, waited.ratio, unit, **waited.facts())
