"""What is said of a frame as it stands in the file: its time, its pixel format, and the hash of its planes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anchors.frames import Frame, Strategy, grab_frame, grab_frames
from tests.anchors.videos import write_video

pytestmark = pytest.mark.slow
ODD = [np.random.default_rng(number).integers(256, size=(17, 35, 3), dtype=np.uint8) for number in range(4)]
LARGE = [
    np.random.default_rng(number).integers(256, size=(64, 128, 3), dtype=np.uint8) for number in range(12)
]
FFV1: dict[str, Any] = {"codec": "ffv1", "pictures": ODD, "pts": range(0, 400, 100), "options": {}}
VIDEOS: dict[str, dict[str, Any]] = {
    "bframes.mp4": {},
    "late.mp4": {"pts": range(5000, 7000, 100)},
    "late.mkv": {"pts": range(2000, 4000, 100), "sound_ms": (0, 4000)},
    "turned.mp4": {"rotate": {"degrees": 90}, "sample_aspect": Fraction(2, 1)},
    "uneven.mkv": {"pts": [0, 40, 50, 700, 1900, 1910, 1920, 4000]},
    "odd_444.mp4": {"pix_fmt": "yuv444p", "pictures": ODD, "pts": range(0, 400, 100)},
    "ten_bits.mkv": {"codec": "libx265", "pix_fmt": "yuv420p10le", "options": {"x265-params": "log-level=0"}},
    "odd_vp9.webm": {"codec": "libvpx-vp9", "pictures": ODD, "pts": range(0, 400, 100)},
    "av1.mp4": {"codec": "libsvtav1", "pictures": LARGE, "pts": range(0, 1200, 100), "options": {}},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "options": {"profile": "2"}},
    "alpha.mov": {"codec": "prores_ks", "pix_fmt": "yuva444p10le", "options": {"profile": "4"}},
    "jpeg.mov": {
        "codec": "mjpeg",
        "pix_fmt": "yuvj420p",
        "options": {"bf": "0"},
        "colours": {"color_range": 2},
    },
    "rgb.mp4": {"codec": "libx264rgb", "pix_fmt": "rgb24"},
    "packed.mkv": {**FFV1, "codec": "rawvideo", "pix_fmt": "nv12"},
    **{
        f"odd_{name}.mkv": {**FFV1, "pix_fmt": name}
        for name in ("yuv420p", "yuv422p", "yuv410p", "yuva420p", "gray", "gray10le", "yuv420p16le")
    },
}
SAMPLE_BYTES = {
    "nv12": (1, 2),
    **dict.fromkeys(("gray", "gray10le"), (1,)),
    **dict.fromkeys(("yuv420p", "yuv422p", "yuv410p", "yuv444p", "yuvj420p", "gbrp"), (1, 1, 1)),
}


def make(name: str, folder: Path) -> Path:
    return (
        write_palette(folder / name) if name == "palette.mov" else write_video(folder / name, **VIDEOS[name])
    )


def write_palette(path: Path) -> Path:
    noise = np.random.default_rng(5)
    with av.open(path, "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 35, 17, "pal8"
        for number in range(3):
            indices = noise.integers(256, size=(17, 35), dtype=np.uint8)
            palette = noise.integers(256, size=(256, 4), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray((indices, palette), format="pal8")  # type: ignore[arg-type]
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


NAMES = [*VIDEOS, "palette.mov"]


def decoded(video: Path) -> Iterator[av.VideoFrame]:
    with av.open(video) as container:
        yield from container.decode(video=0)


def all_frames(video: Path) -> list[Frame]:
    """Return each frame of a video, found by the times at which one gives way to the next."""
    found = [grab_frame(video, 0)]
    while found[-1].shown_until_ms is not None:
        found.append(grab_frame(video, found[-1].shown_until_ms))
    return found


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg is installed on this machine")
@pytest.mark.parametrize("name", NAMES)
def test_times_and_hashes_are_those_of_the_ffmpeg_command(name: str, tmp_path: Path) -> None:
    """The command stands in the docstring of `hashes.planes_sha256`."""
    video = make(name, tmp_path)
    options = "-map 0:v:0 -fps_mode passthrough -enc_time_base -1 -autoscale 0 -f framehash -hash sha256 -"
    command = ["ffmpeg", "-v", "error", "-noautorotate", "-copyts", "-i", str(video), *options.split()]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    (time_base,) = [line.split()[-1] for line in printed if line.startswith("#tb 0:")]
    rows = [[cell.strip() for cell in line.split(",")] for line in printed if not line.startswith("#")]
    expected = [(int(pts), time_base, digest) for _, _, pts, _, _, digest in rows]
    assert [(one.pts, one.time_base, one.frame_sha256) for one in all_frames(video)] == expected
    assert len(expected) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_is_of_the_decoded_planes_without_padding(name: str, tmp_path: Path) -> None:
    video = make(name, tmp_path)
    found = all_frames(video)
    frames = list(decoded(video))
    assert [(one.pts, one.pix_fmt) for one in found] == [(frame.pts, frame.format.name) for frame in frames]
    assert [one.frame_sha256 for one in found] == [hash_of(frame) for frame in frames]
    assert {Fraction(one.time_base) for one in found} == {frames[0].time_base}


def hash_of(frame: av.VideoFrame) -> str:
    found = hashlib.sha256()
    if frame.format.name == "pal8":
        indices, palette = frame.to_ndarray()
        return hashlib.sha256(indices.tobytes() + palette[:, ::-1].tobytes()).hexdigest()
    for plane, width in zip(frame.planes, row_bytes(frame), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        found.update(rows[:, :width].tobytes())
    return found.hexdigest()


def row_bytes(frame: av.VideoFrame) -> list[int]:
    deep = 2 if frame.format.components[0].bits > 8 else 1
    samples = SAMPLE_BYTES.get(frame.format.name, (1,) * len(frame.planes))
    return [plane.width * count * deep for plane, count in zip(frame.planes, samples, strict=True)]


@pytest.mark.parametrize("strategy", ["precise", "nearest_keyframe"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"ticks": Fraction(1, 30), "pts": [Fraction(1000 * n, 30) for n in range(60)]}),
        ("b.mkv", {"pts": [0, 40, 50, 700, 1900, 1910, 1920, 4000, 4001, 4040], "options": {"g": "3"}}),
        ("c.ts", {"pts": range(3000, 9000, 100)}),
        ("d.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "8", "b": "500k"}}),
        ("e.avi", {"codec": "mpeg4", "ticks": Fraction(1, 10), "options": {"bf": "0"}}),
    ],
)
def test_a_frame_is_shown_until_the_next_one(
    name: str, options: dict[str, Any], strategy: Strategy, tmp_path: Path
) -> None:
    video = write_video(tmp_path / name, **options)
    at = [grab_frame(video, one.shown_at_ms) for one in all_frames(video)]
    until = [one.shown_at_ms for one in at[1:]]
    assert len(at) == len(options.get("pts", range(60)))
    for one, end in zip(at, [*until, None], strict=True):
        found = grab_frame(video, one.shown_at_ms, strategy=strategy)
        if strategy == "precise" or found.pts == one.pts:
            assert found.shown_until_ms == end
        else:
            assert found == next(other for other in at if other.pts == found.pts)
        if end is not None:
            assert grab_frame(video, end - 1).pts == one.pts


def test_each_of_many_frames_has_its_own_times_and_hash(tmp_path: Path) -> None:
    video = write_video(tmp_path / "many.mp4")
    for strategy in ("precise", "nearest_keyframe"):
        many = grab_frames(video, [0, 50, 2300, 2340, 5999], strategy=strategy)
        assert many == [grab_frame(video, at, strategy=strategy) for at in (0, 50, 2300, 2340, 5999)]
