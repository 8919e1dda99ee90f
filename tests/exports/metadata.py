"""Pictures with the metadata that cameras and programs write."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

from tests.exports.documents import drawing, encoded

SECRETS = (b"GPS", b"Camera-007", b"secret remark", b"http://ns.adobe.com/xap", b"Exif", b"eXIf", b"tIME")
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a href='http://ns.adobe.com/xap'>secret remark</a></x:xmpmeta>"


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[0x0110] = "Camera-007"
    data[0x0112] = orientation
    data.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return data


def png_text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret remark", zip=False)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add(b"tIME", b"\x07\xe8\x01\x02\x03\x04\x05")
    return info


TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "image/png": ("PNG", {"pnginfo": png_text()}),
    "image/jpeg": ("JPEG", {"comment": b"secret remark", "xmp": XMP}),
    "image/webp": ("WEBP", {"xmp": XMP, "lossless": True}),
}


def with_metadata(mime_type: str, *, orientation: int = 1) -> bytes:
    format, options = TYPES[mime_type]
    return encoded(drawing(3), format, exif=exif(orientation), icc_profile=ICC, **options)
