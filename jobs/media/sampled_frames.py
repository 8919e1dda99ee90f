"""The frames of a recording that are looked at when it is read from end to end: some a second, and each that stands
for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from jobs.media.probe import MAX_DURATION_MS, decode, read_packets, timeline_start

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_REPORTS = 200


@dataclass(frozen=True)
class Sampling:
    """Which frames are looked at: those at least `step_ms` after the last, and each that stands for twice as long.

    As long as no frame has stood for more than `dense_s` seconds, those that no other refers to are not decoded.
    """

    step_ms: int
    dense_s: Fraction


def sampled_frames(
    container: InputContainer,
    stream: VideoStream,
    sampling: Sampling,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the frames that are looked at, in the order they are shown, with the times (ms) at which `anchors.frames`
    gives them. Damaged packets are skipped.

    `on_progress` is called with the share done (0..1), at most 200 times, and may raise to stop the work. Raise
    `probe.UnreadableVideo`, OSError, and what `on_progress` raises.
    """
    # That of a broken recording is not known.
    length_ms = (container.duration or 0) // 1000 or MAX_DURATION_MS
    told_ms = 0
    for at_ms, frame in _thinned(_frames(container, stream, sampling.dense_s), sampling.step_ms):
        yield at_ms, frame
        if on_progress and at_ms - told_ms >= length_ms / _REPORTS:
            told_ms = at_ms
            on_progress(min(1.0, at_ms / length_ms))


def _frames(
    container: InputContainer, stream: VideoStream, dense_s: Fraction
) -> Iterator[tuple[int, VideoFrame]]:
    zero, tick, last = timeline_start(container), stream.time_base or Fraction(1, 1000), None
    is_dense = True
    for packet in read_packets(container, [stream]):
        # Frames that no other refers to take a third of the time. Of those that are few each is looked at.
        is_dense = is_dense and (packet.size == 0 or 0 < (packet.duration or 0) * tick <= dense_s)
        stream.codec_context.skip_frame = "NONREF" if is_dense else "DEFAULT"
        for frame in decode(stream, packet):
            times = (at for at in (frame.pts, frame.dts) if at is not None and (last is None or at > last))
            last = next(times, (last or 0) + max(1, frame.duration or 0))
            yield max(0, ceil((last * tick - zero) * 1000)), frame


def _thinned(frames: Iterator[tuple[int, VideoFrame]], step_ms: int) -> Iterator[tuple[int, VideoFrame]]:
    taken_ms, held = None, None
    for at_ms, frame in frames:
        if held is not None and taken_ms is not None and at_ms - taken_ms >= 2 * step_ms:
            yield held
            taken_ms, held = held[0], None
        if taken_ms is None or at_ms - taken_ms >= step_ms:
            yield at_ms, frame
            taken_ms, held = at_ms, None
        else:
            held = at_ms, frame
    if held is not None:
        yield held
