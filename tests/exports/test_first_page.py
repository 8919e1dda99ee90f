"""The first page of a long guide, and the same facts in every format."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from docx.oxml.ns import qn

from exports.look import Look
from exports.renderers import RENDERERS, sections
from exports.snapshot import Document
from tests.exports import docx_reading, html_reading, pdf_reading
from tests.exports.documents import make_document, sample, with_markers

pytestmark = pytest.mark.slow

INTRODUCTION = "What you need: an account."


def long_guide(steps: int = 6, *, introduction: str = INTRODUCTION) -> str:
    listed = (
        f"### Step {n}: Open page {n} ({n // 60}:{n % 60:02}–{(n + 1) // 60}:{(n + 1) % 60:02})\n\n"
        + "Click the button. " * 60
        for n in range(1, steps + 1)
    )
    return f"# Send an invoice\n\n{introduction}\n\n## Write it\n\n" + "\n\n".join(listed)


def shown(format: str, markdown: str, **changed: Any) -> str:
    """Return the words of an export up to its first step, with single spaces."""
    known = {"length_ms": 135_400, "recorded_on": "2026-05-04", **changed}
    document, read = make_document(with_markers(markdown), **known)
    content = RENDERERS[format].render(document, read).content
    if format == "PDF":
        text = pdf_reading.words(content)
    elif format == "DOCX":
        text = docx_reading.words(content)
    elif format == "HTML":
        text = re.sub("<[^>]*>", " ", content.decode().partition("<body>")[2])
    else:
        text = zipfile.ZipFile(io.BytesIO(content)).read("instruction.md").decode()
    return " ".join(text.replace(":", "").split())


@pytest.mark.parametrize("format", RENDERERS)
def test_every_format_says_the_same_of_a_long_guide(format: str) -> None:
    text = shown(format, long_guide())
    facts = [text.index(fact) for fact in ("Steps 6", "Length 215", "Recorded 4 May 2026")]
    assert text.index("Send an invoice") < facts[0] < facts[1] < facts[2] < text.index(INTRODUCTION[:4])


@pytest.mark.parametrize("format", RENDERERS)
def test_every_format_says_the_same_of_a_short_guide(format: str) -> None:
    text = shown(format, long_guide(5))
    assert "Send an invoice 5 steps · 215 · Recorded 4 May 2026" in text.replace("# ", "")


@pytest.mark.parametrize("format", RENDERERS)
def test_the_day_of_the_upload_is_not_called_that_of_the_recording(format: str) -> None:
    text = shown(format, long_guide(), recorded_on=None, uploaded_on="2026-05-04", language="de")
    assert "Hochgeladen 4. Mai 2026" in text and "Aufgenommen" not in text


@pytest.mark.parametrize("format", RENDERERS)
def test_a_language_without_words_gets_numbers_alone(format: str) -> None:
    text = shown(format, long_guide(), language="ar")
    assert "215" in text and "2026-05-04" in text
    assert not any(word in text for word in ("Recorded", "Steps", "Length", "Contents"))


@pytest.mark.parametrize("format", RENDERERS)
def test_a_snapshot_from_before_the_facts_is_rendered(format: str) -> None:
    document, read = sample()
    stored = document.to_json()
    for name in ("length_ms", "recorded_on", "uploaded_on"):
        del stored[name]
    rendered = RENDERERS[format].render(Document.from_json(stored), read)
    assert rendered.content == RENDERERS[format].render(document, read).content


def test_the_first_page_of_a_pdf_lists_the_steps_with_their_pages() -> None:
    content = pdf_reading.rendered(long_guide(9))
    first, *others = [page.extract_text() for page in pdf_reading.read(content).pages]
    assert INTRODUCTION in first and "Click the button." not in first
    for number in range(1, 10):
        at = 2 + next(n for n, text in enumerate(others) if f"Open page {number}" in text)
        line = rf"{number}\s*Open page {number}\s*0:0{number}–0:\d\d\s*{at}\b"
        assert re.search(line, first), (number, at, first)
    assert "Write it" in first and "Write it" in others[0]


@pytest.mark.parametrize("paper", ["A4", "LETTER"])
@pytest.mark.parametrize(("steps", "pages"), [(6, 1), (14, 1), (24, 1), (40, 2), (90, 3)])
def test_the_contents_fill_the_pages_that_they_take(steps: int, pages: int, paper: str) -> None:
    content = pdf_reading.rendered(long_guide(steps), look=Look(paper))
    texts = [page.extract_text() for page in pdf_reading.read(content).pages]
    assert ["Click the button" in text for text in texts[: pages + 1]] == [False] * pages + [True]
    assert max(pdf_reading.empty_shares(content)[:pages]) < (0.45 if steps < 10 else 0.2)


def test_the_contents_of_a_pdf_are_tagged_and_lead_to_the_steps() -> None:
    content = pdf_reading.rendered(long_guide(9))
    tags = [tag for tag, _ in pdf_reading.structure(content)]
    assert tags.count("/TOCI") == 10 and "/TOC" in tags and pdf_reading.is_ua(content)
    links = [note.get_object() for note in pdf_reading.read(content).pages[0]["/Annots"]]
    assert len(links) == 10 and all(link["/Subtype"] == "/Link" for link in links)
    assert pdf_reading.outline(content) == ["Write it", [f"{n}. Open page {n}" for n in range(1, 10)]]


def test_headings_within_a_step_are_not_listed_but_stay_in_the_outline() -> None:
    inner = long_guide().replace("Click", "#### Details\n\nClick", 1)
    content = pdf_reading.rendered(inner)
    assert "Details" not in pdf_reading.read(content).pages[0].extract_text()
    assert pdf_reading.outline(content)[1][1] == ["Details"]


def test_contents_of_many_pages_list_the_highest_headings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "MAX_ENTRIES", 5)
    first = pdf_reading.read(pdf_reading.rendered(long_guide(6))).pages[0].extract_text()
    assert "Write it" in first and "Open page" not in first
    assert [style for style, _ in docx_reading.styled(docx_reading.rendered(long_guide(6)))].count(
        "toc 1"
    ) == 1


@pytest.mark.parametrize("format", ["PDF", "DOCX"])
def test_steps_that_are_too_many_to_list_are_not_listed(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "MAX_ENTRIES", 5)
    text = shown(format, long_guide(6).replace("## Write it", "").replace("###", "##"))
    assert "Steps 6" in text and "Contents" not in text and text.count("Open page 1") == 1


def test_a_long_introduction_begins_on_the_second_page() -> None:
    content = pdf_reading.rendered(long_guide(introduction="Read this first. " * 60))
    first, second = [page.extract_text() for page in pdf_reading.read(content).pages][:2]
    assert "Read this" not in first and "Read this" in second


@pytest.mark.parametrize("steps", [1, 5])
def test_a_short_guide_has_no_page_for_its_title(steps: int) -> None:
    first = pdf_reading.read(pdf_reading.rendered(long_guide(steps))).pages[0].extract_text()
    assert "Click the button." in first and "Contents" not in first


def test_the_contents_of_a_word_file_lead_to_the_steps() -> None:
    content = docx_reading.rendered(long_guide(6))
    body = docx_reading.opened(content).element.body
    names = [mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))]
    anchors = [link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))]
    assert anchors == names and len(set(names)) == 7
    lines = [text for style, text in docx_reading.styled(content) if style.startswith("toc ")]
    assert lines[0] == "Write it"
    assert lines[1:] == [f"{n}\tOpen page {n}\t0:0{n}–0:0{n + 1}" for n in range(1, 7)]


def test_the_first_page_of_a_word_file_is_a_section() -> None:
    first, second = docx_reading.opened(docx_reading.rendered(long_guide())).sections
    assert (first.page_width, first.page_height) == (second.page_width, second.page_height)
    assert not first.footer.is_linked_to_previous and second.footer.is_linked_to_previous
    assert len(docx_reading.opened(docx_reading.rendered(long_guide(5))).sections) == 1


def test_the_page_of_a_long_guide_gives_its_facts_as_a_list() -> None:
    page = html_reading.page_of(long_guide(), length_ms=60_000)
    assert [(each.tag, each.text) for each in page.elements if each.tag in ("dt", "dd")] == [
        ("dt", "Steps"),
        ("dd", "6"),
        ("dt", "Length"),
        ("dd", "1:00"),
    ]
