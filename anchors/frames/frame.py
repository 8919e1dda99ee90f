"""A frame of a video, in memory and as a picture file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

Strategy = Literal["precise", "nearest_keyframe"]


class TimestampOutOfRange(ValueError):
    """The time asked for is before 0 or after the end of the video, which is `duration_ms` long."""

    def __init__(self, at_ms: int, *, duration_ms: int) -> None:
        super().__init__(f"{at_ms} ms is outside the video, which is {duration_ms} ms long.")
        self.at_ms = at_ms
        self.duration_ms = duration_ms


@dataclass(frozen=True)
class Frame:
    """A picture of the video as players show it (RGB, upright, square pixels), when it comes up, and what it was in
    the file.

    `shown_at_ms` is the first whole millisecond at which the frame is shown, so that asking for it gives the same
    frame again. `shown_until_ms` is the first at which the next frame is shown, None when there is no next one.
    A span that is shorter than a millisecond may hold none: then both are equal.

    `pts` is the frame's time on the stream's own clock, which ticks every `time_base` ("1/12800") seconds; of files
    that have decoding times alone (AVI), the time at which the decoder's order puts the frame. `pix_fmt` is FFmpeg's
    name of the decoder's pixel format, and `frame_sha256` the hash of its planes (`hashes.planes_sha256`).
    """

    image: Image.Image
    shown_at_ms: int
    shown_until_ms: int | None
    pts: int
    time_base: str
    pix_fmt: str
    frame_sha256: str


@dataclass(frozen=True)
class EncodedFrame:
    """A frame as the bytes of a picture file; `width` and `height` are pixels, the rest is as in `Frame`.

    `pixels_sha256` is of what the file shows (`anchors.pixels`), empty for formats that lose something of the frame.
    """

    content: bytes
    width: int
    height: int
    pixels_sha256: str
    shown_at_ms: int
    shown_until_ms: int | None
    pts: int
    time_base: str
    pix_fmt: str
    frame_sha256: str
