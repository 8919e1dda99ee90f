"""DOCX: what word processors and python-docx read in it, and that no text of a document becomes markup or a link."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from typing import Any

import docx
import pytest
from docx.document import Document as Opened
from lxml import etree

from exports.renderers import RENDERERS
from exports.renderers.rendered import RenderFailed
from exports.renderers.sealing import SEALS
from exports.snapshot import AssetMissing, Document, ReadPicture
from tests.exports.documents import drawing, encoded, make_document, sample

HOSTILE = """# </w:t><w:p>&amp; ]]> <script>

## Step 1: { INCLUDETEXT "c:/secret" } & <b>bold</b> \x0b\x0c end

[run](javascript:alert(1)) [file](file:///etc/passwd) [site](https://a.example/?a=1&b="2") <w:fldSimple w:instr="X"/>

`<w:instrText>` ![x](https://a.example/track.png)
"""


def no_pictures(picture: Any) -> bytes:
    raise AssertionError("there are no pictures")


def render(document: Document, read_picture: ReadPicture = no_pictures) -> bytes:
    return RENDERERS["DOCX"].render(document, read_picture).content


def opened(content: bytes) -> Opened:
    return docx.Document(io.BytesIO(content))


def texts(document: Opened) -> list[tuple[str, str]]:
    return [
        (paragraph.style.style_id, paragraph.text) for paragraph in document.paragraphs if paragraph.style
    ]


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_a_guide_has_the_styles_and_the_outline_of_one() -> None:
    document = opened(render(*sample()))
    found = texts(document)
    assert found[0] == ("Title", "Send an invoice")
    headings = [entry for entry in found if entry[0].startswith("Heading")]
    assert headings == [
        ("Heading1", "Write it"),
        ("Heading2", "Open the Invoices page\t0:04–0:12"),
        ("Heading2", "Click New\t0:12–0:18"),
        ("Heading1", "Send it"),
        ("Heading2", "Press Send\t0:18–1:02"),
    ]
    properties = document.core_properties
    assert (properties.title, properties.identifier) == ("Send an invoice", "version-1")
    assert properties.created is None and properties.modified is None


def test_pictures_have_a_description_and_stand_after_their_step() -> None:
    document, read_picture = sample()
    rendered = RENDERERS["DOCX"].render(document, read_picture)
    held = parts(rendered.content)
    entries = rendered.manifest["pictures"]
    assert len(entries) == len(document.pictures)
    for entry in entries:
        assert hashlib.sha256(held[entry["file"]]).hexdigest() == entry["sha256"]
        assert entry["pixels_sha256"]
    described = re.findall(r'<wp:docPr[^>]* descr="([^"]*)"', held["word/document.xml"].decode())
    assert described == [entry["alt"] for entry in entries]
    assert {file.name for file in rendered.files} == set(held)


def test_webp_becomes_png_with_the_same_pixels() -> None:
    document, _ = sample()
    webp = encoded(drawing(1), "WEBP", lossless=True)
    picture = replace(document.pictures[0], mime_type="image/webp", sha256=hashlib.sha256(webp).hexdigest())
    rendered = RENDERERS["DOCX"].render(replace(document, pictures=(picture,)), lambda _: webp)
    (entry,) = rendered.manifest["pictures"]
    assert entry["file"].endswith(".png") and parts(rendered.content)[entry["file"]][:4] == b"\x89PNG"


LISTS = """# Lists

## Step 1: Do it

- one
- two

3. three
4. four

| Field | Value |
| :-- | --: |
| Amount | 12,00 |

> Quoted

```
a  b
c
```
"""


def test_lists_tables_quotes_and_code_are_real_ones() -> None:
    content = render(*make_document(LISTS))
    document = opened(content)
    assert document.tables[0].cell(1, 1).text == "12,00"
    xml = parts(content)["word/document.xml"].decode()
    assert "w:tblHeader" in xml
    numbered = [p for p in document.paragraphs if p._p.pPr is not None and p._p.pPr.numPr is not None]
    assert [p.text for p in numbered if not p.style.style_id.startswith("Heading")] == [
        "one", "two", "three", "four",
    ]  # fmt: skip
    starts = re.findall(r'<w:startOverride w:val="(\d+)"', parts(content)["word/numbering.xml"].decode())
    assert "3" in starts
    found = dict((text, style) for style, text in texts(document))
    assert "Quote" in found["Quoted"] and "Code" in found["a  b\nc"]


def test_nothing_that_a_text_says_becomes_markup_or_a_link() -> None:
    held = parts(render(*make_document(HOSTILE)))
    for name, content in held.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(content)
    xml = held["word/document.xml"].decode()
    assert "w:instrText" not in re.sub(r">[^<]*<", "><", xml) and "fldSimple" not in re.sub(
        r">[^<]*<", "><", xml
    )
    targets = re.findall(
        r'Target="([^"]*)" TargetMode="External"', held["word/_rels/document.xml.rels"].decode()
    )
    assert targets and all(re.match("https?://|mailto:", target) for target in targets)
    shown = "\n".join(text for _, text in texts(opened(render(*make_document(HOSTILE)))))
    assert '{ INCLUDETEXT "c:/secret" } & <b>bold</b>' in shown


@pytest.mark.parametrize("language", ["ar", "he"])
def test_right_to_left_guides_are_so(language: str) -> None:
    document, _ = make_document("# مرحبا\n\n## Step 1: انقر هنا\n\nنص", language=language)
    xml = parts(render(document))["word/document.xml"].decode()
    assert "<w:bidi/>" in xml and "<w:rtl/>" in xml


def test_a_signed_one_is_still_a_document_and_names_the_manifest() -> None:
    document, read_picture = sample()
    rendered = RENDERERS["DOCX"].render(replace(document, key_id="ab" * 32), read_picture)
    sealed = SEALS["DOCX"](rendered.content, b"{}")
    held = parts(sealed)
    assert held["manifest.dsse.json"] == b"{}"
    assert b'Target="manifest.dsse.json"' in held["_rels/.rels"]
    assert b'Extension="json"' in held["[Content_Types].xml"]
    assert opened(sealed).paragraphs[0].text == "Send an invoice"
    for file in rendered.files:
        assert hashlib.sha256(held[file.name]).hexdigest() == file.sha256


def test_what_is_too_long_is_refused_and_a_lost_picture_too() -> None:
    with pytest.raises(RenderFailed, match="too many for one DOCX"):
        render(*make_document("# A\n\n" + "a\n\n" * 30_001))
    document, _ = sample()

    def lost(picture: Any) -> bytes:
        raise AssetMissing(picture.asset_id)

    with pytest.raises(AssetMissing):
        render(document, lost)
