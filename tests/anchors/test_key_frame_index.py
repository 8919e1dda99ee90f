"""The index of recordings that have none, and what it spares."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from anchors.frames import KeyFrame, Strategy, grab_frame, grab_frames, key_frame_index
from tests.anchors.videos import HEIGHT, WIDTH, number_of, numbered, write_video
from tests.s3 import remote_copy

pytestmark = pytest.mark.slow

LIVE: dict[str, Any] = {
    "codec": "libvpx-vp9",
    "options": {"cpu-used": "8", "deadline": "realtime", "b": "4000k", "lag-in-frames": "0"},
    "muxer": {"live": "1"},
}
STRATEGIES: list[Strategy] = ["precise", "nearest_keyframe"]


@dataclass
class Counted:
    """A file that counts the bytes that are read of it."""

    path: Path
    sizes: list[int] = field(default_factory=list)

    def open(self) -> BinaryIO:
        return cast(BinaryIO, Counting(self.path, self.sizes))


class Counting(io.FileIO):
    def __init__(self, path: Path, sizes: list[int]) -> None:
        super().__init__(path)
        self._sizes = sizes

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(-1 if size is None else size)
        self._sizes.append(len(content))
        return content


def noisy(count: int) -> list[np.ndarray[Any, Any]]:
    noise = np.random.default_rng(3)
    return [
        numbered(n % 256) // 2 + noise.integers(100, size=(HEIGHT, WIDTH, 3), dtype=np.uint8)
        for n in range(count)
    ]


@pytest.fixture(scope="module", params=["silent.webm", "sound.webm", "late.mkv"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    start = 3000 if request.param == "late.mkv" else 0
    pts = range(start, start + 24_000, 100)
    video = tmp_path_factory.mktemp("live") / request.param
    sound = {"sound_ms": (0, 24_000)} if request.param == "sound.webm" else {}
    if sound:  # which WebM has not: its clusters are the same
        video = video.with_suffix(".mkv")
    return write_video(video, pts=pts, pictures=noisy(240), **LIVE, **sound)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_with_the_index_frames_are_the_same(recording: Path, strategy: Strategy) -> None:
    index = key_frame_index(recording)
    assert [at.pts for at in index] == [index[0].pts + 1000 * number for number in range(24)]
    chosen = random.Random(2)
    for at_ms in [chosen.randrange(23_900) for _ in range(15)]:
        found = grab_frame(recording, at_ms, strategy=strategy, index=index)
        assert found == grab_frame(recording, at_ms, strategy=strategy)
        assert strategy != "precise" or number_of(found.image) == at_ms // 100
    several = [50, 7050, 7150, 23_050]
    assert grab_frames(recording, several, strategy=strategy, index=index) == grab_frames(
        recording, several, strategy=strategy
    )


def test_with_the_index_little_is_read_for_a_late_frame(tmp_path: Path) -> None:
    """Of a file that is larger than what FFmpeg reads to find out what it is, 1.2 MB here."""
    noise = np.random.default_rng(3)
    pictures = [noise.integers(256, size=(144, 256, 3), dtype=np.uint8) for _ in range(160)]
    options = {**LIVE["options"], "b": "40000k", "crf": "4"}
    video = write_video(
        tmp_path / "v.webm", pts=range(0, 16_000, 100), pictures=pictures, **LIVE | {"options": options}
    )
    size = video.stat().st_size
    plain, searched = Counted(video), Counted(video)
    assert grab_frame(plain, 15_050) == grab_frame(searched, 15_050, index=key_frame_index(video))
    assert sum(plain.sizes) > 0.8 * size, "the file has an index of its own"
    assert sum(searched.sizes) < 0.4 * size, (sum(searched.sizes), size)


def test_the_index_is_made_by_reading_once(recording: Path) -> None:
    counted = Counted(recording)
    assert key_frame_index(counted) == key_frame_index(recording)
    assert sum(counted.sizes) < 1.2 * recording.stat().st_size


def test_an_index_works_on_a_bucket(recording: Path) -> None:
    remote = remote_copy(recording)
    index = key_frame_index(remote)
    assert index == key_frame_index(recording)
    assert grab_frame(remote, 21_050, index=index) == grab_frame(recording, 21_050)


@pytest.mark.parametrize("off", [-20_000, -7, 1, 900, 10**9])
def test_an_index_that_is_wrong_changes_no_frame(recording: Path, off: int) -> None:
    index = [KeyFrame(at.pts, max(0, at.position + off)) for at in key_frame_index(recording)]
    for strategy in STRATEGIES:
        found = grab_frame(recording, 11_350, strategy=strategy, index=index)
        assert found == grab_frame(recording, 11_350, strategy=strategy)


@pytest.mark.parametrize("name", ["a.mp4", "b.mkv", "c.ts", "d.mov"])
def test_a_file_that_can_be_searched_needs_none(name: str, tmp_path: Path) -> None:
    assert key_frame_index(write_video(tmp_path / name)) == []
