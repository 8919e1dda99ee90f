"""Takes the sound out of a video for speech recognition: 16 kHz, mono, 16 bit, FLAC, in step."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import av
import av.container
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from jobs.media.probe import UnreadableVideo, open_media, read_packets, timeline_start

SAMPLE_RATE = 16_000
MAX_SAMPLES = 24 * 60 * 60 * SAMPLE_RATE

# Time stamps are rounded (to a millisecond in Matroska) and clocks drift: below this the sound just runs on.
_TOLERANCE_SAMPLES = SAMPLE_RATE // 20
# Past the length of the video by more than this a time stamp is broken; it must not become hours of silence.
_BEYOND_SAMPLES = 60 * SAMPLE_RATE
_CHUNK_SAMPLES = SAMPLE_RATE
_PROGRESS_INTERVAL_S = 0.1
_STREAMS_TRIED = 3

_Sample = TypeVar("_Sample", np.int16, np.float32)

# Beside what we write, the kinds that an orchestrator may hand in.
_SOUND_DEMUXERS = ("flac", "wav", "mp3", "ogg", "mov", "matroska")


class UnreadableSound(ValueError):
    """A sound file that is no sound file, or of an unknown kind."""


class NoAudio(ValueError):
    """The video has no sound, or none that can be decoded. The message is for a person."""


@dataclass(frozen=True)
class AudioInfo:
    """The sound that was written: its length in milliseconds, samples a second, channels."""

    duration_ms: int
    sample_rate: int = SAMPLE_RATE
    channels: int = 1


def extract_audio(
    video: Path, target: Path, *, on_progress: Callable[[float], None] | None = None
) -> AudioInfo:
    """Write the best sound track of `video` to `target`, where a time is the same time in the video.

    Where the track starts late or has gaps is silence; what lies before point 0 or overlaps is cut, and sound
    after 24 hours. Damaged packets are skipped. Memory does not grow with the length.
    `on_progress` takes the share done, 0..1, at most ten times a second, and may raise to stop the work.
    `target` appears whole or not at all.

    Raises NoAudio, `probe.UnreadableVideo`, OSError, and whatever `on_progress` raises.
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
    """What the header of a sound file says of its length. Raises UnreadableSound and OSError."""
    with _open_sound(path) as container:
        return container.duration // 1000 if container.duration else None


def read_sound(path: Path) -> Iterator[NDArray[np.float32]]:
    """Samples of a sound file, -1..1, `SAMPLE_RATE` a second, mono, piece by piece in order.

    Damaged packets are skipped. Raises UnreadableSound (no known kind of file, no sound in it) and OSError.
    """
    resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with _open_sound(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise UnreadableSound("The file holds no sound.")
        for packet in read_packets(container, [stream]):
            for frame in _decode(stream, packet):
                yield from (_samples(piece, np.float32) for piece in resampler.resample(frame))
        yield from (_samples(frame, np.float32) for frame in resampler.resample(None))


def compress_sound(sound: Path, target: Path, *, on_progress: Callable[[float], None]) -> None:
    """Write a sound file anew as Ogg Opus at 20 kbit/s, 9 MB an hour, enough for speech.

    `on_progress` as for `extract_audio`. Raises UnreadableSound and OSError.
    """
    progress = _Progress(on_progress)
    length = (sound_duration_ms(sound) or 0) * SAMPLE_RATE // 1000
    with av.open(f"file:{target.absolute()}", mode="w", format="ogg") as container:
        stream = container.add_stream(
            "libopus", rate=SAMPLE_RATE, layout="mono", format="flt", bit_rate=20_000
        )
        written = 0
        for samples in read_sound(sound):
            frame = AudioFrame.from_ndarray(samples[np.newaxis, :], format="flt", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.time_base = Fraction(1, SAMPLE_RATE)
            frame.pts = written
            written += len(samples)
            container.mux(stream.encode(frame))
            progress.report(written / length if length else 0.0)
        container.mux(stream.encode(None))
    progress.report(1.0, now=True)


def _open_sound(path: Path) -> av.container.InputContainer:
    try:
        return open_media(path, demuxers=_SOUND_DEMUXERS)
    except UnreadableVideo as error:
        raise UnreadableSound("The file is no sound file of a known kind.") from error


def _write_first_decodable(video: Path, part: Path, progress: _Progress) -> int:
    """Samples written, of the first stream that decodes."""
    with open_media(video) as container:
        indexes = [stream.index for stream in _by_preference(container)]
    if not indexes:
        raise NoAudio("The video has no sound track.")
    for index in indexes[:_STREAMS_TRIED]:
        with open_media(video) as container, _FlacFile(part) as flac:
            stream = next(stream for stream in container.streams.audio if stream.index == index)
            for position, frame in _frames(container, stream, progress):
                flac.add(frame, position=position)
            flac.finish()
            if flac.samples:
                progress.report(1.0, now=True)
                return flac.samples
    raise NoAudio("The sound of the video cannot be decoded.")


def _by_preference(container: av.container.InputContainer) -> list[AudioStream]:
    best = container.streams.best("audio")
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return sorted(streams, key=lambda stream: best is None or stream.index != best.index)


def _frames(
    container: av.container.InputContainer, stream: AudioStream, progress: _Progress
) -> Iterator[tuple[int | None, AudioFrame]]:
    """Decoded frames with their place on the video's clock in samples of the target; None: runs on."""
    start = round(timeline_start(container) * SAMPLE_RATE)
    length = container.duration * SAMPLE_RATE // 1_000_000 if container.duration else 0
    # Whole numbers, not Fractions: this runs 50 times for each second of sound.
    ticks, ticks_per_second = (stream.time_base or Fraction(1, SAMPLE_RATE)).as_integer_ratio()
    for packet in read_packets(container, [stream]):
        position = None
        for frame in _decode(stream, packet):
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


def _decode(stream: AudioStream, packet: Packet[AudioStream]) -> list[AudioFrame]:
    """A damaged packet costs its own sound; the gap is filled with silence."""
    try:
        return stream.decode(packet)
    except av.error.FFmpegError:
        return []


class _Progress:
    """Hands shares on in rising order, at most ten times a second."""

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
    """A FLAC file that is written sample by sample; `samples` counts them, silence included."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(f"file:{path.absolute()}", mode="w", format="flac")
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
        """Append sound that belongs at `position`, in samples, after silence or with its beginning cut."""
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
            self._resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        frame.pts = None
        for resampled in self._resampler.resample(frame):
            self._write(_samples(resampled, np.int16))

    def finish(self) -> None:
        """Write what is still held back. Without any sound the file stays empty."""
        self._drain()
        self._encode_held()
        for packet in self._stream.encode(None):
            self._container.mux(packet)

    def _drain(self) -> None:
        if self._resampler is not None:
            for resampled in self._resampler.resample(None):
                self._write(_samples(resampled, np.int16))
        self._resampler = None

    def _write_silence(self, samples: int) -> None:
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
        """Encoding a second at a time takes a third less time than frame by frame."""
        if self.samples == self._written:
            return
        sound = np.concatenate(self._held)
        self._held = []
        frame = AudioFrame.from_ndarray(sound[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = self._written
        self._written = self.samples
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


def _samples(frame: AudioFrame, kind: type[_Sample]) -> NDArray[_Sample]:
    return np.frombuffer(bytes(frame.planes[0]), dtype=kind, count=frame.samples)
