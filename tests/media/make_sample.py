"""Make the sample recording again, sample.mp4 and sample.json: `python tests/media/make_sample.py`.

Needs espeak-ng for the voice (Debian: apt-get install espeak-ng), and the project's own Python packages.
Two runs on one machine give the same files.
"""

from __future__ import annotations

import io
import json
import math
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from frame_counter import BASE_SIZE
from numpy.typing import NDArray
from PIL import Image
from scene import CLICK_LASTS_S, TARGETS, draw_frame, hover_for
from storyboard import SCRIPT, TITLE, Span, lay_out, pointer_at, press_at, state_at

Samples = NDArray[np.float32]

HERE = Path(__file__).resolve().parent
FPS = 15
KEY_FRAME_EVERY_S = 5
SOUND_RATE = 48_000
VOICE = ("-v", "en-us+adam", "-s", "140")
"""Of the voices tried, the one that a small speech model understands best."""

SILENT_BELOW = 0.004
LOUDEST = 0.7


def main() -> int:
    if shutil.which("espeak-ng") is None:
        print(
            "espeak-ng is missing, and the voice is made with it: apt-get install espeak-ng", file=sys.stderr
        )
        return 1
    clips = [speak(line.text) for line in SCRIPT]
    spans = lay_out([len(clip) / SOUND_RATE for clip in clips])
    frames = math.ceil((spans[-1].end_s + SCRIPT[-1].pause_s) * FPS)
    sound = lay_sound(clips, spans, length=frames * SOUND_RATE // FPS)
    encode(HERE / "sample.mp4", pictures(frames, spans), sound)
    described = json.dumps(describe(frames, spans), indent=2, ensure_ascii=False)
    (HERE / "sample.json").write_text(described + "\n", encoding="utf-8")
    size = (HERE / "sample.mp4").stat().st_size
    print(f"sample.mp4: {frames} frames, {frames / FPS:.1f} s, {size / 1e6:.2f} MB")
    return 0


def speak(words: str) -> Samples:
    """One spoken line at `SOUND_RATE`, one channel, without the silence around it."""
    done = subprocess.run(
        ["espeak-ng", "--stdout", *VOICE, words], capture_output=True, check=True, timeout=60
    )
    with wave.open(io.BytesIO(done.stdout)) as spoken:
        # What espeak-ng writes to a pipe claims a length it does not have, so all that comes is read.
        rate, raw = spoken.getframerate(), spoken.readframes(spoken.getnframes())
    clip: Samples = resample(np.frombuffer(raw, dtype="<i2"), rate)
    loud = np.flatnonzero(np.abs(clip) > SILENT_BELOW)
    edge = SOUND_RATE // 100
    first, last = int(loud[0]), int(loud[-1])
    return clip[max(0, first - edge) : last + edge]


def resample(samples: NDArray[np.int16], rate: int) -> Samples:
    """Whole numbers at one sample rate to -1..1 at `SOUND_RATE`."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = rate
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts], dtype=np.float32)


def lay_sound(clips: Sequence[Samples], spans: Sequence[Span], *, length: int) -> Samples:
    """The whole sound track of `length` samples, each clip at the start of its span."""
    track = np.zeros(length, dtype=np.float32)
    for clip, span in zip(clips, spans, strict=True):
        start = round(span.start_s * SOUND_RATE)
        track[start : start + len(clip)] += clip
    track *= LOUDEST / float(np.abs(track).max())
    return track


def pictures(frames: int, spans: Sequence[Span]) -> Iterator[Image.Image]:
    """Every picture of the recording, each as it looks at its own time."""
    for frame in range(frames):
        moment = frame / FPS
        tip = pointer_at(moment, spans, TARGETS)
        hover = hover_for(state_at(moment, spans), *tip)
        state = state_at(moment, spans, hover=hover)
        press = press_at(moment, spans, TARGETS, lasts_s=CLICK_LASTS_S)
        yield draw_frame(state, frame, fps=FPS, tip=tip, press=press)
        if frame % (10 * FPS) == 0:
            print(f"{frame} of {frames} frames drawn", flush=True)


def encode(target: Path, images: Iterator[Image.Image], sound: Samples) -> None:
    """Write H.264 and AAC into an MP4 whose index stands first."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(target), "w", options=options) as container:
        container.metadata["title"] = TITLE
        video = container.add_stream(
            "libx264",
            rate=FPS,
            options={"crf": "21", "preset": "slower", "sc_threshold": "0", "threads": "1"},
        )
        video.width, video.height = BASE_SIZE
        video.pix_fmt = "yuv420p"
        video.gop_size = KEY_FRAME_EVERY_S * FPS
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        audio.bit_rate = 64_000
        for number, image in enumerate(images):
            picture = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(picture))
            container.mux(audio.encode(_piece(sound, number)))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _piece(sound: Samples, number: int) -> av.AudioFrame:
    """The sound that belongs to one picture."""
    samples = SOUND_RATE // FPS
    part = sound[number * samples : (number + 1) * samples]
    frame = av.AudioFrame.from_ndarray(part[np.newaxis, :], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, number * samples, Fraction(1, SOUND_RATE)
    return frame


def describe(frames: int, spans: Sequence[Span]) -> dict[str, object]:
    """What sample.json says: the measures, and when each line is spoken."""
    return {
        "title": TITLE,
        "fps": FPS,
        "frames": frames,
        "duration_ms": frames * 1000 // FPS,
        "script": [
            {
                "text": line.text,
                "start_ms": round(span.start_s * 1000),
                "end_ms": round(span.end_s * 1000),
                "step": line.step,
                "section": line.section,
            }
            for line, span in zip(SCRIPT, spans, strict=True)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
