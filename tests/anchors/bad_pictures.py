"""Files that are no picture, or lie about it, by name; with the code that each is refused with."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

from tests.anchors.uploading import encoded, picture

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *, depth: int = 8, colours: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))


def png(width: int, height: int, *between: bytes, rows: int | None = None, depth: int = 8) -> bytes:
    """A black picture; with `rows` of pixels, though it says `height`."""
    pixels = bytes((1 + 3 * width * depth // 8) * (height if rows is None else rows))
    start = SIGNATURE + header(width, height, depth=depth) + b"".join(between)
    return start + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND")


def interlaced() -> bytes:
    """Of 64 x 48 pixels: the seven passes have 8 x 6, 8 x 6, 16 x 6, 16 x 12, 32 x 12, 32 x 24 and 64 x 24."""
    sizes = [(8, 6), (8, 6), (16, 6), (16, 12), (32, 12), (32, 24), (64, 24)]
    rows = b"".join(bytes(1 + 3 * width) * height for width, height in sizes)
    about = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 1))
    return SIGNATURE + about + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def text_bomb(kind: bytes, name: bytes) -> bytes:
    """A chunk of 20 KiB that unpacks to 20 MiB."""
    return chunk(kind, name + b"\0\0" + zlib.compress(bytes(20 * 2**20), 9))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("index.html", "<script>alert(1)</script>")
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def jpeg_with(*segments: bytes, **options: Any) -> bytes:
    content = picture("JPEG", **options)
    return content[:2] + b"".join(segments) + content[2:]


def jpeg_sized(width: int, height: int) -> bytes:
    """One whose header says so, whatever its pixels."""
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def webp_pixels(**options: Any) -> tuple[bytes, bytes]:
    content = picture("WEBP", **options)
    return content[12:16], content[20:]


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "green")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def many_scans() -> bytes:
    content = picture("JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * 120 + content[-2:]


def _with_profile_bomb() -> bytes:
    return png(64, 48, text_bomb(b"iCCP", b"sRGB"))


def _with_script_header() -> bytes:
    """The header of the JPEG begins a comment of JavaScript, which ends inside of it."""
    body = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + b"*/=alert(1);/*"
    content = picture("JPEG")
    return content[:2] + segment(0xE0, body.ljust(0x2F2A - 2, b"\0")) + content[20:]


BAD: dict[str, tuple[bytes, str, str]] = {
    # Empty of a picture, or of another kind
    "text": (b"hello", PNG, "NOT_A_PICTURE"),
    "one byte": (b"\x89", PNG, "NOT_A_PICTURE"),
    "zeros": (bytes(1000), JPEG, "NOT_A_PICTURE"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', PNG, "NOT_A_PICTURE"),
    "gif": (picture("GIF", mode="P"), PNG, "NOT_A_PICTURE"),
    "bmp": (picture("BMP"), PNG, "NOT_A_PICTURE"),
    "tiff": (picture("TIFF"), JPEG, "NOT_A_PICTURE"),
    "html": (b"<html><body><img></body></html>", WEBP, "NOT_A_PICTURE"),
    "pdf": (b"%PDF-1.7\n1 0 obj", PNG, "NOT_A_PICTURE"),
    "gzip of a png": (gzip.compress(picture()), PNG, "NOT_A_PICTURE"),
    "sound in a riff": (b"RIFF\x24\0\0\0WAVEfmt ", WEBP, "NOT_A_PICTURE"),
    # Damaged
    "png signature alone": (SIGNATURE, PNG, "UNDECODABLE"),
    "png without pixels": (SIGNATURE + header(64, 48) + chunk(b"IEND"), PNG, "UNDECODABLE"),
    "png without a header": (SIGNATURE + chunk(b"IEND"), PNG, "UNDECODABLE"),
    "png of no size": (png(0, 48), PNG, "UNDECODABLE"),
    "png cut in half": (picture()[: len(picture()) // 2], PNG, "UNDECODABLE"),
    "png without its last byte": (picture()[:-1], PNG, "UNDECODABLE"),
    "png with a flipped bit": (picture().replace(b"IDATx", b"IDATy"), PNG, "UNDECODABLE"),
    "png with fewer rows": (png(64, 48, rows=10), PNG, "UNDECODABLE"),
    "png with two headers": (png(64, 48, header(6000, 6000)), PNG, "UNDECODABLE"),
    "png with a chunk beyond its end": (
        SIGNATURE + header(64, 48) + struct.pack(">I", 2**31) + b"IDAT",
        PNG,
        "UNDECODABLE",
    ),
    "jpeg start alone": (b"\xff\xd8\xff", JPEG, "UNDECODABLE"),
    "jpeg without pixels": (b"\xff\xd8\xff\xd9", JPEG, "UNDECODABLE"),
    "jpeg cut in half": (picture("JPEG")[: len(picture("JPEG")) // 2], JPEG, "UNDECODABLE"),
    "jpeg without its end": (picture("JPEG")[:-2], JPEG, "UNDECODABLE"),
    "jpeg of no height": (jpeg_sized(64, 0), JPEG, "UNDECODABLE"),
    "webp cut in half": (picture("WEBP")[: len(picture("WEBP")) // 2], WEBP, "UNDECODABLE"),
    "webp without pixels": (riff(canvas(64, 48)), WEBP, "UNDECODABLE"),
    "webp of another canvas": (riff(canvas(640, 480), webp_pixels()), WEBP, "UNDECODABLE"),
    "webp of garbage": (
        riff((b"VP8L", b"\x2f" + bytes([63, 192, 11, 0]) + b"\xff" * 40)),
        WEBP,
        "UNDECODABLE",
    ),
    # Bombs
    "png of 100,000 x 100,000": (
        SIGNATURE + header(100_000, 100_000) + chunk(b"IEND"),
        PNG,
        "TOO_MANY_PIXELS",
    ),
    "png of 40 megapixels and a row": (png(8000, 5001), PNG, "TOO_MANY_PIXELS"),
    "png of one long row": (png(70_000, 1), PNG, "TOO_MANY_PIXELS"),
    "jpeg of 65,500 x 65,500": (jpeg_sized(65_500, 65_500), JPEG, "TOO_MANY_PIXELS"),
    "webp of 16 million x 16 million": (riff(canvas(2**24, 2**24), webp_pixels()), WEBP, "UNDECODABLE"),
    "webp of 16,384 x 16,384": (
        riff((b"VP8L", b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + bytes(40))),
        WEBP,
        "TOO_MANY_PIXELS",
    ),
    "png with a text of 20 MiB": (png(64, 48, text_bomb(b"zTXt", b"Comment")), PNG, "UNDECODABLE"),
    "png with a profile of 20 MiB": (_with_profile_bomb(), PNG, "UNDECODABLE"),
    "jpeg of many scans": (many_scans(), JPEG, "MEDIA_TOO_COMPLEX"),
    # Several pictures in one
    "apng": (moving("PNG"), PNG, "SEVERAL_PICTURES"),
    "webp that moves": (moving("WEBP"), WEBP, "SEVERAL_PICTURES"),
    "mpo": (moving("MPO"), JPEG, "SEVERAL_PICTURES"),
    "webp that says it moves": (riff(canvas(64, 48, 0x02), webp_pixels()), WEBP, "SEVERAL_PICTURES"),
    # Two files in one
    "png and a zip": (picture() + archive(), PNG, "TRAILING_DATA"),
    "jpeg and a page": (picture("JPEG") + b"<html><script>alert(1)</script>", JPEG, "TRAILING_DATA"),
    "jpeg and a jpeg": (picture("JPEG") * 2, JPEG, "TRAILING_DATA"),
    "webp and a program": (picture("WEBP") + b"MZ", WEBP, "TRAILING_DATA"),
    "png and a byte": (picture() + b"\0", PNG, "TRAILING_DATA"),
    "jpeg with a page in a comment": (
        jpeg_with(segment(0xFE, b"<Script>alert(1)</script>")),
        JPEG,
        "OTHER_FILE_INSIDE",
    ),
    "jpeg with a pdf in its beginning": (
        jpeg_with(segment(0xFE, b"%PDF-1.7\n1 0 obj")),
        JPEG,
        "OTHER_FILE_INSIDE",
    ),
    "png with a zip in a chunk": (png(64, 48, chunk(b"zipT", archive())), PNG, "OTHER_FILE_INSIDE"),
    "webp with a page in a chunk": (
        riff(canvas(64, 48), webp_pixels(), (b"junk", b"<!DOCTYPE html>")),
        WEBP,
        "OTHER_FILE_INSIDE",
    ),
    "jpeg whose header is a script": (_with_script_header(), JPEG, "UNDECODABLE"),
    # Colours that readers show differently
    "cmyk jpeg": (picture("JPEG", mode="CMYK"), JPEG, "UNSUPPORTED_JPEG"),
}

GOOD: dict[str, tuple[bytes, str]] = {
    "png": (picture(), PNG),
    "png with alpha": (picture(mode="RGBA"), PNG),
    "png of grey": (picture(mode="L"), PNG),
    "png of a palette": (picture(mode="P"), PNG),
    "png of one bit": (picture(mode="1"), PNG),
    "png of 16 bits": (png(64, 48, depth=16), PNG),
    "png whose rows are interlaced": (interlaced(), PNG),
    "png of 16 bits of grey": (picture(mode="I;16"), PNG),
    "jpeg": (picture("JPEG"), JPEG),
    "jpeg of grey": (picture("JPEG", mode="L"), JPEG),
    "progressive jpeg": (picture("JPEG", progressive=True), JPEG),
    "jpeg with restarts": (picture("JPEG", restart_marker_blocks=1), JPEG),
    "jpeg with a comment": (picture("JPEG", comment=b"a comment"), JPEG),
    "webp": (picture("WEBP"), WEBP),
    "webp without loss": (picture("WEBP", lossless=True), WEBP),
    "webp with alpha": (picture("WEBP", mode="RGBA"), WEBP),
}
