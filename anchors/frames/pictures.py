"""A decoded frame as the picture that players show."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING

from PIL import Image

from anchors.frames.colours import Conversion, as_srgb, conversion
from jobs.media.probe import DAMAGED, MAX_PIXELS, UnreadableVideo, shown_size

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# (a, b, c, d) of a display matrix, which puts a point x, y at ax + cy, bx + dy, with y growing downwards
# (ISO/IEC 14496-12, 6.2.2). Turns by other angles are left alone: players ignore them.
_TURNS = {
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


def as_shown(frame: VideoFrame, *, sample_aspect: Fraction | None) -> Image.Image:
    """Return the frame as RGB (sRGB) with square pixels, turned by the display matrix.

    Raise UnreadableVideo (UNDECODABLE) for a pixel format that cannot be converted, and MemoryError.
    """
    # Imported here: it takes 0.1 s, and most processes never decode a frame.
    from av.sidedata.sidedata import SideDataContainer, Type

    colours = conversion(frame)
    size = shown_size(frame.width, frame.height, sample_aspect=sample_aspect, rotation=0)
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        size = frame.width, frame.height
    image = _rgb(frame, size, colours)
    if colours.is_wide_gamut:
        image = as_srgb(image)
    # Not `frame.side_data`, which the frame keeps: the two hold each other, and the decoder's memory, until the garbage
    # collector comes by.
    side_data = SideDataContainer(frame)  # type: ignore[call-arg]  # which its stub does not know
    if Type.DISPLAYMATRIX in side_data:
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(side_data[Type.DISPLAYMATRIX]))
        turn = _TURNS.get(tuple(round(value / 65536) for value in (a, b, c, d)))
        return image if turn is None else image.transpose(turn)
    return image


def _rgb(frame: VideoFrame, size: tuple[int, int], colours: Conversion) -> Image.Image:
    from av.error import FFmpegError

    try:
        rgb = frame.reformat(
            *size,
            format="rgb24",
            interpolation="BICUBIC",
            src_colorspace=colours.matrix,
            src_color_range=colours.color_range,
        )
    except MemoryError:  # FFmpeg's is one of both kinds
        raise
    except FFmpegError as error:
        raise UnreadableVideo("UNDECODABLE", DAMAGED) from error
    # What `frame.to_image` does in twice the time, copying line by line.
    return Image.frombytes("RGB", size, bytes(rgb.planes[0]), "raw", "RGB", rgb.planes[0].line_size, 1)
