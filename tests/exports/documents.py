"""Documents and pictures for the tests of the renderers."""

from __future__ import annotations

import hashlib
import io
import struct
import uuid
import zlib
from collections.abc import Iterable
from typing import Any

from PIL import Image, ImageDraw

from exports.snapshot import AssetMissing, Document, Picture, ReadPicture
from instructions.blocks import ensure_markers, parse_blocks

GUIDE = """# Send an invoice

What you need: an account with the role *Editor*.

## Write it

### Step 1: Open the **Invoices** page (0:04–0:12)

Click **Invoices** in the menu.

### Step 2: Click `New` (0:12–0:18)

The list opens:

- newest first,
- paid ones in grey.

## Send it

### Step 3: Press *Send* (0:18–1:02)

| Field | Value |
| --- | ---: |
| Amount | 12,00 |

The customer gets an e-mail.
"""


def with_markers(markdown: str) -> str:
    """Return the text with block ids 1, 2, 3 … in its order."""
    numbers = iter(range(1, 100_000))
    return ensure_markers(markdown, lambda: str(uuid.UUID(int=next(numbers))))


def block_id(markdown: str, title: str) -> str:
    """Return the id of the heading or step with this title, or of the first block that begins with it."""
    for block in parse_blocks(markdown):
        if block.title == title or markdown[block.start_offset : block.end_offset].startswith(title):
            return block.block_id
    raise AssertionError(f"no block {title!r}")


def drawing(number: int, *, size: tuple[int, int] = (320, 180)) -> Image.Image:
    picture = Image.new("RGB", size, (238, 241, 246))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, size[0], 20), fill=(31, 41, 55))
    for row in range(4):
        left = 20 + 7 * number % 50
        pen.rectangle((left, 40 + row * 30, left + 150, 58 + row * 30), fill=(79, 70 + number % 150, 229))
    return picture


def encoded(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def plain_png(color: int, *, width: int = 32, height: int = 18) -> bytes:
    """Return a PNG without compression, whose bytes do not depend on the version of a library."""
    rows = (b"\0" + bytes([color]) * width) * height
    return _png(rows, width=width, height=height, depth=8, kind=0)


def deep_png(mode: str) -> bytes:
    """Return a PNG of 16 bits a sample, of whose lower eight most would round the upper up."""
    kind, channels = {"L": (0, 1), "RGB": (2, 3), "RGBA": (6, 4)}[mode]
    samples = bytes(each for upper in range(32 * channels) for each in (upper, 255))
    return _png((b"\0" + samples) * 32, width=32, height=32, depth=16, kind=kind)


def _png(rows: bytes, *, width: int, height: int, depth: int, kind: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    stored = b"\x78\x01\x01" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF) + rows
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = chunk(b"IDAT", stored + struct.pack(">I", zlib.adler32(rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


PNG = plain_png(7)


def make_document(
    markdown: str = GUIDE,
    pictures: Iterable[tuple[str | None, bytes]] = (),
    *,
    alt: str = "",
    **changed: Any,
) -> tuple[Document, ReadPicture]:
    """Return a document of this text and these (block id, picture bytes), and a function that reads them."""
    stored: dict[str, bytes] = {}
    listed = []
    for number, (block, content) in enumerate(pictures):
        with Image.open(io.BytesIO(content)) as opened:
            mime_type, (width, height) = Image.MIME[opened.format or ""], opened.size
        listed.append(
            Picture(
                anchor_id=f"anchor-{number}",
                asset_id=f"asset-{number}",
                block_id=block,
                sha256=hashlib.sha256(content).hexdigest(),
                mime_type=mime_type,
                width=width,
                height=height,
                extracted_at_ms=4000 + number,
                alt=alt,
            )
        )
        stored[f"asset-{number}"] = content
    fields: dict[str, Any] = {
        "job_id": "job-1",
        "instruction_id": "instruction-1",
        "instruction_version_id": "version-1",
        "version": 3,
        "title": "Send an invoice",
        "language": "en",
        "markdown": markdown,
        "pictures": tuple(listed),
        "video_sha256": "ab" * 32,
        "provenance": {"model_profile_id": "extractive", "anchors": []},
    }

    def read(picture: Picture) -> bytes:
        if picture.asset_id not in stored:
            raise AssetMissing(picture.asset_id)
        return stored[picture.asset_id]

    return Document(**{**fields, **changed}), read


def sample() -> tuple[Document, ReadPicture]:
    """Return the guide with a picture at each step and one without a block; no byte depends on a library."""
    text = with_markers(GUIDE)
    places = [block_id(text, title) for title in ("Open the Invoices page", "Click New", "Press Send")]
    return make_document(text, [(place, plain_png(40 * n)) for n, place in enumerate([*places, None])])
