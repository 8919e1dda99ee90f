"""The fonts as typst sees them, and the characters that they have glyphs for.

The characters are read from the fonts' character maps (OpenType 1.9.1, table `cmap`, formats 4 and 12): a tagged
PDF may not hold a character without a glyph, so they must be known before typesetting.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

from exports.font_files import font_files, font_folders

if TYPE_CHECKING:
    import typst

CODE_FAMILY = "JetBrains Mono"
_FIRST_FAMILY = "Noto Sans"
_HAN_FAMILIES = {
    "zh": "Noto Sans CJK SC",
    "zh-TW": "Noto Sans CJK TC",
    "zh-HK": "Noto Sans CJK HK",
    "ja": "Noto Sans CJK JP",
    "ko": "Noto Sans CJK KR",
}


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """Return the fonts of `font_files`, scanned once a process (30 ms); immutable, may be shared by threads.

    The fonts embedded in typst are left out, as it does not tell which characters they have.
    """
    # Here and not at the top of the module, for start-up time.
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders())


@lru_cache(maxsize=8)
def text_families(language: str, region: str) -> tuple[str, ...]:
    """Return every family, in the order in which typst tries them for a character.

    All are named, and typst's fallback is off, so that the order of files in a folder has no effect.
    Chinese, Japanese and Korean share code points but not shapes: the language of the document chooses.
    """
    han = _HAN_FAMILIES.get(f"{language}-{region}") or _HAN_FAMILIES.get(language, _HAN_FAMILIES["zh"])
    known = [name for name in fonts().families() if name != CODE_FAMILY]
    first = [_FIRST_FAMILY, han, "Noto Emoji"]
    return (*first, *(name for name in known if name not in first), CODE_FAMILY)


@lru_cache(maxsize=1)
def drawing_families() -> dict[int, int]:
    """Return, for each code point that a family has upright and italic, a bit for each such family."""
    by_family: dict[str, list[set[int]]] = {}
    for path in font_files():
        family = path.name.partition("[")[0].removesuffix("-Italic")
        with path.open("rb") as file:
            by_family.setdefault(family, []).append(_covered_by(file))
    found: dict[int, int] = {}
    for number, faces in enumerate(by_family.values()):
        for code in set.intersection(*faces):
            found[code] = found.get(code, 0) | 1 << number
    return found


def _covered_by(file: BinaryIO) -> set[int]:
    """Return the code points that a font file has glyphs for."""
    covered: set[int] = set()
    for start in {place for face in _face_offsets(file) for place in _cmap_subtables(file, face)}:
        (form,) = _unpack(file, start, ">H")
        if form == 4:
            covered.update(_format_4(file, start))
        elif form == 12:
            covered.update(_format_12(file, start))
    return covered


def _unpack(file: BinaryIO, offset: int, form: str) -> tuple[Any, ...]:
    file.seek(offset)
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _face_offsets(file: BinaryIO) -> list[int]:
    file.seek(0)
    if file.read(4) != b"ttcf":
        return [0]
    (count,) = _unpack(file, 8, ">I")
    return list(_unpack(file, 12, f">{count}I"))


def _cmap_subtables(file: BinaryIO, face: int) -> list[int]:
    """Return offsets in the file; faces of one collection mostly share theirs."""
    (table_count,) = _unpack(file, face + 4, ">H")
    tables = (_unpack(file, face + 12 + 16 * index, ">4sIII") for index in range(table_count))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    (count,) = _unpack(file, start + 2, ">H")
    return [start + _unpack(file, start + 4 + 8 * number, ">HHI")[2] for number in range(count)]


def _format_4(file: BinaryIO, start: int) -> Iterator[int]:
    length, _, doubled = _unpack(file, start + 2, ">HHH")
    count = doubled // 2
    words = _unpack(file, start, f">{length // 2}H")
    ends, firsts = words[7 : 7 + count], words[8 + count : 8 + 2 * count]
    deltas, ranges = words[8 + 2 * count : 8 + 3 * count], words[8 + 3 * count : 8 + 4 * count]
    for segment, (first, last, delta, reach) in enumerate(zip(firsts, ends, deltas, ranges, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            # The offset counts from its own place in the table, in bytes; 0 there stays 0.
            glyph = words[8 + 3 * count + segment + reach // 2 + code - first] if reach else code
            if (glyph + delta) % 0x10000 and (glyph or not reach):
                yield code


def _format_12(file: BinaryIO, start: int) -> Iterator[int]:
    (groups,) = _unpack(file, start + 12, ">I")
    numbers = _unpack(file, start + 16, f">{3 * groups}I")
    for first, last, glyph in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        yield from range(first + (glyph == 0), last + 1)
