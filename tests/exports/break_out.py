"""Texts that try to become source of a format, the places of a document that hold text, and exports read back."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Any

import docx
from docx.oxml.ns import qn
from lxml import etree
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, NameObject

from exports.look import Look
from exports.renderers import RENDERERS
from exports.renderers.rendered import Rendered
from tests.exports.documents import PNG, block_id, make_document, with_markers
from tests.exports.docx_reading import entries, external
from tests.exports.html_reading import read_page
from tests.exports.pdf_reading import structure, words

ATTACKS = {
    "typst code": '#import "@preview/cetz:0.1.0": * #read("/etc/passwd") #{ panic("a") } #include "guide.json"',
    "typst string": '"] ) } \\" #panic("out") [ { ( \\u{22} // /*',
    "typst marks": "$ #sys.version $ @label <label> `raw` = a / b: c \\ d ~ --- *e* _f_",
    "html elements": "</style></title><script>alert(1)</script><base href=//example.com><plaintext>",
    "html attribute": "\"><img src=x onerror=alert(1)> ' onmouseover='alert(1)' x=\"",
    "html comment": "<!-- a --> --> <!--> ]]> <![CDATA[ b ]]> <?c?> --!>",
    "html entities": "&#x3c;script&#x3e; &#60;b&#62; &lt;i&gt; &amp;amp; &NewLine; &#0; &bogus;",
    "addresses": "javascript:alert(1) data:text/html,<script>alert(1)</script> vbscript:a file:///etc/passwd",
    "xml document type": ']]> <?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]> &b;',
    "xml expansion": '<!ENTITY c "d"> <!ENTITY e "&c;&c;"> &e; %f; <xi:include href="/etc/passwd"/>',
    "word fields": '{ INCLUDETEXT "/etc/passwd" } </w:t></w:r><w:fldSimple w:instr="DDEAUTO c"/> _x0041_',
    "pdf objects": ") Tj ET endstream endobj 1 0 obj <</S/JavaScript/JS(app.alert\\(1\\))>> endobj %%EOF \\056",
    "controls": "a\x01\x02\x08\x0b\x1b[31mb\x7f\x85c\x9f\x00d",
    "noncharacters": "a\ufffeb\uffff\U0001fffec\ufdd0d\ufeffe",
    "line separators": "a\u2028b\u2029c\u000cd",
    "directions": "a\u202e\u2066b\u2069\u202d\u202ac\u2067d",
    "path": "../../../etc/passwd ..\\..\\boot.ini C:\\a \\\\host\\b /etc/passwd ./. ~/",
    "reserved name": "CON",
    "long": f"../{'a' * 300}/../b",
}
# Where a text stands as it is shown: each of these shows it once, below the number of the place.
PLACES = (
    "## P1 {text}\n",
    "### Step 1: P2 {text} (0:01–0:02)\n",
    "P3 {text}\n",
    "- P4 {text}\n  1. P5 {text}\n",
    "> P6 {text}\n",
    "| P7 {text} |\n| --- |\n| P8 {text} |\n",
    "[P9 {text}](https://example.com)\n",
    "````` P10 {code} `````\n",
    "~~~~~~~ {code}\nP11 {code}\n~~~~~~~\n",
    "**P12 {text}** *P13 {text}* ~~P14 {text}~~\n",
)
IN_TEXT = 14
# Where it stands as it was typed, and is read as Markdown.
RAW_PLACES = {
    "heading": "# {}\n\n## {}\n",
    "step": "### Step 1: {} (0:01–0:02)\n\n### Step 2 {}\n",
    "paragraph": "# T\n\n{}\n\nx {}\n",
    "list": "- {}\n  1. y {}\n- [ ] {}\n",
    "quote": "> {}\n> > x {}\n",
    "cell": "| a {} |\n| --- |\n| b {} |\n",
    "code": "`{}`\n\n```{}\n{}\n```\n\n    {}\n",
    "link": "[{}](https://example.com) [x](<https://example.com/{}>) <https://example.com/{}>\n",
    "destination": '[x]({}) [y](<{}>) ![z]({} "{}")\n\n[r]: {}\n[s]: <{}> "{}"\n\n[r] [s]\n',
    "picture": '![{}](https://example.com/x.png "{}") ![x](images/{})\n',
    "html": '<div title="{}">\n{}\n</div>\n',
    "open html": "<script>\n{}",
    "open code": "```\n{}",
}
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What makes a PDF run something, or open something, beside a link to an address (ISO 32000-1, 12.6).
_ACTIVE = {
    *("/JS", "/JavaScript", "/Launch", "/OpenAction", "/AA", "/EmbeddedFiles", "/RichMedia", "/AcroForm"),
    *("/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/Rendition", "/Movie", "/XFA"),
}


@dataclass
class ReadBack:
    """An export as a reader finds it: its text, what it is built of in its order, and the addresses it links to."""

    text: str
    skeleton: list[str]
    addresses: list[str]
    is_active: bool  # it runs, opens or embeds what none of ours does
    languages: set[str]


def escaped(text: str) -> str:
    """Return a text of one line as Markdown that shows it (CommonMark 0.31, 2.4)."""
    return _PUNCTUATION.sub(r"\\\1", text)


def visible(text: str) -> str:
    """Return a text without what may be left out or replaced: spaces, controls, and characters that are none."""
    kept = (each for each in text if unicodedata.category(each)[0] not in "CZ" and each != "\ufffd")
    return "".join(kept)


def rendered(format: str, markdown: str, field: str, language: str = "en") -> Rendered:
    """Return a document of this text with a picture, and `field` in each field that people fill in."""
    marked = with_markers(markdown)
    document, read = make_document(
        marked,
        [(None, PNG), (block_id(marked, "P3"), PNG)] if "P3" in markdown else [(None, PNG)],
        title=f"T {field}",
        alt=f"A {field}",
        language=language,
        look=Look(footer=f"F {field}"[:120]),
    )
    return RENDERERS[format].render(document, read)


def read_back(format: str, content: bytes) -> ReadBack:
    """Return what a reader of the format finds; raise for a file that is not well-formed."""
    return {"PDF": _pdf, "HTML": _html, "DOCX": _docx, "MD_ZIP": _md_zip}[format](content)


def _html(content: bytes) -> ReadBack:
    page = read_page(content)
    texts = [element.text for tag in ("title", "body") for element in page.all(tag)]
    described = [image.attributes["alt"] for image in page.all("img")]
    built = [" ".join([element.tag, *sorted(element.attributes)]) for element in page.elements]
    addresses = [link.attributes["href"] for link in page.all("a")]
    is_active = bool(page.foreign or page.problems)
    outside = [each for each in addresses if each[0] != "#"]
    language = page.all("html")[0].attributes["lang"]
    return ReadBack(" ".join(texts + described), built, outside, is_active, {language})


# Whether lines stay on one page depends on how high a text is.
_BY_HEIGHT = (qn("w:keepNext"), qn("w:keepLines"))


def _docx(content: bytes) -> ReadBack:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    texts: list[str] = []
    built: list[str] = []
    instructions: list[str] = []
    languages: set[str] = set()
    for name, part in entries(content).items():
        if not name.endswith((".xml", ".rels")):
            continue
        tree = etree.fromstring(part, parser)
        assert not tree.getroottree().docinfo.doctype, name
        for element in tree.iter():
            assert isinstance(element.tag, str), (name, element)  # no comment, entity or instruction
            if element.tag not in _BY_HEIGHT:
                built.append(f"{name} {element.tag}")
            texts += [element.text or ""] if element.tag == qn("w:t") else []
            texts += [element.get("descr") or ""]
            languages |= set(element.attrib.values()) if element.tag == qn("w:lang") else set()
            instructions += [element.get(qn("w:instr")) or "", element.text or ""] * (
                element.tag in (qn("w:fldSimple"), qn("w:instrText"))
            )
    assert docx.Document(io.BytesIO(content)).paragraphs
    is_active = not {each.strip() for each in instructions} <= {"", "PAGE", "NUMPAGES"}
    return ReadBack(" ".join(texts), built, external(content), is_active, languages)


def _pdf(content: bytes) -> ReadBack:
    reader = PdfReader(io.BytesIO(content), strict=True)
    names: set[str] = set()
    addresses: list[str] = []
    for number in range(1, int(reader.trailer["/Size"])):
        found = reader.get_object(number)
        names |= _names(found)
        if isinstance(found, dict) and "/URI" in found.get("/A", {}):
            addresses.append(str(found["/A"]["/URI"]))
    tags = structure(content)
    described = [str(tag.get("/Alt", "")) for _, tag in tags]
    metadata = reader.metadata.title if reader.metadata else ""
    text = " ".join([words(content), *described, str(metadata)])
    # How many spans a line of text is depends on its characters.
    built = [kind for kind, _ in tags if kind != "/Span"]
    languages = {str(reader.trailer["/Root"]["/Lang"])}
    return ReadBack(text, built, addresses, bool(names & _ACTIVE), languages)


def _names(found: Any) -> set[str]:
    """Return the keys and names in an object of a PDF, those in the objects that it refers to left out."""
    if isinstance(found, DictionaryObject):
        inside = [found.raw_get(key) for key in found]
        return {str(key) for key in found} | {name for value in inside for name in _names(value)}
    if isinstance(found, list):
        return {name for value in found for name in _names(value)}
    return {str(found)} if isinstance(found, NameObject) else set()


def _md_zip(content: bytes) -> ReadBack:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        names = bundle.namelist()
        assert all(re.fullmatch(r"(images/[a-z0-9-]+\.png)|instruction\.md|manifest\.json", n) for n in names)
        assert len(set(names)) == len(names)
        markdown = bundle.read("instruction.md").decode("utf-8", "strict")
        title = json.loads(bundle.read("manifest.json"))["title"]
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    flat = [each for token in tokens for each in (token, *(token.children or []))]
    addresses = [str(each.attrs["href"]) for each in flat if "href" in each.attrs]
    pictures = [str(each.attrs["src"]) for each in flat if each.type == "image"]
    is_active = any(each.type in ("html_block", "html_inline") for each in flat) or not set(pictures) <= set(
        names
    )
    text = " ".join([title, *map(_shown, flat)])
    built = [token.type for token in flat if token.type != "text"]
    return ReadBack(text, built, addresses, is_active, set())


def _shown(token: Token) -> str:
    if token.type == "image":
        return "".join(child.content for child in token.children or [])
    return token.content if token.type in ("text", "code_inline", "fence", "code_block") else ""
