"""Small videos for tests: each frame carries its number as eight light or dark cells."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from PIL import Image

CELL = 16
WIDTH, HEIGHT = 8 * CELL, 32
LONG_GOP = {"g": "1000", "keyint_min": "1000"}
"""Options of x264 for one key frame, at the start."""


def numbered(number: int) -> np.ndarray[Any, Any]:
    bits = [255 * (number >> bit & 1) for bit in range(7, -1, -1)]
    return np.repeat(np.repeat(np.array([bits], np.uint8), CELL, 1), HEIGHT, 0)[:, :, None].repeat(3, 2)


def number_of(image: Image.Image) -> int:
    pixels = np.asarray(image.convert("L"), np.float64).reshape(HEIGHT, 8, CELL)
    return sum((level > 128) << 7 - i for i, level in enumerate(pixels.mean(axis=(0, 2))))


def write_video(
    path: Path,
    *,
    pts: Sequence[int | Fraction] = tuple(range(0, 6000, 100)),
    pictures: Sequence[np.ndarray[Any, Any]] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    ticks: Fraction = Fraction(1, 1000),
    key_frames: Sequence[int] = (),
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    sound_ms: tuple[int, int] | None = None,
    rotate: dict[str, Any] | None = None,
    sample_aspect: Fraction | None = None,
    colours: dict[str, int] | None = None,
) -> Path:
    """A video with a frame at each of `pts` milliseconds, and silence from and to `sound_ms`. `key_frames` are
    numbers of frames that become key frames beside those of the option g. `colours` are the stream's tags."""
    pictures = pictures or [numbered(i % 256) for i in range(len(pts))]
    with av.open(path, "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = {"g": "10", "bf": "2", "sc_threshold": "0", "crf": "18"} | (options or {})
        stream.codec_context.time_base = ticks
        for name, value in (colours or {}).items():
            setattr(stream.codec_context, name, value)
        if sample_aspect:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if rotate:
            stream.set_display_rotation(**rotate)
        sound = container.add_stream("aac", rate=48000) if sound_ms else None
        for number, (at, picture) in enumerate(zip(pts, pictures, strict=True)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pict_type = PictureType.I if number in key_frames else PictureType.NONE
            frame.pts, frame.time_base = int(Fraction(at, 1000) / ticks), ticks
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None and sound_ms is not None:
            for at in range(sound_ms[0] * 48, sound_ms[1] * 48, 1024):
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                silence.rate, silence.pts, silence.time_base = 48000, at, Fraction(1, 48000)
                container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path


def shown_times(path: Path) -> list[tuple[Fraction, bool]]:
    """From a plain decode of the whole file: when each frame comes up, in ms from the first, and whether a
    key."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        ticks = [(frame.pts, frame.key_frame) for frame in container.decode(stream)]
        return [((at - ticks[0][0]) * stream.time_base * 1000, key) for at, key in ticks]
