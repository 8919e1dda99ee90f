"""Sound for the recogniser: the sample's, and what is put together from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from jobs.media.audio import SAMPLE_RATE, extract_audio, read_sound

SAMPLE = Path(__file__).resolve().parents[2] / "media" / "sample.mp4"

Sound = NDArray[np.float32]


def script() -> list[dict[str, Any]]:
    """The spoken lines of the sample: `text`, `start_ms`, `end_ms`."""
    lines: list[dict[str, Any]] = json.loads(SAMPLE.with_suffix(".json").read_text())["script"]
    return lines


def sample_sound(folder: Path) -> Sound:
    """The sound of the sample, -1..1 at `SAMPLE_RATE`; `folder` is for the file it comes from."""
    extract_audio(SAMPLE, folder / "sample.flac")
    return np.concatenate(list(read_sound(folder / "sample.flac")))


def line_of(sound: Sound, number: int) -> Sound:
    """The sound of one line of the script, with 0.2 s around it."""
    line = script()[number]
    start, end = (round(line[name] / 1000 * SAMPLE_RATE) for name in ("start_ms", "end_ms"))
    return sound[start - SAMPLE_RATE // 5 : end + SAMPLE_RATE // 5]


def write_flac(path: Path, sound: Sound, *, times: int = 1) -> Path:
    """Write the sound, several times over if asked, without holding all of it."""
    samples = (np.clip(sound, -1, 1) * 32_767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        for turn in range(times):
            for begin in range(0, len(samples), SAMPLE_RATE):
                frame = av.AudioFrame.from_ndarray(
                    samples[np.newaxis, begin : begin + SAMPLE_RATE], "s16", "mono"
                )
                frame.sample_rate = SAMPLE_RATE
                frame.pts = turn * len(samples) + begin
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
