"""Render a PDF for a test and read it back."""

from __future__ import annotations

import io
from typing import Any

import numpy
import pypdfium2
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from exports.renderers.pdf import PdfRenderer
from tests.exports.documents import GUIDE, make_document, with_markers


def rendered(markdown: str = GUIDE, *pictures: tuple[str | None, bytes], **changed: Any) -> bytes:
    document, read = make_document(with_markers(markdown), pictures, **changed)
    return PdfRenderer().render(document, read).content


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def words(content: bytes) -> str:
    """Return all the text, as a reader copies it, with single spaces."""
    pages = pypdfium2.PdfDocument(content)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def structure(content: bytes) -> list[tuple[str, DictionaryObject]]:
    """Return the tags of the document in reading order."""
    found: list[tuple[str, DictionaryObject]] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/S" in node:
            found.append((str(node["/S"]), node))
            walk(node.get("/K", []))

    walk(read(content).trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def outline(content: bytes) -> list[Any]:
    def titles(entries: list[Any]) -> list[Any]:
        return [titles(entry) if isinstance(entry, list) else entry.title for entry in entries]

    return titles(read(content).outline)


def images_on_pages(content: bytes) -> list[int]:
    pages = pypdfium2.PdfDocument(content)
    return [sum(1 for thing in page.get_objects(max_depth=9) if thing.type == 3) for page in pages]


def is_ua(content: bytes) -> bool:
    return b"<pdfuaid:part>1</pdfuaid:part>" in read(content).trailer["/Root"]["/Metadata"].get_data()


def placed(content: bytes, *texts: str) -> list[list[tuple[float, str]]]:
    """Return for each page its pictures (`picture`) and those of the texts that stand on it, from the top.

    Each has the distance of its upper edge from the top of the page, in points.
    """
    found = []
    for page in pypdfium2.PdfDocument(content):
        height, text_page = page.get_height(), page.get_textpage()
        here = [
            (height - thing.get_bounds()[3], "picture")
            for thing in page.get_objects(max_depth=9)
            if thing.type == 3
        ]
        for text in texts:
            match = text_page.search(text, match_whole_word=True).get_next()
            if match:
                here.append((height - text_page.get_charbox(match[0])[3], text))
        found.append(sorted(here))
    return found


def empty_shares(content: bytes) -> list[float]:
    """Return for each page how much of the height between its margins is empty at its end, 0..1."""
    found = []
    for page in pypdfium2.PdfDocument(content):
        drawn = numpy.asarray(page.render(scale=1).to_pil().convert("L"))[54:-60]
        rows = numpy.flatnonzero((drawn < 250).any(axis=1))
        found.append(1 - (rows[-1] + 1) / len(drawn) if len(rows) else 1.0)
    return found
