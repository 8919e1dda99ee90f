"""Pictures out of a video, beside PyAV's own seek and decoding; and what they hold of memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image

from anchors.frames import EncodedFrame, grab_encoded, grab_frame, grab_frames
from config import sandbox
from tests.bench.calls import compare_calls
from tests.bench.profiles import why
from tests.bench.results import Result, at_most, figure
from tests.factories import SAMPLE
from tests.s3 import remote_copy
from tests.served import ROOT

# All over the sample, at all distances from its key frames, which come every 5 s.
TIMES_MS = [317 + 4_811 * number for number in range(10)]
# Within one of its key frame intervals: a second and a half around a click.
CLOSE_MS = [21_000 + 75 * number for number in range(20)]
SHORT_S, LONG_S = 20, 2400
MAX_GROWTH_MIB = 8
BARE = "× a bare PyAV seek and decode"


def measure(rows: Collection[str]) -> Iterator[Result]:
    measures = {
        "frame": frame,
        "bucket-frame": bucket_frame,
        "close-frames": close_frames,
        "frame-memory": frame_memory,
    }
    for row in rows:
        yield from measures[row]()


def frame() -> Iterator[Result]:
    for at in TIMES_MS[:3]:
        assert (
            abs_difference(grab_frame(SAMPLE, at).image, bare_frame(SAMPLE, at)) < 2
        )  # it is the same picture

    def ours() -> None:
        for at in TIMES_MS:
            grab_frame(SAMPLE, at)

    def bare() -> None:
        for at in TIMES_MS:
            bare_frame(SAMPLE, at)

    found = compare_calls(ours, bare)
    details = {**found.facts(), "frames": len(TIMES_MS), **why(found.ratio <= 1.1, ours)}
    yield at_most("Frame at a timestamp: CPU", found.ratio, 1.1, BARE, **details)
    yield through_the_child()


def bucket_frame() -> Iterator[Result]:
    """The wall clock, as most of it is waiting for the service, which runs in this process."""
    remote = remote_copy(SAMPLE)

    def ours() -> None:
        for at in TIMES_MS:
            grab_frame(remote, at)

    def bare() -> None:
        for at in TIMES_MS:
            bare_frame(remote.open(), at)

    found = compare_calls(ours, bare, clock=time.perf_counter)
    details = {**found.facts(), "frames": len(TIMES_MS), **why(found.ratio <= 1.3, ours)}
    yield at_most("Frame out of a bucket: time", found.ratio, 1.3, f"{BARE} of the same ranges", **details)


def bare_frame(file: Path | BinaryIO, at_ms: int) -> Image.Image:
    """Return the last frame with pts <= t, in as little code as it takes when the file is as it should be."""
    with av.open(str(file) if isinstance(file, Path) else file) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        target = int(at_ms / 1000 / stream.time_base)
        container.seek(target, stream=stream)
        shown = None
        for decoded in container.decode(stream):
            if decoded.pts is not None and decoded.pts > target and shown is not None:
                break
            shown = decoded
        assert shown is not None
        image: Image.Image = shown.to_image()
        return image


def abs_difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def through_the_child() -> Result:
    """The wall clock of what a worker waits for, the PNG included, in terms of the same in this process."""
    take = partial(grab_encoded, SAMPLE, TIMES_MS[3], strategy="precise", image_format="png")
    found = compare_calls(
        lambda: sandbox.call(take, limits=sandbox.limits.FRAME, returns=(EncodedFrame,)),
        take,
        clock=time.perf_counter,
    )
    return figure(
        "Frame as PNG through the sandbox: time", found.ratio, "× the same in this process", **found.facts()
    )


def close_frames() -> Iterator[Result]:
    """Twenty in one pass, in terms of one of them by itself: the mean of all twenty, each by itself."""

    def singles() -> None:
        for at in CLOSE_MS:
            grab_frame(SAMPLE, at)

    def together() -> None:
        grab_frames(SAMPLE, CLOSE_MS)

    found = compare_calls(together, singles, turns=5)
    value = round(found.ratio * len(CLOSE_MS), 2)
    details = {**found.facts(), **why(value < 5, together)}
    yield at_most("20 frames that lie close together: CPU", value, 5, "singles", **details)


def frame_memory() -> Iterator[Result]:
    """The peak of a process that takes a frame near the end of a long recording, less that for a short one."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.mp4", Path(folder) / "long.mp4"
        write_recording(short, SHORT_S)
        write_recording(long, LONG_S)
        peaks = {path.stem: peak_mib(path, seconds) for path, seconds in ((short, SHORT_S), (long, LONG_S))}
    grown = round(peaks["long"] - peaks["short"], 1)
    name = f"Frame near the end of {LONG_S // 60} minutes: memory over {SHORT_S} seconds"
    yield at_most(name, grown, MAX_GROWTH_MIB, "MiB", **peaks)


def write_recording(path: Path, seconds: int, *, rate: int = 10) -> None:
    """A screen of 1280x720 on which a bar moves: one key frame interval of 10 s, again and again."""
    interval = 10 * rate
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(interval)}  # without B-frames: packets are in order
        packets = [packet for frame in moving_bar(interval) for packet in stream.encode(frame)]
        packets += stream.encode(None)
        step = int(1 / rate / packets[0].time_base)
        for number in range(seconds * rate):
            packet = av.Packet(bytes(source := packets[number % interval]))
            packet.stream, packet.time_base, packet.is_keyframe = stream, source.time_base, source.is_keyframe
            packet.pts = packet.dts = number * step
            container.mux(packet)


def moving_bar(count: int) -> Iterator[av.VideoFrame]:
    for number in range(count):
        planes = np.full((720 * 3 // 2, 1280), 128, np.uint8)
        planes[number : number + 100] = 200
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        yield frame


# Not getrusage: what a process took over from its parent's counts there.
PEAK = """
import re, sys
from pathlib import Path
from anchors.frames import grab_frame
for at in (0, int(sys.argv[2])):
    grab_frame(Path(sys.argv[1]), at)
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def peak_mib(path: Path, seconds: int) -> float:
    """Return the highest resident memory of a process that takes the first frame, and one of the last second."""
    command = [sys.executable, "-c", PEAK, str(path), str((seconds - 1) * 1000)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return round(float(done.stdout), 1)
