"""Extract the sound of a video for speech recognition: FLAC of 16 kHz, mono, 16 bit, in step with the video."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from jobs.media.probe import (
    DAMAGED,
    Source,
    UnreadableVideo,
    decode,
    open_media,
    read_packets,
    timeline_start,
)

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
MAX_SAMPLES = 24 * 60 * 60 * SAMPLE_RATE

# Time stamps are rounded (to a millisecond in Matroska) and clocks drift: smaller gaps and overlaps are ignored.
_TOLERANCE_SAMPLES = SAMPLE_RATE // 20
# A time stamp that is further than this past the end of the video is broken, and must not become hours of silence.
_BEYOND_SAMPLES = 60 * SAMPLE_RATE
_CHUNK_SAMPLES = SAMPLE_RATE
_PROGRESS_INTERVAL_S = 0.1
_MAX_STREAMS_TRIED = 3

_SampleFormat = Literal["s16", "flt"]  # FFmpeg's names
_DTYPES = {"s16": "int16", "flt": "float32"}  # the same for numpy

# The kinds that an orchestrator may hand in, FLAC included.
_SOUND_DEMUXERS = ("flac", "wav", "mp3", "ogg", "mov", "matroska")


class UnreadableSound(ValueError):
    """A file that holds no sound, or is of an unknown kind."""


class NoAudio(ValueError):
    """The video has no sound that can be decoded. The message is for a person."""


@dataclass(frozen=True)
class AudioInfo:
    """The sound that was written; `sample_rate` is in samples per second."""

    duration_ms: int
    sample_rate: int = SAMPLE_RATE
    channels: int = 1


def extract_audio(
    video: Source, target: Path, *, on_progress: Callable[[float], None] | None = None
) -> AudioInfo:
    """Write the best sound track of `video` to `target`, so that each sound has the same time as in the video.

    Silence is written where the track starts late or has gaps. What lies before point 0, overlaps, or comes after
    24 hours is cut. Damaged packets are skipped. Memory does not grow with the length.
    `on_progress` is called with the share done (0..1), at most ten times a second, and may raise to stop the work.
    `target` is replaced only by a complete file.

    Raise NoAudio, `probe.UnreadableVideo`, OSError, and whatever `on_progress` raises.
    """
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        samples = _write_first_decodable(video, part, _Progress(on_progress))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return AudioInfo(duration_ms=samples * 1000 // SAMPLE_RATE)


def sound_duration_ms(path: Path) -> int | None:
    """Return the length in the header of a sound file; None if it has none. Raise UnreadableSound and OSError."""
    with _open_sound(path) as container:
        return container.duration // 1000 if container.duration else None


def read_sound(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a sound file in order, piece by piece: -1..1, `SAMPLE_RATE` per second, mono.

    Damaged packets are skipped. Raise UnreadableSound (unknown kind of file, or no sound in it) and OSError.
    """
    # Imported here: it takes 0.1 s, and most processes never read a sound.
    from av.audio.stream import AudioStream

    resampler = _resampler("flt")
    with _open_sound(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise UnreadableSound("The file holds no sound.")
        for packet in read_packets(container, [stream]):
            for frame in decode(stream, packet):
                yield from map(_samples, _resample(resampler, frame))
        yield from map(_samples, resampler.resample(None))


def compress_sound(sound: Path, target: Path, *, on_progress: Callable[[float], None]) -> None:
    """Write a sound file as Ogg Opus at 20 kbit/s, which is 9 MB per hour and enough for speech.

    `on_progress` is called as by `extract_audio`. Raise UnreadableSound and OSError.
    """
    progress = _Progress(on_progress)
    length = (sound_duration_ms(sound) or 0) * SAMPLE_RATE // 1000
    with _create(target, "ogg") as container:
        stream = container.add_stream(
            "libopus", rate=SAMPLE_RATE, layout="mono", format="flt", bit_rate=20_000
        )
        written = 0
        for samples in read_sound(sound):
            container.mux(stream.encode(_frame(samples, "flt", position=written)))
            written += len(samples)
            progress.report(written / length if length else 0.0)
        container.mux(stream.encode(None))
    progress.report(1.0, now=True)


@contextmanager
def _open_sound(path: Source) -> Iterator[InputContainer]:
    try:
        with open_media(path, demuxers=_SOUND_DEMUXERS) as container:
            yield container
    except UnreadableVideo as error:
        raise UnreadableSound("The file is no sound file of a known kind, or is damaged.") from error


def _write_first_decodable(video: Source, part: Path, progress: _Progress) -> int:
    """Write the first stream that decodes; return the number of samples."""
    with open_media(video) as container:
        indexes = [stream.index for stream in _by_preference(container)]
    if not indexes:
        raise NoAudio("The video has no sound track.")
    for index in indexes[:_MAX_STREAMS_TRIED]:
        with open_media(video) as container, _FlacFile(part) as flac:
            stream = next(stream for stream in container.streams.audio if stream.index == index)
            for position, frame in _frames(container, stream, progress):
                flac.add(frame, position=position)
            flac.finish()
            if flac.samples:
                progress.report(1.0, now=True)
                return flac.samples
    raise NoAudio("The sound of the video cannot be decoded.")


def _by_preference(container: InputContainer) -> list[AudioStream]:
    best = container.streams.best("audio")
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return sorted(streams, key=lambda stream: best is None or stream.index != best.index)


def _frames(
    container: InputContainer, stream: AudioStream, progress: _Progress
) -> Iterator[tuple[int | None, AudioFrame]]:
    """Yield the decoded frames, each with its place in the target in samples; None: right after the last frame.

    A damaged packet yields no frame, and the next frame's place leaves a gap for it.
    """
    start = round(timeline_start(container) * SAMPLE_RATE)
    length = container.duration * SAMPLE_RATE // 1_000_000 if container.duration else 0
    # Whole numbers are faster than Fractions, and this runs 50 times per second of sound.
    ticks, ticks_per_second = (stream.time_base or Fraction(1, SAMPLE_RATE)).as_integer_ratio()
    for packet in read_packets(container, [stream]):
        position = None
        for frame in decode(stream, packet):
            position = None
            if frame.pts is not None:
                position = frame.pts * ticks * SAMPLE_RATE // ticks_per_second - start
            if position is not None and length and position > length + _BEYOND_SAMPLES:
                position = None
            yield position, frame
        if length:
            progress.report((position or 0) / length)
        else:
            progress.report((packet.pos or 0) / container.size)


class _Progress:
    """Calls `on_progress` with rising shares, at most ten times a second."""

    def __init__(self, on_progress: Callable[[float], None] | None) -> None:
        self._on_progress = on_progress
        self._next_at = 0.0
        self._share = 0.0

    def report(self, share: float, *, now: bool = False) -> None:
        self._share = max(self._share, min(share, 1.0))
        at = time.monotonic()
        if self._on_progress and (now or at >= self._next_at):
            self._next_at = at + _PROGRESS_INTERVAL_S
            self._on_progress(self._share)


class _FlacFile:
    """A FLAC file to write to; `samples` is the number of samples so far, silence included."""

    def __init__(self, path: Path) -> None:
        self._container = _create(path, "flac")
        self._stream = self._container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        self._resampler: AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None
        self._to_cut = 0
        self._held: list[NDArray[np.int16]] = []
        self._written = 0
        self.samples = 0

    def __enter__(self) -> _FlacFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def add(self, frame: AudioFrame, *, position: int | None) -> None:
        """Append sound that belongs at `position`, in samples: write silence before it or cut its beginning."""
        if position is not None and abs(position - self.samples) > _TOLERANCE_SAMPLES:
            self._drain()
            self._to_cut = 0
            self._write_silence(position - self.samples)
            self._to_cut = max(0, self.samples - position)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            self._drain()
            self._shape = shape
        if self._resampler is None:
            self._resampler = _resampler("s16")
        frame.pts = None
        for resampled in _resample(self._resampler, frame):
            self._write(_samples(resampled))

    def finish(self) -> None:
        """Write what is still held back. Without any sound the file is empty."""
        self._drain()
        self._encode_held()
        for packet in self._stream.encode(None):
            self._container.mux(packet)

    def _drain(self) -> None:
        if self._resampler is not None:
            for resampled in self._resampler.resample(None):
                self._write(_samples(resampled))
        self._resampler = None

    def _write_silence(self, samples: int) -> None:
        import numpy as np

        while samples > 0 and self.samples < MAX_SAMPLES:
            chunk = min(samples, _CHUNK_SAMPLES)
            self._write(np.zeros(chunk, dtype=np.int16))
            samples -= chunk

    def _write(self, sound: NDArray[np.int16]) -> None:
        cut = min(self._to_cut, len(sound))
        self._to_cut -= cut
        sound = sound[cut : cut + MAX_SAMPLES - self.samples]
        if not len(sound):
            return
        self._held.append(sound)
        self.samples += len(sound)
        if self.samples - self._written >= _CHUNK_SAMPLES:
            self._encode_held()

    def _encode_held(self) -> None:
        """Encode what is held: a second at a time takes a third less time than frame by frame."""
        import numpy as np

        if self.samples == self._written:
            return
        sound = np.concatenate(self._held)
        self._held = []
        frame = _frame(sound, "s16", position=self._written)
        self._written = self.samples
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


def _create(path: Path, format: str) -> OutputContainer:
    import av

    return av.open(f"file:{path.absolute()}", mode="w", format=format)


def _resampler(format: _SampleFormat) -> AudioResampler:
    from av.audio.resampler import AudioResampler

    return AudioResampler(format=format, layout="mono", rate=SAMPLE_RATE)


def _resample(resampler: AudioResampler, frame: AudioFrame) -> list[AudioFrame]:
    """Return what a frame becomes. Raise UnreadableVideo when its layout is none that can be mixed down."""
    from av.error import ArgumentError

    try:
        return resampler.resample(frame)
    except ArgumentError as error:
        raise UnreadableVideo("UNDECODABLE", DAMAGED) from error


def _frame(sound: NDArray[Any], format: _SampleFormat, *, position: int) -> AudioFrame:
    from av.audio.frame import AudioFrame

    frame = AudioFrame.from_ndarray(sound.reshape(1, -1), format=format, layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.time_base = Fraction(1, SAMPLE_RATE)
    frame.pts = position
    return frame


def _samples(frame: AudioFrame) -> NDArray[Any]:
    """Return the samples of a frame that `_resampler` made."""
    import numpy as np

    dtype = _DTYPES[frame.format.name]
    return np.frombuffer(bytes(frame.planes[0]), dtype=dtype, count=frame.samples)
