"""What the numbers of a frame mean as colours. The numbers of the tags are those of ITU-T H.273, as in FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

BT709, BT601, UNSPECIFIED = 1, 5, 2

# BT.709, FCC, BT.601 (625 and 525 lines), SMPTE 240M and BT.2020: those that FFmpeg converts. It refuses YCgCo,
# constant luminance and reserved values.
_KNOWN_MATRICES = frozenset({BT709, 4, BT601, 6, 7, 9})
_LIMITED, _KNOWN_RANGES = 1, frozenset({0, 1, 2})  # 0: by the pixel format, yuvj420p for example
_HD_HEIGHT = 720
_BT2020_PRIMARIES = 9
_HDR_CURVES = frozenset({16, 18})  # PQ and HLG

# Linear light of BT.2020's primaries in those of BT.709 (ITU-R BT.2087-0 has the inverse), which are sRGB's.
_BT2020_TO_SRGB = (
    (1.660491, -0.587641, -0.072850),
    (-0.124550, 1.132900, -0.008349),
    (-0.018151, -0.100579, 1.118730),
)
_LIGHT_STEPS = 8191  # fine enough for the steepest part of the curve, which has 13 levels in 1 % of the light
_BAND = 64  # rows at a time: the floating-point numbers take four times the memory of the picture


@dataclass(frozen=True)
class Conversion:
    """How to convert a frame to RGB, None where its own tag holds."""

    matrix: int | None
    color_range: int | None
    is_wide_gamut: bool


def conversion(frame: VideoFrame) -> Conversion:
    """Return how a frame is converted to RGB.

    By its tags. Without one, or with one that cannot be followed, pictures of 720 lines and more are taken as
    BT.709 and smaller ones as BT.601, and the range as limited, as Firefox (DefaultColorSpace in VideoUtils.h) and,
    but for VP9 and AV1, Chromium do (AVStreamToVideoDecoderConfig in ffmpeg_common.cc). FFmpeg itself takes all as
    BT.601. mpv and VLC have the same rule with a limit of 576 lines.

    Primaries are converted where they are tagged as BT.2020, whose are far from sRGB's; those of BT.601 are so near
    that players pass them over. Pictures with a curve of HDR (PQ, HLG) are not mapped to SDR: they come out pale.
    """
    matrix = None
    if not frame.format.is_rgb and frame.colorspace not in _KNOWN_MATRICES:
        matrix = BT709 if frame.height >= _HD_HEIGHT else BT601
    return Conversion(
        matrix=matrix,
        color_range=None if frame.color_range in _KNOWN_RANGES else _LIMITED,
        is_wide_gamut=frame.color_primaries == _BT2020_PRIMARIES and frame.color_trc not in _HDR_CURVES,
    )


def as_srgb(image: Image.Image) -> Image.Image:
    """Return an RGB picture with the primaries of BT.2020 in those of sRGB; colours that sRGB has not are cut off.

    FFmpeg can do the same, in 4 s of processor time for a picture of 1080p; this takes 0.1 s. The SDR
    curves of BT.2020 and BT.709 are taken as sRGB's, so that grey stays what it is.
    """
    # Imported here: most processes never need it.
    import numpy as np

    levels = np.arange(256) / 255
    to_light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    light = np.arange(_LIGHT_STEPS + 1) / _LIGHT_STEPS
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    from_light = np.round(255 * curve).astype(np.uint8)
    matrix = np.array(_BT2020_TO_SRGB, np.float32).T * _LIGHT_STEPS
    to_light = to_light.astype(np.float32)
    pixels = np.array(image)
    for top in range(0, image.height, _BAND):
        band = to_light[pixels[top : top + _BAND]] @ matrix
        np.clip(band, 0, _LIGHT_STEPS, out=band)
        pixels[top : top + _BAND] = from_light[(band + 0.5).astype(np.uint16)]
    return Image.fromarray(pixels)
