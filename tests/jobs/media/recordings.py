"""Small recordings for the tests of the media engines, made anew each time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.container
import numpy as np
from numpy.typing import NDArray

SOUND_RATE = 48_000


def bursts(seconds: float, *starts: float, rate: int = SOUND_RATE) -> NDArray[np.int16]:
    """Silence with a tone of 0.2 s at each of `starts`."""
    at = np.arange(round(seconds * rate)) / rate
    loud = np.zeros(len(at), dtype=bool)
    for start in starts:
        loud |= (at >= start) & (at < start + 0.2)
    return (np.sin(2 * np.pi * 440 * at) * 16_000 * loud).astype(np.int16)


def add_picture(
    container: av.container.OutputContainer, *, codec: str = "mpeg4", size: tuple[int, int] = (64, 48)
) -> av.VideoStream:
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    return stream


def write_picture(
    container: av.container.OutputContainer, stream: av.VideoStream, *, seconds: float, start: float = 0
) -> None:
    """Frames from black to white, ten a second."""
    for number in range(round(seconds * 10)):
        shade = np.full((stream.height, stream.width, 3), number * 7 % 256, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
        frame.pts = number + round(start * 10)
        frame.time_base = Fraction(1, 10)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_sound(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    sound: NDArray[np.int16],
    *,
    start: float = 0,
    rate: int = SOUND_RATE,
) -> None:
    """`sound` from `start` seconds on; call `container.mux(stream.encode(None))` when nothing follows."""
    for begin in range(0, len(sound), rate // 10):
        frame = av.AudioFrame.from_ndarray(sound[np.newaxis, begin : begin + rate // 10], "s16", "mono")
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = begin + round(start * rate)
        container.mux(stream.encode(frame))


def write_video(
    path: Path,
    *,
    format: str | None = None,
    codec: str = "mpeg4",
    seconds: float = 2,
    sound: NDArray[np.int16] | None = None,
    sound_codec: str = "aac",
    sound_start: float = 0,
    start: float = 0,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A video of `seconds`, from `start` on the file's own clock; `sound` begins `sound_start` later."""
    with av.open(f"file:{path.absolute()}", "w", format=format, options=options or {}) as container:
        container.metadata.update(metadata or {})
        picture = add_picture(container, codec=codec)
        voice = None
        if sound is not None:
            voice = container.add_stream(sound_codec, rate=SOUND_RATE, layout="mono")
        write_picture(container, picture, seconds=seconds, start=start)
        if voice is not None and sound is not None:
            write_sound(container, voice, sound, start=start + sound_start)
            container.mux(voice.encode(None))
    return path
