"""Reads an exported page back: its elements, its words, its pictures."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from exports.renderers.html import HtmlRenderer
from exports.renderers.rendered import Rendered
from tests.exports.documents import GUIDE, make_document

VOID = {"br", "hr", "img", "meta"}

# All that a page of ours is made of, whatever its text says.
ATTRIBUTES = {
    **{
        tag: set()
        for tag in ("head", "title", "style", "body", "header", "main", "details", "summary", "strong")
    },
    **{tag: set() for tag in ("em", "s", "br", "hr", "li", "thead", "tbody", "tr", "dt", "dd")},
    "html": {"lang", "dir"},
    "meta": {"charset", "http-equiv", "name", "content"},
    "nav": {"id", "aria-label"},
    "section": {"id", "class"},
    "a": {"href", "rel", "class", "aria-label"},
    "img": {"src", "alt", "width", "height"},
    "figure": {"class"},
    "ol": {"start", "class", "dir", "role"},
    "ul": {"class", "dir"},
    "dl": {"class"},
    "p": {"class", "dir"},
    "span": {"class", "dir"},
    "code": {"dir"},
    "pre": {"dir", "tabindex"},
    "div": {"class", "tabindex"},
    "blockquote": {"dir"},
    "footer": {"dir"},
    "table": {"dir"},
    "th": {"class", "scope"},
    "td": {"class"},
    **{f"h{level}": {"dir"} for level in range(1, 7)},
}


@dataclass
class Element:
    """An element with the text in it, on one line."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """The elements in the order in which they begin; `problems` are tags without a match, attributes given twice."""

    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stylesheet: str = ""

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of this name that have these attributes; `class_` is `class`."""
        wanted = {key.rstrip("_"): value for key, value in attributes.items()}
        return [
            found
            for found in self.elements
            if found.tag == tag and wanted.items() <= found.attributes.items()
        ]

    @property
    def main(self) -> str:
        (main,) = self.all("main")
        return main.text

    @property
    def ids(self) -> list[str]:
        return [found.attributes["id"] for found in self.elements if "id" in found.attributes]

    @property
    def pictures(self) -> list[bytes]:
        """Return the bytes of the pictures, which all lie in the page."""
        return [base64.b64decode(image.attributes["src"].split(";base64,")[1]) for image in self.all("img")]

    @property
    def foreign(self) -> list[str]:
        """Return the elements and attributes that a page of ours never has."""
        found = [element.tag for element in self.elements if element.tag not in ATTRIBUTES]
        for element in self.elements:
            found += [
                f"{element.tag} {name}"
                for name in set(element.attributes) - ATTRIBUTES.get(element.tag, set())
            ]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        if len(element.attributes) != len(attrs):
            self.page.problems.append(f"{tag} has an attribute twice")
        self.page.elements.append(element)
        if tag not in VOID:
            self._open.append(element)
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.page.problems.append(f"</{tag}>")
            return
        element = self._open.pop()
        if tag == "style":
            self.page.stylesheet = element.text
        element.text = " ".join(element.text.split())

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def handle_comment(self, data: str) -> None:
        self.page.problems.append(f"<!--{data}-->")

    def close(self) -> None:
        super().close()
        self.page.problems += [f"<{element.tag}> is open" for element in self._open]


def read_page(content: bytes) -> Page:
    """Return what a page is made of."""
    reader = _Reader()
    reader.feed(content.decode("utf-8", "strict"))
    reader.close()
    return reader.page


def result(markdown: str = GUIDE, *pictures: tuple[str | None, bytes], **changed: Any) -> Rendered:
    """Return what the renderer makes of this text and these (block id, picture bytes)."""
    return HtmlRenderer().render(*make_document(markdown, pictures, **changed))


def page_of(markdown: str = GUIDE, *pictures: tuple[str | None, bytes], **changed: Any) -> Page:
    """Return the page of this text and these (block id, picture bytes), read back."""
    return read_page(result(markdown, *pictures, **changed).content)
