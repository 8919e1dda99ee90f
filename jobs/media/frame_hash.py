"""The hash of a decoded frame, which anyone can compute again from the same file."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def planes_sha256(frame: VideoFrame) -> str:
    """Return the SHA-256, in hex, of a decoded frame's planes in its own pixel format.

    Plane follows plane and row follows row without padding, samples of more than 8 bits in the byte order that the
    format's name gives, and after a picture with a palette its 256 colours of 4 bytes, BGRA. That is what FFmpeg's
    rawvideo encoder writes, and FFmpeg's framehash muxer prints the hash of it. For the first video stream, in the
    line whose third field is the frame's `pts`:

        ffmpeg -noautorotate -copyts -i FILE -map 0:v:0 -fps_mode passthrough -enc_time_base -1 -autoscale 0 \\
            -f framehash -hash sha256 -

    By default ffmpeg turns pictures upright (`-noautorotate`), moves the first to 0 (`-copyts`), drops and repeats
    pictures for an even rate (`-fps_mode`, from 5.1; before that `-vsync passthrough`), counts time by that rate
    (`-enc_time_base`) and scales all pictures to the size of the first (`-autoscale`).
    """
    # Imported here: it takes 0.1 s, and most processes never decode a frame.
    from av.codec.context import CodecContext

    encoder = CodecContext.create("rawvideo", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    # Encoding would otherwise rewrite the frame's own times.
    encoder.time_base = frame.time_base or Fraction(1, 1000)
    found = hashlib.sha256()
    for packet in encoder.encode(frame):
        found.update(packet)
    return found.hexdigest()
