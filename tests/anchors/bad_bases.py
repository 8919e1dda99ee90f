"""Files that stand for pictures and are none: empty, of another kind, cut off, damaged, huge, or lying."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.anchors.pictures import encoded, screen

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body) if length is None else length) + kind + body + struct.pack(">I", crc)


def header(width: int, height: int, *, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def claiming(width: int, height: int, rows: bytes = b"\0" * 9) -> bytes:
    return SIGNATURE + header(width, height) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png() -> bytes:
    return encoded(screen())


def jpeg() -> bytes:
    return encoded(screen(), "JPEG")


def webp() -> bytes:
    return encoded(screen(), "WEBP")


def cut(file: bytes, share: float) -> bytes:
    return file[: int(len(file) * share)]


def with_noise(file: bytes, start: float, end: float) -> bytes:
    """Noise in place of a stretch of the file."""
    first, last = int(len(file) * start), int(len(file) * end)
    return file[:first] + random.Random(2).randbytes(last - first) + file[last:]


def other(kind: str) -> bytes:
    return encoded(Image.new("RGB", (16, 16)), kind)


def resized(file: bytes, marker: bytes, offset: int, size: bytes) -> bytes:
    """A file whose header, found by a marker, tells another size."""
    at = file.index(marker) + offset
    return file[:at] + size + file[at + len(size) :]


def bomb(width: int, height: int) -> bytes:
    """A PNG of some kilobytes that unpacks to far more rows than it says it has, and they are cut off."""
    return claiming(width, height, b"\0" * (width * 3 * 8))


BAD: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one byte": lambda: b"\x89",
    "zeros": lambda: bytes(100_000),
    "noise": lambda: random.Random(1).randbytes(100_000),
    "text": lambda: b"no picture at all\n" * 10,
    "html": lambda: b"<!doctype html><img src=x onerror=alert(1)>",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "pdf": lambda: other("PDF"),
    "gif": lambda: other("GIF"),
    "bmp": lambda: other("BMP"),
    "tiff": lambda: other("TIFF"),
    "ico": lambda: other("ICO"),
    "ppm": lambda: other("PPM"),
    "jpeg 2000": lambda: other("JPEG2000"),
    "zip": lambda: b"PK\x03\x04" + bytes(60),
    "png: signature only": lambda: SIGNATURE,
    "png: header only": lambda: SIGNATURE + header(64, 48),
    "png: no pixels": lambda: SIGNATURE + header(64, 48) + chunk(b"IEND", b""),
    "png: cut in the header": lambda: png()[:20],
    "png: cut after a tenth": lambda: cut(png(), 0.1),
    "png: cut in the middle": lambda: cut(png(), 0.5),
    "png: noise in the middle": lambda: with_noise(png(), 0.4, 0.6),
    "png: pixels that are no zlib": lambda: (
        SIGNATURE + header(64, 48) + chunk(b"IDAT", b"odd" * 99) + chunk(b"IEND", b"")
    ),
    "png: wrong checksum of the header": lambda: (
        SIGNATURE + chunk(b"IHDR", header(64, 48)[8:21], crc=1) + chunk(b"IEND", b"")
    ),
    "png: chunk longer than the file": lambda: (
        SIGNATURE + header(64, 48) + chunk(b"IDAT", zlib.compress(bytes(99)), length=2**31 - 1)
    ),
    "png: unknown depth": lambda: SIGNATURE + header(64, 48, depth=7) + claiming(64, 48)[33:],
    "png: unknown colours": lambda: SIGNATURE + header(64, 48, colour=5) + claiming(64, 48)[33:],
    "png: no width": lambda: claiming(0, 48),
    "png: no height": lambda: claiming(64, 0),
    "png: fewer rows than it says": lambda: claiming(4000, 4000),
    "png: over 40 megapixels": lambda: claiming(8000, 5001),
    "png: 2.5 gigapixels": lambda: claiming(50_000, 50_000),
    "png: the largest size there is": lambda: claiming(2**31 - 1, 2**31 - 1),
    "png: one side too long": lambda: claiming(100_000, 100),
    "png: a bomb": lambda: bomb(6000, 6000),
    "png: a text that unpacks to 20 MB": lambda: (
        SIGNATURE + header(64, 48) + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20 * 2**20))) + png()[33:]
    ),
    "jpeg: start only": lambda: b"\xff\xd8\xff",
    "jpeg: no pixels": lambda: jpeg()[:2] + b"\xff\xd9",
    "jpeg: cut in the tables": lambda: jpeg()[:200],
    "jpeg: cut in the middle": lambda: cut(jpeg(), 0.5),
    "jpeg: 4.3 gigapixels": lambda: resized(jpeg(), b"\xff\xc0", 5, b"\xff\xff\xff\xff"),
    "jpeg: no height": lambda: resized(jpeg(), b"\xff\xc0", 5, b"\0\0\0\x40"),
    "jpeg: no table of steps": lambda: jpeg().replace(b"\xff\xdb", b"\xff\xfe"),
    "png before, jpeg after": lambda: SIGNATURE + jpeg(),
    "webp: start only": lambda: b"RIFF\x10\0\0\0WEBPVP8 ",
    "webp: cut in the middle": lambda: cut(webp(), 0.5),
    "webp: noise from the start": lambda: with_noise(webp(), 0.001, 0.9),
    "webp: another length": lambda: webp()[:4] + b"\x08\0\0\0" + webp()[8:],
}
