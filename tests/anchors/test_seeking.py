"""What taking frames costs: packets read, frames decoded, memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchors.frames import grab_frame, grab_frames, reader
from tests.anchors.videos import LONG_GOP, number_of, write_video

pytestmark = pytest.mark.slow


@pytest.fixture
def packets_read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    original = reader.read_packets

    def counting(*arguments: Any) -> Any:
        for packet in original(*arguments):
            seen.append(packet.pts)
            yield packet

    monkeypatch.setattr(reader, "read_packets", counting)
    return seen


def test_frames_close_together_are_read_in_one_pass(tmp_path: Path, packets_read: list[Any]) -> None:
    video = write_video(tmp_path / "pass.mp4", options=LONG_GOP)
    found = grab_frames(video, range(0, 6000, 50))
    assert [number_of(frame.image) for frame in found] == [number // 2 for number in range(120)]
    assert len(packets_read) <= 62


def test_frames_far_apart_skip_what_lies_between(tmp_path: Path, packets_read: list[Any]) -> None:
    video = write_video(tmp_path / "skip.mp4", pts=range(0, 60000, 300))
    assert [number_of(frame.image) for frame in grab_frames(video, [300, 30300, 59700])] == [1, 101, 199]
    assert len(packets_read) < 60


def test_the_nearest_key_frame_costs_few_packets(tmp_path: Path, packets_read: list[Any]) -> None:
    video = write_video(tmp_path / "keys.mp4", pts=range(0, 60000, 300), options={"g": "50"})
    assert number_of(grab_frame(video, 15900, strategy="nearest_keyframe").image) == 50
    assert len(packets_read) < 20


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    original = reader.Reader._decoded

    def counting(self: Any, packets: Any) -> Any:
        for at, frame in original(self, packets):
            seen.append(at)
            yield at, frame

    monkeypatch.setattr(reader.Reader, "_decoded", counting)
    return seen


@pytest.mark.parametrize(("last_key", "at_ms"), [(120, 100_000), (40, 59_000)])
def test_going_too_far_back_does_not_mean_decoding_it_all(
    last_key: int, at_ms: int, tmp_path: Path, decoded: list[int]
) -> None:
    keys = range(0, last_key + 1, 2)
    options = LONG_GOP | {"forced-idr": "1"}
    video = write_video(tmp_path / "far.ts", pts=range(0, 120_000, 500), options=options, key_frames=keys)
    assert number_of(grab_frame(video, at_ms).image) == at_ms // 500
    assert len(decoded) < at_ms // 500 - last_key + 10


def test_without_an_index_the_next_frame_is_sought_when_it_is_far(tmp_path: Path, decoded: list[int]) -> None:
    video = write_video(tmp_path / "no_index.ts", pts=range(0, 60_000, 300))
    assert [number_of(frame.image) for frame in grab_frames(video, [0, 55_500])] == [0, 185]
    assert len(decoded) < 40


WITHOUT_CUES: dict[str, Any] = {
    "codec": "libvpx-vp9",
    "options": {"cpu-used": "8"},
    "muxer": {"live": "1"},
}


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", {}), ("b.mkv", {}), ("c.ts", {}), ("d.webm", WITHOUT_CUES), ("e.ts", {"options": LONG_GOP})],
)
@pytest.mark.parametrize("gap_ms", [50, 700, 3000])
def test_many_frames_cost_no_more_than_each_by_itself(
    name: str, options: dict[str, Any], gap_ms: int, tmp_path: Path, decoded: list[int]
) -> None:
    """Counted in frames that are decoded. Key frames come every second, and once in the last."""
    video = write_video(tmp_path / name, pts=range(0, 60_000, 100), **options)
    times = [330 + gap_ms * number for number in range(20)]
    singles = [grab_frame(video, at) for at in times]
    alone, decoded[:] = len(decoded), []
    assert grab_frames(video, times) == singles
    assert len(decoded) <= alone
    if gap_ms == 50 or name == "e.ts":
        assert len(decoded) <= times[-1] // 100 + 4, "one pass"


def test_few_packets_are_held_while_a_key_frame_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_video(tmp_path / "long.ts", pts=range(0, 9000, 30), options=LONG_GOP)
    held: list[int] = []
    original = reader.Reader._skip_to_key

    def weighing(self: Any, after: int, target: int) -> None:
        original(self, after, target)
        held.append(sum(packet.size for packet in self._ahead))

    monkeypatch.setattr(reader.Reader, "_skip_to_key", weighing)
    monkeypatch.setattr(reader, "_MAX_AHEAD_BYTES", 2000)
    assert [number_of(frame.image) for frame in grab_frames(video, [30, 7000])] == [1, 233]
    assert 2000 < sum(held) < 5000


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from anchors.frames import grab_frame\n"
        "grab_frame(Path(sys.argv[1]), int(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (60, 1500):
        picture = [np.zeros((180, 320, 3), np.uint8)] * count
        video = write_video(
            tmp_path / f"{count}.mp4",
            pts=range(0, count * 40, 40),
            pictures=picture,
            options=LONG_GOP | {"g": "9999", "preset": "ultrafast"},
        )
        command = [sys.executable, "-c", script, str(video), str(count * 40 - 50)]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    assert peaks[1] < peaks[0] + 20 * 1024, peaks
