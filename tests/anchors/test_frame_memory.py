"""What frames hold of memory: a child takes one picture after another."""

from __future__ import annotations

import gc
from pathlib import Path

import av
import psutil
import pytest

from anchors.frames import Strategy, grab_frame

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("strategy", ["precise", "nearest_keyframe"])
def test_a_decoder_is_dropped_with_its_reader(strategy: Strategy, tmp_path: Path) -> None:
    """Without waiting for the garbage collector, which comes by the number of objects, not by their size."""
    video = tmp_path / "v.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "5"}
        frame = av.VideoFrame(1920, 1080, "yuv420p")
        for at in range(20):
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    process = psutil.Process()
    gc.collect()
    gc.disable()
    try:
        grab_frame(video, 0, strategy=strategy)
        before = process.memory_info().rss
        for number in range(10):
            grab_frame(video, 100 * number + 50, strategy=strategy)
        grown = process.memory_info().rss - before
    finally:
        gc.enable()
    assert grown < 20 * 2**20, f"{grown >> 20} MiB"
