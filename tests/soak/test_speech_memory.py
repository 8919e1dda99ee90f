"""What a child holds while it hears speech: as much after twenty minutes as after seven, and under 1 GiB."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.speech import MOST_MIB, in_child, weigh
from tests.jobs.media.sounds import sample_sound, write_flac

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_memory_does_not_grow_with_the_length_of_speech(tmp_path: Path) -> None:
    sound = sample_sound(tmp_path)
    peaks = [
        in_child(weigh, write_flac(tmp_path / f"{times}.flac", sound, times=times))["peak_mib"]
        for times in (9, 25)
    ]
    assert max(peaks) < MOST_MIB, peaks
    assert peaks[1] - peaks[0] < 100, peaks
