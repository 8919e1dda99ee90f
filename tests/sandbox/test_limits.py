"""What calls in a child may take at most, however long the recording says it is."""

from __future__ import annotations

import pytest

from config.sandbox import limits

DAY_MS = 24 * 3600 * 1000


@pytest.mark.parametrize(("at_ms", "seconds"), [(0, 90), (20_000, 100), (DAY_MS, 120)])
def test_one_picture_takes_two_minutes_at_most(at_ms: int, seconds: float) -> None:
    assert limits.FRAME.lasting(at_ms).wall_seconds == seconds


def test_a_thread_of_the_web_process_waits_half_a_minute_at_most() -> None:
    assert max(limits.PROBE.wall_seconds, limits.ANNOTATION.wall_seconds) <= 30


def test_the_pipeline_has_time_by_the_length_of_the_recording() -> None:
    assert limits.SOUND.lasting(DAY_MS).wall_seconds == pytest.approx(60 + 0.05 * 24 * 3600)
