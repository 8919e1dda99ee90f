"""Render a DOCX for a test and read it back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from lxml import etree

from exports.renderers.docx.renderer import DocxRenderer
from tests.exports.documents import GUIDE, make_document, with_markers


def rendered(markdown: str = GUIDE, *pictures: tuple[str | None, bytes], **changed: Any) -> bytes:
    document, read = make_document(with_markers(markdown), pictures, **changed)
    return DocxRenderer().render(document, read).content


def opened(content: bytes) -> WordDocument:
    return docx.Document(io.BytesIO(content))


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def styled(content: bytes) -> list[tuple[str, str]]:
    """Return (style, text) of the paragraphs with text, those of tables left out."""
    return [(style_of(found), found.text) for found in opened(content).paragraphs if found.text]


def style_of(paragraph: Paragraph) -> str:
    return str(paragraph.style.name) if paragraph.style else ""


def words(content: bytes) -> str:
    """Return all the text of the body, breaks as spaces."""
    body = opened(content).element.body
    found = body.iter(qn("w:t"), qn("w:br"), qn("w:tab"), qn("w:p"))
    return "".join(each.text or "" if each.tag == qn("w:t") else " " for each in found)


def numbers(content: bytes) -> list[tuple[str, int, int]]:
    """Return (text, level, number) of each counted paragraph, counted as ECMA-376 part 1, 17.9 has it."""
    document = opened(content)
    starts = {
        (instance.get(qn("w:numId")), override.get(qn("w:ilvl"))): int(override[0].get(qn("w:val")))
        for instance in document.part.numbering_part.element.iter(qn("w:num"))
        for override in instance.iter(qn("w:lvlOverride"))
    }
    counted: dict[tuple[str, str], int] = {}
    found = []
    for paragraph in document.paragraphs:
        for properties in paragraph._p.iter(qn("w:numPr")):
            level, instance = (
                properties.find(qn(f"w:{name}")).get(qn("w:val")) for name in ("ilvl", "numId")
            )
            key = (instance, level)
            if key in starts:
                counted[key] = counted.get(key, starts[key] - 1) + 1
                found.append((paragraph.text, int(level), counted[key]))
    return found


def relations(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the attributes of every relation in the package."""
    for name, part in entries(content).items():
        if name.endswith(".rels"):
            for relation in etree.fromstring(part):
                yield dict(relation.attrib)


def external(content: bytes) -> list[str]:
    """Return the targets outside of the package."""
    return [found["Target"] for found in relations(content) if found.get("TargetMode") == "External"]
