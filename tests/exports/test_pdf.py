"""The PDF: order of the text, outline, tags, links, and what is left out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typst

from exports.renderers import RenderFailed
from exports.renderers.pdf import PdfRenderer
from tests.exports.documents import GUIDE, PNG, block_id, sample, with_markers
from tests.exports.pdf_reading import images_on_pages, is_ua, outline, read, rendered, structure, words

pytestmark = pytest.mark.slow


def test_title_steps_text_and_footer_stand_in_order() -> None:
    text = words(rendered())
    expected = [
        *("Send an invoice", "3 steps · 1:02", "What you need: an account with the role Editor.", "Write it"),
        *("1", "Open the Invoices page", "0:04–0:12", "Click Invoices in the menu.", "2", "Click New"),
        *("newest first,", "Send it", "3", "Press Send", "0:18–1:02", "Field", "Amount", "12,00"),
        *("The customer gets an e-mail.", "Send an invoice", "Page 1 / 1"),
    ]
    at = 0
    for part in expected:
        at = text.index(part, at) + len(part)
    assert "Step 1" not in text and "block:" not in text


def test_the_outline_has_sections_and_numbered_steps() -> None:
    assert outline(rendered()) == [
        "Write it",
        ["1. Open the Invoices page", "2. Click New"],
        "Send it",
        ["3. Press Send"],
    ]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("##### a\n\n# b\n\n### c\n\n###### d\n\n## e", ["a", "b", ["c", ["d"], "e"]]),
        ("### Step 1: a\n\n###### b\n\n# c", ["1. a", ["b"], "c"]),
        ("# Title\n\n###### a\n\n#\n\n## \u200b\n\n> # quoted\n\n- # listed", ["a"]),
        ("text only", []),
    ],
)
def test_skipped_heading_levels_are_closed_up(markdown: str, expected: list[Any]) -> None:
    assert outline(rendered(markdown)) == expected


def test_title_language_and_page_label_are_set() -> None:
    pdf = read(rendered(language="de-AT"))
    root = pdf.trailer["/Root"]
    assert pdf.metadata is not None and pdf.metadata.title == "Send an invoice"
    assert root["/Lang"] == "de-AT"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "Seite 1 / 1" in pdf.pages[0].extract_text()


def test_the_document_is_tagged_for_screen_readers() -> None:
    text = with_markers(GUIDE)
    content = rendered(text, (block_id(text, "Press Send"), PNG), alt="The *Send* button")
    root = read(content).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert is_ua(content)
    tags = structure(content)
    kinds = [kind for kind, _ in tags]
    headings = [kind for kind in kinds if kind[1] == "H" and kind[2:].isdigit()]
    assert headings == ["/H1", "/H2", "/H2", "/H1", "/H2"]
    assert {"/Title", "/P", "/L", "/LI", "/Table", "/TH", "/TD"} <= set(kinds)
    assert [node["/Alt"] for kind, node in tags if kind == "/Figure"] == ["The *Send* button"]


def test_the_pdf_holds_no_time_and_no_path() -> None:
    content = rendered(GUIDE, (None, PNG))
    pdf = read(content)
    assert pdf.metadata is not None
    assert set(pdf.metadata) == {"/Title", "/Creator"}
    assert b"Date" not in pdf.trailer["/Root"]["/Metadata"].get_data()
    assert b"stepwright-pdf" not in content


LITERAL = [
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.1.0": *',
    "$ x^2 $ #{ panic() } @label <label> = heading",
    '#image("images/01-picture.png")',
    "\\u{41} ~ -- --- ... // no /* comment */",
    "<script>alert(1)</script> <kbd>Ctrl</kbd>",
]


@pytest.mark.parametrize("hostile", LITERAL)
def test_typst_source_and_html_in_a_text_are_shown_as_text(hostile: str) -> None:
    escaped = hostile.replace("\\", "\\\\").replace("*", "\\*")
    markdown = f"# {escaped}\n\n{escaped}\n\n`{hostile}`\n\n- {escaped}\n\n```\n{hostile}\n```\n"
    shown = words(rendered(markdown, title=hostile)).replace(" ", "")
    assert shown.count(hostile.replace(" ", "")) >= 4


def test_html_blocks_are_shown_and_comments_are_not() -> None:
    text = words(rendered('<div onclick="x">\n\nmiddle\n\n</div>\n\n<!-- remark -->\n\nend <!-- x --> here'))
    assert '<div onclick="x"> middle </div> end here' in text


@pytest.mark.parametrize(
    ("markdown", "text", "target"),
    [
        ("[here](https://example.com/a?b=c)", "here", "https://example.com/a?b=c"),
        ("<mailto:desk@example.com>", "desk@example.com", "mailto:desk@example.com"),
        ("![a picture](http://example.com/x.png)", "a picture", "http://example.com/x.png"),
        ("![](http://example.com/x.png)", "http://example.com/x.png", "http://example.com/x.png"),
        ("[![in](http://example.com/i)](http://example.com/o)", "in", "http://example.com/o"),
        ("[no](javascript:alert(1))", "no", None),
        ("[no](file:///etc/passwd)", "no", None),
        ("[no](ftp://example.com/)", "no", None),
        ("[no](/relative)", "no", None),
        ("![local](images/x.png)", "local", None),
        ("![none](data:image/png;base64,AAAA)", "none", None),
        (f"[long](https://example.com/{'a' * 9000})", "long", None),
    ],
)
def test_only_web_and_mail_links_can_be_followed(markdown: str, text: str, target: str | None) -> None:
    content = rendered(markdown)
    annotations = read(content).pages[0].get("/Annots", [])
    assert [note.get_object()["/A"]["/URI"] for note in annotations] == ([target] if target else [])
    assert text in words(content)
    assert images_on_pages(content) == [0]


def test_the_diagnostics_of_typst_are_the_cause_of_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    template = tmp_path / "broken.typ"
    template.write_text('#panic("in the template")')
    monkeypatch.setattr("exports.renderers.pdf._TEMPLATE", template)
    with pytest.raises(RenderFailed) as caught:
        rendered("# T")
    assert str(caught.value) == "The PDF could not be typeset."
    assert isinstance(caught.value.__cause__, typst.TypstError)


def test_the_files_are_the_embedded_pictures_and_the_artifact() -> None:
    document, read_picture = sample()
    result = PdfRenderer().render(document, read_picture)
    assert (result.mime_type, result.extension) == ("application/pdf", ".pdf")
    names = [file.name for file in result.files]
    assert names[0] == "images/01-step-1.png" and names[-1] == "instruction.pdf" and len(names) == 5
    assert result.files[-1].sha256 == hashlib.sha256(result.content).hexdigest()


def test_the_manifest_says_on_which_page_each_picture_stands() -> None:
    document, read_picture = sample()
    long = "\n\n".join(["A paragraph."] * 60)
    markdown = document.markdown.replace("Click **Invoices** in the menu.", long)
    result = PdfRenderer().render(replace(document, markdown=markdown), read_picture)
    pages = [picture["page"] for picture in result.manifest["pictures"]]
    assert pages[0] > 1
    assert [pages.count(number + 1) for number in range(len(read(result.content).pages))] == images_on_pages(
        result.content
    )
