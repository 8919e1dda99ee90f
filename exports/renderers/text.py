"""Prepare text for typesetting: replace characters without a glyph, find breaks and the direction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from exports.renderers import fonts

# Scripts that break between any two characters already: Hangul, kana, Han and their punctuation.
_BREAKS_ANYWHERE = r"\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U00020000-\U0003ffff"

# Characters that have no glyph and change how others are shown: soft hyphen, joiners, directions,
# variation selectors, tags (of emoji flags). The rest of Default_Ignorable_Code_Point is not needed here.
_IGNORABLE = frozenset(
    code
    for first, last in (
        *((0xAD, 0xAD), (0x61C, 0x61C), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2060)),
        *((0x2066, 0x2069), (0xFE00, 0xFE0F), (0xE0020, 0xE007F), (0xE0100, 0xE01EF)),
    )
    for code in range(first, last + 1)
)
# Unicode's Stream-Safe Text Format (UAX #15, 13): no writing has more marks in a row. Typesetting takes time
# quadratic in them.
_MAX_MARKS = 30
# Typesetting takes time quadratic in the number of pieces.
_MAX_PIECES = 200


class _Drawable(dict[int, str | None]):
    """A table for `str.translate`: white space becomes a space, controls go, what no font has becomes U+FFFD.

    PDF/UA-1 (clause 7.21.8) allows no text without a glyph.
    """

    def __missing__(self, code: int) -> str | None:
        category = unicodedata.category(chr(code))
        if category in ("Zl", "Zp") or code in (0x09, 0x85):
            self[code] = " "
        elif category == "Cc" or code == 0xFEFF:
            self[code] = None
        elif code in fonts.drawing_families() or code in _IGNORABLE:
            self[code] = chr(code)
        else:
            self[code] = " " if category == "Zs" else "\ufffd"
        return self[code]


_DRAWABLE = _Drawable()


def drawable(text: str) -> str:
    """Return the text as fonts can draw it, with at most `_MAX_MARKS` marks on one character."""
    return with_few_marks(text.translate(_DRAWABLE))


def with_few_marks(text: str) -> str:
    """Return the text with at most `_MAX_MARKS` marks on one character."""
    if len(text) <= _MAX_MARKS or text.isascii():
        return text
    kept = []
    marks = 0
    for character in text:
        is_mark = unicodedata.category(character)[0] == "M" or ord(character) in _IGNORABLE
        marks = marks + 1 if is_mark else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def pieces(text: str, max_length: int) -> list[str]:
    """Return the text cut where a word of more than `max_length` characters may break.

    It is also cut before a mark that no family has together with the character before it, as typst would draw
    neither.
    """
    cuts = sorted({0, *_cuts_in_long_words(text, max_length), *_cuts_before_foreign_marks(text)})
    cut = [text[begin:end] for begin, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    # A zero width space allows a break in one piece, but is copied with the text.
    return cut if len(cut) <= _MAX_PIECES else ["\u200b".join(cut)]


def _cuts_in_long_words(text: str, max_length: int) -> Iterator[int]:
    if len(text) <= max_length:
        return
    step = max(1, max_length // 4)
    for word in re.finditer(rf"[^\s{_BREAKS_ANYWHERE}]{{{max_length + 1},}}", text):
        last = word.start()
        for at in range(word.start() + 1, word.end()):
            if at - last >= step and not _belongs(text[at - 1], text[at]):
                last = at
                yield at


def _cuts_before_foreign_marks(text: str) -> Iterator[int]:
    if text.isascii():
        return
    families = fonts.drawing_families()
    shared = 0
    for at, character in enumerate(text):
        code = ord(character)
        if code in _IGNORABLE:
            continue
        drawing = families.get(code, 0)
        if at and _belongs(text[at - 1], character):
            if not shared & drawing:
                yield at
                shared = drawing
            shared &= drawing
        else:
            shared = drawing


def _belongs(before: str, character: str) -> bool:
    """Return whether a character is drawn as one with that before it: marks and parts of emoji."""
    return (
        unicodedata.category(character)[0] == "M"
        or before == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U0001f1e6" <= character <= "\U0001f1ff"
    )


def is_rtl(text: str) -> bool | None:
    """Return whether the first strong character is right-to-left; None without one (UAX #9, P2 and P3)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return None
