"""When a recording was made, by what its file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.media.creation_time import recorded_at
from jobs.media.probe import probe_video
from tests.jobs.media.recordings import write_video


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_file_tells_when_it_was_recorded(tmp_path: Path, suffix: str) -> None:
    made = {"creation_time": "2026-05-04T22:30:05.000000Z"}
    found = probe_video(write_video(tmp_path / f"v.{suffix}", metadata=made))
    assert found.recorded_at == "2026-05-04T22:30:05+00:00"
    assert found.facts() == {
        **{"duration_ms": found.duration_ms, "width": 64, "height": 48},
        "recorded_at": "2026-05-04T22:30:05+00:00",
    }


@pytest.mark.slow
def test_a_file_without_a_time_tells_none(tmp_path: Path) -> None:
    found = probe_video(write_video(tmp_path / "v.mp4"))
    assert found.recorded_at is None and set(found.facts()) == {"duration_ms", "width", "height"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"creation_time": "2026-05-04T10:00:00"}, "2026-05-04T10:00:00+00:00"),
        ({"creation_time": "2026-05-04 10:00:00+02:00"}, "2026-05-04T08:00:00+00:00"),
        ({"com.apple.quicktime.creationdate": "2026-05-05T01:00:00+0200"}, "2026-05-04T23:00:00+00:00"),
        (
            {
                "creation_time": "1904-01-01T00:00:00Z",
                "com.apple.quicktime.creationdate": "2026-05-04T10:00:00Z",
            },
            "2026-05-04T10:00:00+00:00",
        ),
        ({"creation_time": "1970-01-01T00:00:00Z"}, None),
        ({"creation_time": "9999-12-31T23:00:00-05:00"}, None),
        ({"creation_time": "yesterday"}, None),
        ({"creation_time": "0000-00-00T00:00:00Z"}, None),
        ({"title": "2026-05-04T10:00:00Z"}, None),
        ({}, None),
    ],
)
def test_only_a_time_that_can_be_one_is_taken(metadata: dict[str, str], expected: str | None) -> None:
    assert recorded_at(metadata) == expected
