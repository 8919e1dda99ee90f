"""Colours of videos that are written by the formulas of ITU-T H.273, with each tagging."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anchors.frames import grab_frame
from anchors.frames.pictures import as_shown
from jobs.media.probe import UnreadableVideo

pytestmark = pytest.mark.slow

COLOURS = [
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (0, 0, 0),
    (128, 128, 128),
    (200, 60, 30),
    (30, 90, 200),
    (240, 200, 40),
    (17, 120, 90),
]
CELL = 32
BT709, BT601_625, BT601_525, BT2020 = 1, 5, 6, 9
LIMITED, FULL = 1, 2
WEIGHTS = {BT709: (0.2126, 0.0722), BT601_625: (0.299, 0.114), BT2020: (0.2627, 0.0593)}  # of red and blue
WEIGHTS[BT601_525] = WEIGHTS[BT601_625]

X264 = {"options": {"qp": "1"}}
X265 = {"codec": "libx265", "options": {"x265-params": "qp=2:bframes=0:log-level=0"}}
VP9 = {"codec": "libvpx-vp9", "options": {"crf": "2", "b": "0"}}
AV1 = {"codec": "libsvtav1", "options": {"crf": "5"}}
PRORES = {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "options": {"profile": "3"}}
TEN = {"pix_fmt": "yuv420p10le"}
KINDS: dict[str, dict[str, Any]] = {
    "x264.mp4": X264,
    "x264.mkv": X264,
    "444.mp4": {**X264, "pix_fmt": "yuv444p"},
    "ten.mp4": {**X264, **TEN},
    "x265.mkv": X265,
    "x265_ten.mp4": {**X265, **TEN},
    "vp9.webm": VP9,
    "av1_ten.mkv": {**AV1, **TEN},
    "prores.mov": PRORES,
}


def yuv(colour: np.ndarray[Any, Any], matrix: int, color_range: int, bits: int) -> list[int]:
    """Return Y', Cb and Cr of R', G', B' from 0 to 1 (H.273, 8.3)."""
    red, green, blue = colour
    of_red, of_blue = WEIGHTS[matrix]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    chroma = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    unit, most = 1 << bits - 8, (1 << bits) - 1
    if color_range == FULL:
        found = [most * luma, *(most * value + 128 * unit for value in chroma)]
    else:
        found = [(16 + 219 * luma) * unit, *((128 + 224 * value) * unit for value in chroma)]
    return [min(most, round(value)) for value in found]


def swatches(pix_fmt: str, height: int, matrix: int, color_range: int, colours: Any = None) -> av.VideoFrame:
    frame = av.VideoFrame(CELL * len(COLOURS), height, pix_fmt)
    deep = frame.format.components[0].bits
    kind = np.uint16 if deep > 8 else np.uint8
    shares = np.array(COLOURS) / 255 if colours is None else colours
    values = [yuv(colour, matrix, color_range, deep) for colour in shares]
    for plane, levels in zip(frame.planes, zip(*values, strict=True), strict=True):
        content = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
        content[:, : plane.width] = np.repeat(np.array(levels), plane.width // len(COLOURS))
        plane.update(content.tobytes())
    return frame


def write(
    path: Path,
    frame: av.VideoFrame,
    *,
    codec: str = "libx264",
    options: dict[str, str],
    tags: dict[str, int],
    pix_fmt: str = "",
) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pix_fmt or frame.format.name
        stream.options = options
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
            setattr(frame, name, value)  # which ProRes goes by
        for number in range(2):
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shown(path: Path) -> np.ndarray[Any, Any]:
    image = grab_frame(path, 0).image
    return np.array([image.getpixel((CELL * n + CELL // 2, 24)) for n in range(len(COLOURS))], int)


def furthest(path: Path, expected: Any = COLOURS) -> int:
    return int(np.abs(shown(path) - np.array(expected)).max())


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT709, BT601_625, BT601_525, BT2020])
@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_that_the_tags_mean(
    kind: str, matrix: int, color_range: int, tmp_path: Path
) -> None:
    if kind == "prores.mov" and color_range == FULL:
        pytest.skip("ProRes has no tag for the range: RDD 36 has limited levels alone")
    with_kind = {**KINDS[kind]}
    # Heights at which a guess would take BT.709 for BT.601, and the other way round.
    height = 720 if matrix != BT709 else 64
    frame = swatches(with_kind.pop("pix_fmt", "yuv420p"), height, matrix, color_range)
    tags = {"colorspace": matrix, "color_range": color_range}
    assert furthest(write(tmp_path / kind, frame, tags=tags, **with_kind)) <= 5


@pytest.mark.parametrize(
    ("height", "matrix"), [(576, BT601_625), (718, BT601_625), (720, BT709), (1080, BT709)]
)
@pytest.mark.parametrize("kind", ["x264.mp4", "ten.mp4", "vp9.webm"])
def test_without_tags_high_pictures_are_bt709_and_others_bt601(
    kind: str, height: int, matrix: int, tmp_path: Path
) -> None:
    with_kind = {**KINDS[kind]}
    frame = swatches(with_kind.pop("pix_fmt", "yuv420p"), height, matrix, LIMITED)
    assert furthest(write(tmp_path / kind, frame, tags={}, **with_kind)) <= 5


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264rgb", "rgb24"),
        ("b.mkv", "libx265", "gbrp"),
        ("c.avi", "utvideo", "gbrp"),
        ("d.mov", "qtrle", "rgb24"),
        ("e.webm", "libvpx-vp9", "gbrp"),
    ],
)
@pytest.mark.parametrize("height", [64, 720])
def test_videos_of_red_green_and_blue_are_as_they_are(
    name: str, codec: str, pix_fmt: str, height: int, tmp_path: Path
) -> None:
    row = np.repeat(np.array([COLOURS], np.uint8), CELL, 1)
    frame = av.VideoFrame.from_ndarray(np.repeat(row, height, 0), format="rgb24").reformat(format=pix_fmt)
    options = {"libx264rgb": {"qp": "0"}, "libx265": X265["options"], "libvpx-vp9": VP9["options"]}
    video = write(tmp_path / name, frame, codec=codec, options=options.get(codec, {}), tags={})  # type: ignore[arg-type]
    assert furthest(video) <= 4


@pytest.mark.parametrize("matrix", [BT709, BT601_625])
def test_pictures_of_jpeg_have_the_full_range(matrix: int, tmp_path: Path) -> None:
    frame = swatches("yuvj420p", 64, matrix, FULL)
    options = {"qmin": "1", "qmax": "1", "flags": "qscale", "global_quality": "118"}
    tags = {"colorspace": matrix, "color_range": FULL}
    # JPEG is BT.601 (JFIF), whatever the tag of its container.
    video = write(tmp_path / "v.avi", frame, codec="mjpeg", options=options, tags=tags)
    assert (furthest(video) <= 6) == (matrix == BT601_625)


def test_the_primaries_of_bt2020_become_those_of_srgb(tmp_path: Path) -> None:
    """ITU-R BT.2087-0, with the curve of sRGB on both sides."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    encoded = np.array(COLOURS) / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4) @ to_2020.T
    stored = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    frame = swatches("yuv420p10le", 64, BT2020, LIMITED, stored)
    tags = {"colorspace": BT2020, "color_range": LIMITED, "color_primaries": 9, "color_trc": 14}
    video = write(tmp_path / "v.mkv", frame, options=X265["options"], codec="libx265", tags=tags)  # type: ignore[arg-type]
    assert furthest(video) <= 8  # the curve is steep near black
    unconverted = np.abs(np.round(stored * 255) - COLOURS).max()
    assert unconverted > 40, "a test of colours that need no conversion"


