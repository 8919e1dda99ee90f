"""An annotated picture, beside what Pillow takes to decode it, to draw on it and to encode it."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from anchors.drawing import Drawn, draw_on_file
from anchors.frames import grab_frame
from config import sandbox
from tests.bench.calls import compare_calls
from tests.bench.profiles import why
from tests.bench.results import Result, at_most, figure
from tests.factories import SAMPLE

SIZE = (1920, 1080)
RED, YELLOW = "#E5484D", (0xFF, 0xD6, 0x0A, 102)
# What a step of a guide has: something is hidden, something is pointed at, framed, numbered, named and marked.
OPERATIONS: list[dict[str, Any]] = [
    {"op_type": "blur", "geometry": {"x": 0.05, "y": 0.05, "width": 0.2, "height": 0.06}},
    {"op_type": "arrow", "geometry": {"from": {"x": 0.3, "y": 0.3}, "to": {"x": 0.45, "y": 0.4}}},
    {"op_type": "box", "geometry": {"x": 0.46, "y": 0.38, "width": 0.12, "height": 0.07}},
    {"op_type": "badge", "geometry": {"x": 0.44, "y": 0.36}, "style": {"label": "1"}},
    {"op_type": "text", "geometry": {"x": 0.6, "y": 0.4}, "style": {"text": "Click here"}},
    {"op_type": "marker", "geometry": {"x": 0.1, "y": 0.6, "width": 0.3, "height": 0.03}},
]


def measure() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base.png"
        grab_frame(SAMPLE, 20_000).image.resize(SIZE, Image.Resampling.LANCZOS).save(base, "PNG")
        ours = partial(draw_on_file, base, OPERATIONS)
        found = compare_calls(ours, partial(bare, base), turns=15)
        details = {**found.facts(), **why(found.ratio <= 1.1, ours)}
        unit = "× Pillow's decoding, drawing and encoding"
        yield at_most("Annotated 1080p PNG: CPU", found.ratio, 1.1, unit, **details)
        limits = sandbox.limits.ANNOTATION
        in_child = partial(sandbox.call, draw_on_file, base, OPERATIONS, limits=limits, returns=(Drawn,))
        waited = compare_calls(in_child, ours, clock=time.perf_counter)
        name, unit = "Annotated PNG through the sandbox: time", "× the same in this process"
        yield figure(name, waited.ratio, unit, **waited.facts())


def bare(path: Path) -> bytes:
    """Draw the same things as Pillow does it by itself, with hard edges, and encode as we do: RGB, level 1."""
    width, height = SIZE
    with Image.open(io.BytesIO(path.read_bytes())) as opened:
        image = opened.convert("RGB")
    hidden = (int(0.05 * width), int(0.05 * height), int(0.25 * width), int(0.11 * height))
    part = image.crop(hidden)
    image.paste(part.resize((3, 2), Image.Resampling.BOX).resize(part.size, Image.Resampling.NEAREST), hidden)
    pen = ImageDraw.Draw(image, "RGBA")
    pen.line((0.3 * width, 0.3 * height, 0.45 * width, 0.4 * height), RED, 12)
    tip = (0.45 * width, 0.4 * height)
    pen.polygon([tip, (tip[0] - 50, tip[1] - 10), (tip[0] - 25, tip[1] - 45)], RED)
    pen.rounded_rectangle(
        (0.46 * width, 0.38 * height, 0.58 * width, 0.45 * height), 15, outline=RED, width=8
    )
    pen.circle((0.44 * width, 0.36 * height), 33, RED)
    pen.text((0.44 * width, 0.36 * height), "1", "white", font(40), anchor="mm")
    pen.text((0.6 * width, 0.4 * height), "Click here", RED, font(46))
    pen.rectangle((0.1 * width, 0.6 * height, 0.4 * width, 0.63 * height), YELLOW)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(files("manimgx_fonts") / "NotoSans[wght].ttf"), size)
