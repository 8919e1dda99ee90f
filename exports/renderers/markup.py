"""HTML made of elements, so that text is escaped by construction.

Only `element` makes markup; what it is given as `str`, children and values of attributes, is text and is escaped.
The names of elements and attributes are written in code and never come from a document.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

# Elements that have no end tag (HTML Living Standard, 13.1.2), as far as they are used.
_VOID = frozenset({"br", "hr", "img", "meta"})
# What HTML does not allow in text (13.2.3.5): controls but for tab and line feed, surrogates, noncharacters.
_REMOVED = dict.fromkeys(
    code
    for first, last in (
        *((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF)),
        *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
    )
    for code in range(first, last + 1)
)


@dataclass(frozen=True, slots=True)
class Html:
    """Markup, as the pieces of its bytes in UTF-8: large ones, which pictures are, are joined once, at the end."""

    pieces: tuple[bytes, ...]

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)


def element(name: str, /, *children: Html | str, **attributes: str | int | None) -> Html:
    """Return an element. An attribute that is None is left out; `_` is `-` in a name, and nothing at its end."""
    opening = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            opening.append(f' {key.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"')
    opening.append(">")
    begin = "".join(opening).encode()
    return Html((begin,) if name in _VOID else (begin, *fragment(*children).pieces, f"</{name}>".encode()))


def fragment(*children: Html | str) -> Html:
    """Return the children one after another."""
    return Html(
        tuple(
            piece
            for child in children
            for piece in (child.pieces if isinstance(child, Html) else (_escaped(child).encode(),))
        )
    )


def style_element(stylesheet: str) -> Html:
    """Return the element of a stylesheet of ours, whose text browsers take as it stands.

    Raise ValueError for a stylesheet that could end the element.
    """
    if "<" in stylesheet:
        raise ValueError("a stylesheet may not hold a less-than sign")
    return Html((b"<style>", stylesheet.encode(), b"</style>"))


def _escaped(text: str) -> str:
    return html.escape(text.translate(_REMOVED))
