"""Take pictures out of a video: the frame that is shown at a time, or the key frame nearest to it.

Times are whole milliseconds on the clock that all engines share (`jobs.media.probe.timeline_start`): 0 is where the
earliest picture or sound of the file starts, whatever number its own clock has there.
"""

from __future__ import annotations

from collections.abc import Sequence

from anchors.frames.encoding import MIME_TYPES, ImageFormat, encode_image
from anchors.frames.frame import EncodedFrame, Frame, Strategy, TimestampOutOfRange
from anchors.frames.key_frames import KeyFrame, key_frame_index
from anchors.frames.reader import Reader
from anchors.pixels import pixels_sha256
from jobs.media.probe import MAX_DURATION_MS, Source, probe_video

__all__ = [
    "MIME_TYPES",
    "EncodedFrame",
    "Frame",
    "ImageFormat",
    "KeyFrame",
    "Strategy",
    "TimestampOutOfRange",
    "encode_image",
    "grab_encoded",
    "grab_encoded_together",
    "grab_frame",
    "grab_frames",
    "key_frame_index",
]


def grab_encoded(
    source: Source,
    at_ms: int,
    *,
    strategy: Strategy,
    image_format: ImageFormat,
    index: Sequence[KeyFrame] = (),
) -> EncodedFrame:
    """Return what `grab_frame` finds as `encode_image` writes it. Raises what `grab_frame` raises."""
    return _encoded(grab_frame(source, at_ms, strategy=strategy, index=index), image_format)


def grab_encoded_together(
    source: Source, wanted: Sequence[tuple[int, ImageFormat]], *, index: Sequence[KeyFrame] = ()
) -> list[EncodedFrame]:
    """Return what `grab_encoded` returns, `precise`, for each time and format, in their order, by one pass.

    Memory holds one decoded picture and what is written of the others. Raises what `grab_frames` raises.
    """
    _require_times(source, [at_ms for at_ms, _ in wanted])
    found: dict[tuple[int, ImageFormat], EncodedFrame] = {}
    with Reader(source, index) as reader:
        for at_ms, image_format in sorted(wanted):
            found[at_ms, image_format] = _encoded(reader.shown_at(at_ms), image_format)
    return [found[each] for each in wanted]


def _encoded(frame: Frame, image_format: ImageFormat) -> EncodedFrame:
    return EncodedFrame(
        content=encode_image(frame.image, image_format),
        width=frame.image.width,
        height=frame.image.height,
        pixels_sha256=pixels_sha256(frame.image) if image_format == "png" else "",
        shown_at_ms=frame.shown_at_ms,
        shown_until_ms=frame.shown_until_ms,
        pts=frame.pts,
        time_base=frame.time_base,
        pix_fmt=frame.pix_fmt,
        frame_sha256=frame.frame_sha256,
    )


def grab_frame(
    source: Source, at_ms: int, *, strategy: Strategy = "precise", index: Sequence[KeyFrame] = ()
) -> Frame:
    """Return the frame of a video that is shown at `at_ms`, or the key frame nearest to it.

    `precise` is the last frame with pts <= t, however long it stays: before the first picture the first one,
    after the last picture, as long as there is sound, the last one. `nearest_keyframe` goes by pts on either
    side and takes the earlier of two that are equally near; it decodes hardly more than that frame.

    A player's time is seldom a whole number of milliseconds: at 29.97 pictures a second, number 1 comes up at 33.37 ms.
    Whoever asks for what a player shows rounds that up, to 34; 33 is a time at which number 0 is shown.

    `index` is what `key_frame_index` returns for this file. It spares reading, and changes no answer: entries that do
    not hold are passed over.

    Raises TimestampOutOfRange, `probe.UnreadableVideo` for what does not decode, and OSError.
    """
    return grab_frames(source, [at_ms], strategy=strategy, index=index)[0]


def grab_frames(
    source: Source, at_ms: Sequence[int], *, strategy: Strategy = "precise", index: Sequence[KeyFrame] = ()
) -> list[Frame]:
    """Return what `grab_frame` returns for each of several times, in their order, in one pass over the file.

    Times that fall on the same frame share one picture. Memory grows with the number of times, not with the
    length of the video. Raises what `grab_frame` raises; one time out of range fails all.
    """
    wanted = sorted(set(at_ms))
    _require_times(source, wanted)
    with Reader(source, index) as reader:
        grab = reader.shown_at if strategy == "precise" else reader.nearest_key_frame
        found = {at: grab(at) for at in wanted}
    return [found[at] for at in at_ms]


def _require_times(source: Source, at_ms: Sequence[int]) -> None:
    for at in at_ms:
        if not 0 <= at <= MAX_DURATION_MS:
            raise TimestampOutOfRange(at, duration_ms=probe_video(source).duration_ms)
