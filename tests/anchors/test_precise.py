"""The right frame in all codecs, containers and rates, from a file and from a bucket. Each frame has its number."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from anchors.frames import grab_frame, grab_frames
from config.remote_file import RemoteFile
from tests.anchors.videos import number_of, shown_times, write_video
from tests.s3 import remote_copy

pytestmark = pytest.mark.slow

SECONDS = 4
NTSC = Fraction(1001, 30000)
RATES = {
    "24": Fraction(1, 24),
    "25": Fraction(1, 25),
    "29.97": NTSC,
    "30": Fraction(1, 30),
    "59.94": NTSC / 2,
    "60": Fraction(1, 60),
}
CODECS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "h264": (("mp4", "mov", "mkv"), {"options": {"g": "30", "bf": "2"}}),
    "hevc": (
        ("mp4", "mov", "mkv"),
        {"codec": "libx265", "options": {"x265-params": "log-level=0:keyint=30:bframes=3"}},
    ),
    "vp9": (
        ("webm", "mkv", "mp4"),
        {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime", "g": "30", "b": "400k"}},
    ),
    "av1": (
        ("mp4", "webm", "mkv"),
        {"codec": "libsvtav1", "options": {"preset": "12", "g": "30", "crf": "30"}},
    ),
    "prores": (
        ("mov", "mkv"),
        {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "options": {"profile": "0"}},
    ),
}
ALL_RATES = [*RATES, "variable"]
# Each codec at each rate, in its containers by turns.
MATRIX = [
    (codec, rate, containers[number % len(containers)])
    for codec, (containers, _) in CODECS.items()
    for number, rate in enumerate(ALL_RATES)
]
# Each codec in each container, at a rate each.
PAIRS = [
    (codec, ALL_RATES[(first + number) % len(ALL_RATES)], container)
    for first, (codec, (containers, _)) in enumerate(CODECS.items())
    for number, container in enumerate(containers)
]


def frame_times(rate: str) -> list[Fraction | int]:
    """Return when the frames of `SECONDS` come up, in ms."""
    if rate == "variable":
        chosen = random.Random(11)
        gaps = [chosen.choice([1, 7, 16, 17, 33, 40, 100, 700]) for _ in range(200)]
        return [sum(gaps[:number]) for number in range(len(gaps))]
    return [1000 * number * RATES[rate] for number in range(int(SECONDS / RATES[rate]))]


def write(folder: Path, codec: str, rate: str, container: str, *, start_ms: int = 0, **more: Any) -> Path:
    ticks = RATES.get(rate, Fraction(1, 1000))
    times = [at + start_ms for at in frame_times(rate)]
    return write_video(folder / f"v.{container}", pts=times, ticks=ticks, **CODECS[codec][1], **more)


def check_random_times(source: Path | RemoteFile, times: Sequence[Fraction], count: int) -> None:
    chosen = random.Random(len(times))
    for at_ms in [chosen.randrange(math.ceil(times[-1]) + 1) for _ in range(count)]:
        expected = max(number for number, at in enumerate(times) if at <= at_ms)
        assert number_of(grab_frame(source, at_ms).image) == expected, at_ms


@pytest.mark.parametrize(("codec", "rate", "container"), PAIRS)
def test_random_times_give_the_frame_that_is_shown(
    codec: str, rate: str, container: str, tmp_path: Path
) -> None:
    video = write(tmp_path, codec, rate, container)
    times = [at for at, _ in shown_times(video)]
    assert len(times) == len(frame_times(rate))
    assert all(abs(at - written) <= 1 for at, written in zip(times, frame_times(rate), strict=True))
    check_random_times(video, times, 30)
    check_random_times(remote_copy(video), times, 4)


@pytest.mark.soak
@pytest.mark.parametrize("storage", ["folder", "bucket"])
@pytest.mark.parametrize(("codec", "rate", "container"), MATRIX)
def test_two_hundred_random_times_give_the_frame_that_is_shown(
    codec: str, rate: str, container: str, storage: str, tmp_path: Path
) -> None:
    video = write(tmp_path, codec, rate, container)
    times = [at for at, _ in shown_times(video)]
    check_random_times(video if storage == "folder" else remote_copy(video), times, 200)


@pytest.mark.parametrize(
    ("codec", "container"), [("h264", "mp4"), ("h264", "mkv"), ("vp9", "webm"), ("av1", "mp4")]
)
@pytest.mark.parametrize("start_ms", [1000, 7000])
def test_a_video_that_starts_late_counts_from_its_first_frame(
    codec: str, container: str, start_ms: int, tmp_path: Path
) -> None:
    video = write(tmp_path, codec, "25", container, start_ms=start_ms)
    check_random_times(video, [Fraction(40 * number) for number in range(100)], 20)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_pictures_that_come_after_the_sound_count_from_the_sound(container: str, tmp_path: Path) -> None:
    """In mp4 and mov by an empty entry of the edit list."""
    video = write(tmp_path, "h264", "25", container, start_ms=2000, sound_ms=(0, 6000))
    if container != "mkv":
        assert edits(video.read_bytes())[0][1] == -1, "the file is not what this test is about"
    asked = [0, 1990, 2050, 2085, 4005, 5990]
    for at_ms, frame in zip(asked, grab_frames(video, asked), strict=True):
        assert number_of(frame.image) == max(0, (at_ms - 2000) // 40), at_ms


@pytest.mark.parametrize("skipped", [1, 7, 30, 45])
def test_frames_that_an_edit_list_skips_are_not_shown(skipped: int, tmp_path: Path) -> None:
    """As a recording is trimmed without encoding it again: what is decoded first is left out."""
    video = write(tmp_path, "h264", "25", "mp4")
    content = bytearray(video.read_bytes())
    ((duration, start),) = edits(content)
    tick_ms = 40 / (start / 2)  # two frames are held back for B-frames
    at = content.index(b"elst") + 12
    struct.pack_into(">Ii", content, at, duration - 40 * skipped, start + round(40 * skipped / tick_ms))
    video.write_bytes(content)
    for at_ms in (0, 39, 40, 500, 1500, 2150):
        assert number_of(grab_frame(video, at_ms).image) == skipped + at_ms // 40, at_ms


def edits(content: bytes | bytearray) -> list[tuple[int, int]]:
    """Return the duration and the start of each entry of the first edit list (ISO/IEC 14496-12, 8.6.6)."""
    at = content.index(b"elst") + 4
    version, count = struct.unpack_from(">B3xI", content, at)
    assert version == 0
    return [struct.unpack_from(">Ii", content, at + 8 + 12 * number) for number in range(count)]


@pytest.mark.parametrize("rate", ["29.97", "59.94", "60"])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_a_player_s_time_rounded_up_gives_the_frame_that_it_shows(
    container: str, rate: str, tmp_path: Path
) -> None:
    """`currentTime` is in seconds, as a float."""
    video = write(tmp_path, "h264", rate, container)
    current_times = [float(number * RATES[rate]) for number in range(len(frame_times(rate)))]
    asked = [math.ceil(1000 * at) for at in current_times]
    assert [number_of(frame.image) for frame in grab_frames(video, asked)] == [*range(len(asked))]


@pytest.mark.parametrize("rate", ["29.97", "59.94", "60"])
def test_a_player_s_time_rounded_down_gives_the_frame_before(rate: str, tmp_path: Path) -> None:
    video = write(tmp_path, "h264", rate, "mp4")
    times = frame_times(rate)
    between = [number for number, at in enumerate(times) if at != int(at)]
    found = grab_frames(video, [int(times[number]) for number in between])
    assert [number_of(frame.image) for frame in found] == [number - 1 for number in between]
    assert len(between) > len(times) / 2