@pytest.mark.parametrize("curve", [16, 18], ids=["PQ", "HLG"])
def test_hdr_is_given_without_being_mapped(curve: int, tmp_path: Path) -> None:
    frame = swatches("yuv420p10le", 64, BT2020, LIMITED)
    tags = {"colorspace": BT2020, "color_range": LIMITED, "color_primaries": 9, "color_trc": curve}
    video = write(tmp_path / "v.mkv", frame, options=X265["options"], codec="libx265", tags=tags)  # type: ignore[arg-type]
    assert furthest(video) <= 5


@pytest.mark.parametrize("matrix", [0, 3, 8, 10, 11, 14, 17])
@pytest.mark.parametrize("color_range", [0, 3])
def test_tags_that_cannot_be_followed_are_passed_over(matrix: int, color_range: int) -> None:
    """YCgCo, constant luminance and reserved values, which FFmpeg's conversion refuses."""
    frame = swatches("yuv420p", 720, BT709, LIMITED)
    frame.colorspace, frame.color_range = matrix, color_range
    image = as_shown(frame, sample_aspect=None)
    for number, colour in enumerate(COLOURS):
        pixel = image.getpixel((CELL * number + CELL // 2, 24))
        assert np.abs(np.subtract(pixel, colour)).max() <= 5  # type: ignore[arg-type]


def test_a_file_with_a_matrix_that_cannot_be_followed_has_pictures(tmp_path: Path) -> None:
    frame = swatches("yuv444p", 720, BT709, LIMITED)
    video = write(tmp_path / "v.mp4", frame, options=X264["options"], tags={"colorspace": 8})
    assert furthest(video) <= 5


def test_a_pixel_format_that_cannot_be_converted_is_refused() -> None:
    with pytest.raises(UnreadableVideo) as caught:
        as_shown(av.VideoFrame(64, 64, "gray32le"), sample_aspect=None)
    assert caught.value.code == "UNDECODABLE"
