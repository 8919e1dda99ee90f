"""When the screen of a recording changes: kinds of files, damage, memory, and what travels out of a child."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from anchors import activity, restless
from anchors.activity import Activity, Change, watch
from config import sandbox
from jobs.media.probe import UnreadableVideo
from tests.anchors import screens
from tests.anchors.screens import page, record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a page, then a window on it."""
    frames = [page(screens.window) if number >= 40 else page() for number in range(80)]
    return record(tmp_path_factory.mktemp("opening") / "v.mp4", frames)


def test_a_window_is_one_large_change(opening: Path) -> None:
    seen = watch(opening)
    (change,) = seen.changes
    assert (change.start_ms, change.end_ms, change.kind) == (3_900, 4_000, "large")
    assert change.share == pytest.approx(400 * 240 / (640 * 352), abs=0.1)
    assert (seen.last_ms, seen.loading, seen.popups) == (7_900, [], [])


def test_a_letter_is_small_and_a_menu_is_local(tmp_path: Path) -> None:
    frames = [page(screens.typed("" if number < 20 else "B")) for number in range(40)]
    frames += [page(screens.typed("B"), lambda draw: draw.rectangle((20, 40, 120, 100), fill="gray"))] * 20
    kinds = [change.kind for change in watch(record(tmp_path / "v.mp4", frames)).changes]
    assert kinds == ["small", "local"]


def test_a_menu_that_closes_is_a_popup(tmp_path: Path) -> None:
    frames = [page()] * 20 + [page(screens.menu)] * 20 + [page(screens.pointer(450, 150))] * 20
    assert watch(record(tmp_path / "v.mp4", frames)).popups == [(1_900, 3_900)]


def test_a_spinner_is_loading_while_it_turns(tmp_path: Path) -> None:
    frames = [page()] * 30 + [page(screens.spinner(number)) for number in range(40)] + [page()] * 30
    ((start, end),) = watch(record(tmp_path / "v.mp4", frames)).loading
    assert 2_500 <= start <= 3_500 and 6_500 <= end <= 7_500


def test_a_rotated_video_changes_as_the_upright_one(opening: Path, tmp_path: Path) -> None:
    frames = [page(screens.window) if number >= 40 else page() for number in range(80)]
    rotated = record(tmp_path / "v.mp4", frames, rotate={"degrees": 90})
    assert watch(rotated).changes == watch(opening).changes


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_other_codecs_change_at_the_same_time(codec: str, tmp_path: Path) -> None:
    frames = [page(screens.window) if number >= 20 else page() for number in range(40)]
    video = record(tmp_path / "v.mkv", frames, codec=codec, options={"cpu-used": "8", "b": "8M"})
    large = [change for change in watch(video).changes if change.kind == "large"]
    assert [(change.start_ms, change.end_ms) for change in large] == [(1_900, 2_000)]


def test_frames_that_no_other_needs_are_left_out_at_60_a_second(tmp_path: Path) -> None:
    """The times are those of frames that were decoded."""
    frames = [page(screens.window) if number >= 120 else page() for number in range(240)]
    pts = [number * 1000 // 60 for number in range(240)]
    video = record(tmp_path / "v.mp4", frames, pts=pts, options={"bf": "3", "preset": "veryfast"})
    (change,) = [change for change in watch(video).changes if change.kind == "large"]
    assert change.start_ms in pts and change.end_ms in pts
    assert 1_800 <= change.start_ms < 2_000 <= change.end_ms < 2_200


def test_the_last_of_a_burst_is_looked_at(tmp_path: Path) -> None:
    """It stands for long, though it comes 30 ms after the first."""
    frames = [page(), page(screens.menu), page(screens.window), page(screens.window)]
    seen = watch(record(tmp_path / "v.mp4", frames, pts=[0, 2_000, 2_030, 9_000]))
    assert seen.changes[-1].end_ms == 2_030


class Remote:
    """A file that lies elsewhere."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()

    def open(self) -> BinaryIO:
        return BytesIO(self.content)


def test_a_file_that_lies_elsewhere_is_read_as_well(opening: Path) -> None:
    assert watch(Remote(opening)) == watch(opening)


def broken(content: bytes) -> bytes:
    """The index as it is, all pictures of zeros."""
    start = content.index(b"mdat") + 4
    end = content.find(b"moov", start) - 4
    return content[:start] + bytes(end - start) + content[end:]


@pytest.mark.parametrize(
    "harm", [lambda content: b"", lambda content: content[:200], broken, lambda c: b"x" * 999]
)
def test_a_damaged_video_is_refused(harm: Callable[[bytes], bytes], opening: Path, tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(harm(opening.read_bytes()))
    with pytest.raises(UnreadableVideo):
        watch(video)


def test_a_child_returns_what_was_seen(opening: Path) -> None:
    limits = sandbox.limits.ACTIVITY.lasting(8_000)
    shares: list[float] = []
    seen = sandbox.call(
        watch,
        opening,
        limits=limits,
        returns=(Activity, Change),
        raises=(UnreadableVideo,),
        on_progress=shares.append,
    )
    assert seen == watch(opening)
    assert shares == sorted(shares) and 0 < len(shares) <= 201


def test_it_is_kept_as_json() -> None:
    seen = Activity(9_000, [Change(1, 2, 0.5)], [(3, 4)], [(5, 6)])
    assert Activity.from_plain(json.loads(json.dumps(seen.as_plain()))) == seen


def test_raising_while_it_is_told_of_progress_stops_it(opening: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        watch(opening, on_progress=cancel)


def busy(path: Path, frames: int) -> Path:
    """A recording in which something else happens in every picture."""
    random = np.random.default_rng(1)
    images = (random.integers(0, 2, (4, 4), np.uint8) * 255 for _ in range(frames))
    pictures = [
        Image.fromarray(image).resize((64, 64), Image.Resampling.NEAREST).convert("RGB") for image in images
    ]
    return record(path, pictures, pts=[500 * number for number in range(frames)])


def test_changes_are_joined_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "MAX_CHANGES", 20)
    changes = watch(busy(tmp_path / "v.mp4", 200)).changes
    assert 0 < len(changes) <= 20
    assert changes[-1].end_ms > 90_000
    assert all(first.end_ms <= second.start_ms for first, second in zip(changes, changes[1:], strict=False))


def test_memory_does_not_grow_with_the_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "MAX_CHANGES", 20)
    peaks = []
    videos = [busy(tmp_path / f"{frames}.mp4", frames) for frames in (200, 1_500)]
    watch(videos[0])
    for video in videos:
        tracemalloc.start()
        watch(video)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000, peaks


def test_stretches_of_loading_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restless, "_MAX_LOADINGS", 3)
    found = restless.Restless()
    for number in range(40):
        start = 10_000 * number + 5_000
        for at in range(start, start + 5_000, 100):
            step = restless.Step(at, at + 100, np.array([at < start + 3_000] + [False] * 99))
            found.add(step)
        for at in range(start, start + 5_000, 100):
            found.settled(restless.Step(at, at + 100, np.array([at < start + 3_000] + [False] * 99)))
    assert 3 <= len(found.finish()) <= 6
