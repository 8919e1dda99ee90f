"""Pictures as files."""

from __future__ import annotations

import io
from typing import Any, Literal

from PIL import Image

ImageFormat = Literal["png", "jpg", "webp"]

MIME_TYPES: dict[ImageFormat, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

# Level 1 for PNG, measured with zlib-ng on a 1280x720 screen picture that came out of a video (ms / KiB):
# level 1 38 / 269, 3 62 / 255, 6 (Pillow's choice) 95 / 306, 9 354 / 302; on one freshly drawn 44 / 139, 43 /
# 136, 62 / 129, 205 / 126. For comparison JPEG 8 / 196 and WebP 125 / 93.
_SAVE_OPTIONS: dict[ImageFormat, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 1},
    "jpg": {"format": "JPEG", "quality": 90, "subsampling": "4:4:4"},
    "webp": {"format": "WEBP", "quality": 90, "method": 4},
}


def encode_image(image: Image.Image, image_format: ImageFormat) -> bytes:
    """Return the bytes of a file with the picture as RGB: the same for the same picture, and without metadata."""
    bare = image
    if image.mode != "RGB" or image.info:
        bare = image.convert("RGB")
        bare.info.clear()  # Pillow writes colour profiles, comments and resolution that it finds here
    buffer = io.BytesIO()
    bare.save(buffer, **_SAVE_OPTIONS[image_format])
    return buffer.getvalue()
