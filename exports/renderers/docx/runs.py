"""The text of a paragraph as runs: emphasis, code, links, breaks, and pieces of one direction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.part import Part

from exports.renderers.docx.xml import Element, add
from exports.renderers.text import with_few_marks
from exports.renderers.tree import Break, CodeSpan, Inline, Link, Styled, Text

# What Word opens: URIs by the letter of RFC 3986 with a host of names, numbers or an IPv6 address.
_PATH = r"(?:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
_FOLLOWED = re.compile(
    r"https?://(?:[A-Za-z0-9._~-]+(?::[^@/?#\[\]%]*)?@)?"
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
    rf"(?:[/?#]{_PATH})?|mailto:[^/?#]{_PATH}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RunLook:
    """How a run is shown; `style` is the id of a character style, `code_size` and `link_size` are those of code and
    of links in half points where they are not those of their styles."""

    style: str = ""
    is_strong: bool = False
    is_emphasised: bool = False
    is_struck: bool = False
    is_code: bool = False
    code_size: int = 0
    link_size: int = 0


class Links:
    """The relations of a part to the addresses that its text links to, one an address."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._ids: dict[str, str] = {}

    def to(self, url: str) -> str | None:
        """Return the id of the relation to a web or mail address; None for what Word would not open the file for."""
        if not _FOLLOWED.fullmatch(url):
            return None
        if url not in self._ids:
            # Numbered here: python-docx looks through all of a part's relations for a free number.
            self._ids[url] = f"link{len(self._ids) + 1}"
            kind = RELATIONSHIP_TYPE.HYPERLINK
            self._part.rels.add_relationship(kind, url, self._ids[url], is_external=True)
        return self._ids[url]


def add_inline(
    parent: Element, children: Iterable[Inline], links: Links, *, is_rtl: bool, look: RunLook | None = None
) -> None:
    """Add the runs of inline nodes to a paragraph of this direction, or to a link in it."""
    look = look or RunLook()
    for child in children:
        match child:
            case Text(text):
                add_text(parent, text, is_rtl=is_rtl, look=look)
            case CodeSpan(text):
                add_text(parent, text, is_rtl=is_rtl, look=replace(look, is_code=True))
            case Break(is_hard):
                if is_hard:
                    add(add(parent, "w:r"), "w:br")
                else:
                    add_text(parent, " ", is_rtl=is_rtl, look=look)
            case Styled(style, inner):
                add_inline(parent, inner, links, is_rtl=is_rtl, look=_styled(look, style))
            case Link(url, inner):
                link_id = links.to(url)
                link = add(parent, "w:hyperlink", r_id=link_id, history=1) if link_id else parent
                linked = replace(look, style="Hyperlink") if link_id else look
                add_inline(link, inner, links, is_rtl=is_rtl, look=linked)


def _styled(look: RunLook, style: str) -> RunLook:
    match style:
        case "strong":
            return replace(look, is_strong=True)
        case "emph":
            return replace(look, is_emphasised=True)
    return replace(look, is_struck=True)


def add_text(parent: Element, text: str, *, is_rtl: bool, look: RunLook) -> None:
    """Add text that is shown alike, in a run for each direction."""
    for piece, piece_is_rtl in _directed(with_few_marks(text), is_rtl):
        run = add(parent, "w:r")
        if piece_is_rtl or look != RunLook():
            _add_look(run, look, is_rtl=piece_is_rtl)
        add(run, "w:t", piece, xml_space="preserve")


def _add_look(run: Element, look: RunLook, *, is_rtl: bool) -> None:
    """Add the properties in the order of the schema (ECMA-376 part 1, 17.3.2.28)."""
    properties = add(run, "w:rPr")
    style = ("CodeLink" if look.style == "Hyperlink" else "CodeCharacters") if look.is_code else look.style
    if style:
        add(properties, "w:rStyle", val=style)
    if look.is_strong:
        add(properties, "w:b")
        add(properties, "w:bCs")
    if look.is_emphasised:
        add(properties, "w:i")
        add(properties, "w:iCs")
    if look.is_struck:
        add(properties, "w:strike")
    size = look.code_size if look.is_code else look.link_size if style == "Hyperlink" else 0
    if size:
        add(properties, "w:sz", val=size)
        add(properties, "w:szCs", val=size)
    if is_rtl:
        add(properties, "w:rtl")


def _directed(text: str, is_rtl: bool) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, each with whether it is right-to-left.

    Word shapes a run in one direction. What has none goes with its neighbours when they agree, else with the
    paragraph (UAX #9, N1 and N2); readers apply the whole algorithm.
    """
    strong: list[tuple[int, bool]] = []
    for at, kind in enumerate(map(unicodedata.bidirectional, text)):
        if kind in ("L", "R", "AL"):
            strong.append((at, kind != "L"))
        elif kind in ("NSM", "BN") and strong and strong[-1][0] == at - 1:
            strong.append((at, strong[-1][1]))  # a mark goes with what it stands on
    if not any(each for _, each in strong):
        if text:
            yield text, False
        return
    begin, direction = 0, is_rtl
    last = 0
    for at, each in [*strong, (len(text), is_rtl)]:
        if each != direction:
            # Between the two stands what has no direction: it stays with the paragraph's.
            cut = at if direction == is_rtl else last
            if cut > begin:
                yield text[begin:cut], direction
            begin, direction = cut, each
        last = at + 1
    if begin < len(text):
        yield text[begin:], direction
