"""Draw a list of operations on a picture."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, ImageCms

from anchors.frames import encode_image
from anchors.render.canvas import Box
from anchors.render.lettering import draw_badge, draw_text
from anchors.render.operations import normalise_operations
from anchors.render.redaction import redact
from anchors.render.shapes import draw_arrow, draw_box, draw_marker, draw_pencil, pixel_box

MAX_PIXELS = 40_000_000
MAX_SIDE = 65_535

_DRAW = {
    "arrow": draw_arrow,
    "marker": draw_marker,
    "pencil": draw_pencil,
    "box": draw_box,
    "text": draw_text,
    "badge": draw_badge,
}

# What Pillow raises on damaged files and on files of another format.
_DAMAGE = (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError)

# What brings a picture with this EXIF orientation (CIPA DC-008, 4.6.4) upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageUnreadable(ValueError):
    """The base picture is no PNG, JPEG or WebP, is damaged, or has over `MAX_PIXELS` pixels."""


def render_annotations(base: bytes, operations: list[dict[str, Any]]) -> bytes:
    """Return the base picture with the operations drawn on it, as the bytes of a PNG file without metadata.

    Blurs come first wherever they stand, so that no redaction hides a drawing, and no drawing takes its look from
    what a redaction hides. Then the others are drawn in the order of the list, each on what the ones before have
    left, and the crop comes last. The picture is turned upright (EXIF), brought to sRGB and laid on white where it
    is transparent; of an animation the first picture is taken.

    The same arguments give the same bytes under the same `RENDERER_VERSION`. Raises ImageUnreadable and
    OperationsInvalid.
    """
    normal = normalise_operations(operations)
    image = decode(base)
    kept = _kept(image, normal)
    redact(image, [each for each in normal if each["op_type"] == "blur"], within=kept)
    for operation in normal:
        if operation["op_type"] in _DRAW:
            _DRAW[operation["op_type"]](image, operation["geometry"], operation["style"])
    if kept:
        image = image.crop(kept)
    # PNG at level 1. Processor ms / KiB of annotated pictures of 1080p, out of a video and of small text, with
    # zlib-ng: level 1 74 / 377 and 67 / 296, 3 65 / 365 and 70 / 281, 6 126 / 330 and 124 / 258, 9 411 / 327 and
    # 414 / 247. Lossless WebP at its fastest is smaller, 47 / 238 and 47 / 74; but in Word files it has to be PNG
    # again.
    return encode_image(image, "png")


def _kept(image: Image.Image, operations: list[dict[str, Any]]) -> Box | None:
    """Return what the crop leaves of the picture; None without a crop."""
    crops = [pixel_box(image, each["geometry"]) for each in operations if each["op_type"] == "crop"]
    return crops[0] if crops else None


def decode(base: bytes) -> Image.Image:
    """Return a picture as it is shown: RGB (sRGB), upright, laid on white. Its size is checked before any pixel is
    decoded. Raise ImageUnreadable."""
    try:
        with Image.open(io.BytesIO(base), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                raise ImageUnreadable(f"The picture is too large: {image.width} x {image.height} pixels.")
            image.load()
    except _DAMAGE as error:
        if isinstance(error, ImageUnreadable):
            raise
        raise ImageUnreadable("The picture is damaged or not of a known kind.") from error
    return _flatten(_to_srgb(_upright(image)))


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except _DAMAGE:
        return image  # the EXIF block is damaged, the picture itself is not
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in sRGB, if it carries another profile that can be read, else as it is."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (OSError, ImageCms.PyCMSError):
        return image  # players show a picture with a broken profile as if it had none
    return image if converted is None else converted


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
