"""Speech to text: processor time, memory and word errors, beside recognition of one window after the other."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from config import sandbox
from config.sandbox.pool import pool
from jobs.media.audio import SAMPLE_RATE, sound_duration_ms
from jobs.media.speech import whisper
from jobs.media.speech.voice import cut_windows, find_passages, place_voices
from jobs.media.speech.whisper import Whisper
from tests.jobs.media.sounds import SAMPLE, sample_sound, script, write_flac
from tests.jobs.media.word_errors import word_error_rate

MOST_OF_PLAIN = 0.6  # the encoder, half of the time, costs the same in batches
MOST_MIB = 1024
MOST_WORD_ERRORS = 0.03
TURNS, TIMES = 2, 4
MEMORY_TIMES = 8  # six and a half minutes: more than a block


def measure() -> dict[str, Any]:
    """Return processor seconds a minute, ours and plain, their ratio, the child's peak and the errors, with goals."""
    with tempfile.TemporaryDirectory(prefix="stepwright-bench-") as name:
        folder = Path(name)
        sound = sample_sound(folder)
        costs = in_child(compare, write_flac(folder / "few.flac", sound, times=TIMES))
        weighed = in_child(weigh, write_flac(folder / "many.flac", sound, times=MEMORY_TIMES))
        heard = in_child(weigh, write_flac(folder / "one.flac", sound))
    wanted = " ".join(line["text"] for line in script())
    return {
        "ours_cpu_s_a_minute": costs["ours"],
        "plain_cpu_s_a_minute": costs["plain"],
        "cpu_ratio": round(costs["ours"] / costs["plain"], 2),
        "peak_mib": weighed["peak_mib"],
        "word_error_rate": round(word_error_rate(wanted, heard["text"]), 3),
        "goals": {"cpu_ratio": MOST_OF_PLAIN, "peak_mib": MOST_MIB, "word_error_rate": MOST_WORD_ERRORS},
    }


def in_child(function: Callable[[Path], dict[str, Any]], audio: Path) -> dict[str, Any]:
    """Call it as the pipeline calls a recogniser, in a child that has done nothing before."""
    pool().clear()
    return sandbox.call(function, audio, limits=sandbox.limits.SPEECH.lasting(3_600_000))


def weigh(audio: Path) -> dict[str, Any]:
    """Return the text, and the most memory that this process has had, in MiB (VmHWM of proc(5))."""
    found = Whisper(None).transcribe(video=SAMPLE, audio=audio, language="en", on_progress=lambda share: None)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return {
        "text": " ".join(segment.text for segment in found.segments),
        "peak_mib": int(peak[1]) // 1024 if peak else 0,
    }


def compare(audio: Path) -> dict[str, Any]:
    """Return the medians of processor seconds for each minute of sound, ours and plain, taken in turns."""
    minutes = (sound_duration_ms(audio) or 1) / 60_000
    weigh(audio)  # loads the model and both libraries
    costs: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(TURNS):
        for name, way in (("ours", lambda: weigh(audio)), ("plain", lambda: plain(audio))):
            before = time.process_time()
            way()
            costs[name].append((time.process_time() - before) / minutes)
    return {name: round(statistics.median(found), 2) for name, found in costs.items()}


def plain(audio: Path) -> None:
    """The same windows one after the other with a beam of 5, as this service did before it took them in batches."""
    model = whisper._load_model(whisper._find_model(None)[0], 0)
    for block in whisper._blocks(audio):
        passages = find_passages(block.spoken, len(block.sound))
        sound = np.concatenate([block.sound[begin:end] for begin, end in passages])
        windows = cut_windows(place_voices(block.spoken, passages), len(sound))
        segments, _ = model.transcribe(
            sound,
            language="en",
            clip_timestamps=[edge / SAMPLE_RATE for window in windows for edge in window],
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=(0.0, 0.2, 0.4),
        )
        list(segments)
