"""Documents of every kind by number: texts in many scripts, every block, pictures of every type and shape, looks."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PIL import Image, ImageDraw

from exports.look import PAPER_SIZES, Look
from exports.snapshot import Document, ReadPicture
from instructions.blocks import parse_blocks
from tests.exports.documents import encoded, make_document, with_markers

LANGUAGES = ("en", "de-AT", "ar", "he", "zh-TW", "ja", "ko", "fi", "", "x-none")
WORDS = (
    *(
        "Open",
        "the *page*",
        "click **New**",
        "`F2`",
        "~~old~~",
        "and",
        "invoices",
        "12,00 €",
        "a\\*b",
        "—",
        "e\u0301",
    ),
    *(
        "Größe",
        "Привет",
        "Ελληνικά",
        "中文说明",
        "日本語",
        "한국어",
        "שלום",
        "مرحبا",
        "ไทย",
        "हिन्दी",
        "👍🏽",
        "👩‍💻",
        "🇦🇹",
    ),
    *(
        "<b>bold</b>",
        "&amp;",
        "&#x3c;",
        "a < b && c",
        "$x^2$",
        "#read(1)",
        "@label",
        "{{x}}",
        "C:\\\\dir",
        "x" * 45,
    ),
    *(
        "\u202eback\u202c",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "\u2028",
        "\U000118a0",
        "\ufffe",
        "fi",
        "!= -> ===",
    ),
)
LINKS = (
    *("[site](https://example.com/a?b=c&d#e)", "<https://example.com>", "<mailto:desk@example.com>", "[ref]"),
    *(
        "[no](javascript:alert(1))",
        "![far](https://example.com/x.png)",
        "[*both*](http://xn--bcher-kva.example)",
    ),
)
CODE = (
    "if x != 1:\n\treturn  [x]\n",
    "<a href='b'>\n\n  ]]> &amp;\n",
    "ls -la | grep é\n",
    "中 => 文\n" * 12,
)
MODES = ("RGB", "RGBA", "L", "P", "LA")


def generated(number: int) -> tuple[Document, ReadPicture]:
    """Return the document of this number, and a function that reads its pictures; the same on every machine."""
    # Seeded by a text, which does not depend on the seed of hashes.
    rng = random.Random(f"document {number}")
    blocks = [_block(rng, depth=0) for _ in range(rng.randint(1, 12))]
    if rng.random() < 0.8:
        blocks.insert(0, f"# {_text(rng, 4)}")
    if rng.random() < 0.3:
        blocks.append("[ref]: https://example.com/ref 'Ref'")
    text = with_markers("\n\n".join(blocks) + "\n")
    found = parse_blocks(text)
    ids = [block.block_id for block in found] + [None, "00000000-0000-0000-0000-00000000ffff"]
    pictures = [(rng.choice(ids), _picture(rng)) for _ in range(rng.choice((0, 1, 1, 2, 3, 5)))]
    steps = [block.block_id for block in found if block.kind == "step"]
    document, read = make_document(
        text,
        pictures,
        title=_text(rng, 3),
        alt=_text(rng, 5) if rng.random() < 0.7 else "",
        language=rng.choice(LANGUAGES),
        spans={step: _span(rng) for step in steps if rng.random() < 0.5},
        look=_look(rng),
        steps=tuple(_evidence(rng, step) for step in steps),
        instruction_version_id=f"version-{number}",
    )
    listed = [replace(picture, origin=_origin(rng)) for picture in document.pictures]
    return replace(document, pictures=tuple(listed)), read


def _text(rng: random.Random, most: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most)))


def _sentence(rng: random.Random) -> str:
    return f"{_text(rng, 12)} {rng.choice(LINKS) if rng.random() < 0.3 else ''}".rstrip() + "."


def _step(rng: random.Random) -> str:
    level, number = rng.choice(("##", "###")), rng.randint(1, 40)
    start = rng.randint(0, 200)
    times = f" ({start // 60}:{start % 60:02}–9:59)" if rng.random() < 0.5 else ""
    return f"{level} Step {number}: {_text(rng, 5)}{times}\n\n{_sentence(rng)}"


def _list(rng: random.Random, depth: int) -> str:
    first = rng.choice((1, 1, 3, 98))
    marks = ["-"] * 4 if rng.random() < 0.5 else [f"{first + at}." for at in range(4)]
    items = []
    for mark in marks[: rng.randint(1, 4)]:
        inner = _sentence(rng)
        if depth < 3 and rng.random() < 0.4:
            inner += "\n\n" + _block(rng, depth + 1)
        items.append(f"{mark} " + inner.replace("\n", "\n" + " " * (len(mark) + 1)))
    return ("\n\n" if rng.random() < 0.3 else "\n").join(items)


def _quote(rng: random.Random, depth: int) -> str:
    inner = _block(rng, depth + 1) if depth < 3 else _sentence(rng)
    return "\n".join(f"> {line}" for line in inner.split("\n"))


def _table(rng: random.Random) -> str:
    width = rng.randint(1, 7)
    rows = [[_text(rng, 2).replace("|", "\\|") for _ in range(width)] for _ in range(rng.randint(1, 5))]
    aligned = [rng.choice(("---", ":--", "--:", ":-:")) for _ in range(width)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (rows[0], aligned, *rows[1:]))


def _code(rng: random.Random) -> str:
    return f"```{rng.choice(('', 'python', 'sh', '{'))}\n{rng.choice(CODE)}```"


def _block(rng: random.Random, depth: int) -> str:
    kinds: list[Callable[[], str]] = [
        lambda: _sentence(rng),
        lambda: f"{_sentence(rng)}  \n{_sentence(rng)}\n{_sentence(rng)}",
        lambda: _list(rng, depth),
        lambda: _quote(rng, depth),
        lambda: _table(rng),
        lambda: _code(rng),
        lambda: rng.choice(("---", "<div>\nx\n</div>", "<!-- remark -->", "    indented\n")),
        lambda: f"{'#' * rng.randint(2, 6)} {_text(rng, 4)}",
    ]
    steps = [lambda: _step(rng)] * 4
    return rng.choice(kinds if depth else kinds + steps)()


def _picture(rng: random.Random) -> bytes:
    """Return a picture of any type, mode and shape, some with metadata, of which some are to be turned."""
    size = rng.choice(((320, 180), (640, 360), (90, 200), (1, 1), (600, 2), (33, 47)))
    drawn = Image.new("RGB", size, (rng.randint(0, 255), rng.randint(0, 255), 200))
    ImageDraw.Draw(drawn).rectangle((0, 0, size[0] // 2, size[1] // 3), fill=(9, rng.randint(0, 255), 9))
    format = rng.choice(("PNG", "PNG", "JPEG", "WEBP"))
    mode = rng.choice(MODES)
    picture = (
        drawn if format == "JPEG" else drawn.convert("RGB" if format == "WEBP" and mode != "RGBA" else mode)
    )
    options: dict[str, Any] = {"lossless": rng.random() < 0.5} if format == "WEBP" else {}
    if rng.random() < 0.3:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = rng.randint(1, 8)
    return encoded(picture, format, **options)


def _look(rng: random.Random) -> Look:
    logo = base64.b64encode(encoded(Image.new("RGBA", (rng.randint(1, 400), 40), (1, 2, 3, 128)))).decode()
    return Look(
        paper_size=rng.choice(PAPER_SIZES),
        accent_color=rng.choice((None, "#004488", "#7a1f1f")),
        footer=rng.choice((None, "ACME · internal", "حساس", "</style>\\ *x*")),
        logo_png=rng.choice((None, logo)),
    )


def _span(rng: random.Random) -> tuple[int, int | None]:
    start = rng.randint(0, 7_200_000)
    return start, rng.choice((None, start + rng.randint(0, 90_000)))


def _evidence(rng: random.Random, block_id: str) -> dict[str, Any]:
    segments = [{"position": n, "start_ms": n * 1000, "end_ms": None} for n in range(rng.randint(0, 3))]
    frames = [{"pts": rng.randint(0, 10**6)} for _ in range(rng.randint(0, 2))]
    known = {"kind": "said", "number": 1, "start_ms": 0, "end_ms": None, "needs_review": False}
    return {"block_id": block_id, "segments": segments, "frames": frames, **known}


def _origin(rng: random.Random) -> dict[str, Any] | None:
    frame = {
        "pts": rng.randint(0, 999),
        "time_base": "1/90000",
        "pix_fmt": "yuv420p",
        "frame_sha256": "cd" * 32,
    }
    hidden = {
        "kind": "ANNOTATED",
        "commitment": "ab" * 32,
        "ops_hash": None,
        "base_sha256": None,
        "frame": None,
    }
    return rng.choice((None, hidden, {**hidden, "kind": "EXTRACTED", "commitment": None, "frame": frame}))
