"""Text in the PDF: scripts, characters without a glyph, directions, long words and code."""

from __future__ import annotations

import re
import time

import pypdfium2
import pytest

from exports.renderers.text import drawable
from tests.exports.pdf_reading import is_ua, outline, read, rendered, words

pytestmark = pytest.mark.slow
SCRIPTS = {
    "Cyrillic": "Привет",
    "Greek": "Ελληνικά",
    "Chinese": "中文说明",
    "Japanese": "日本語",
    "Korean": "한국어",
    "Hebrew": "שלום",
    "Arabic": "مرحبا",
    "Thai": "ไทย",
    "Devanagari": "हिन्दी",
    "emoji": "👍",
    "arrows": "→ ⇒ ✓ ∑",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_have_glyphs_in_headings_text_and_code(script: str) -> None:
    text = SCRIPTS[script]
    inline = f"**{text}** *{text}* `{text}`"
    content = rendered(f"# {text}\n\n{inline}\n\n### Step 1: {text}\n\n```\n{text}\n```\n")
    assert "\ufffd" not in words(content)
    assert outline(content) == [f"1. {text}"]


def test_a_character_that_no_font_has_is_replaced() -> None:
    assert "a\ufffdb \ufffd c" in words(rendered("# T\n\na\U000118a0b \ue000 \x01c\ufeff"))


# Each character has a glyph, but no font has those of a letter and its mark together.
APART = ["9\U00016ec4\u05b1", "\u202e\u27f7\u1dfd\xc3"]


@pytest.mark.parametrize("text", APART)
def test_a_mark_that_no_font_has_with_its_letter_stands_beside_it(text: str) -> None:
    assert is_ua(rendered(f"# T\n\n{text}"))


@pytest.mark.parametrize("text", APART)
def test_without_a_glyph_for_a_pair_the_pdf_is_tagged_but_not_pdf_ua(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.renderers.text._cuts_before_foreign_marks", lambda _: iter(()))
    content = rendered(f"# T\n\n{text}")
    assert not is_ua(content) and read(content).trailer["/Root"]["/MarkInfo"]["/Marked"]


def left_edges(content: bytes) -> dict[str, float]:
    """Return the left edge of each line of text, in points."""
    page = pypdfium2.PdfDocument(content)[0].get_textpage()
    rects = (page.get_rect(n) for n in range(page.count_rects()))
    return {page.get_text_bounded(*rect).strip(): rect[0] for rect in rects}


def test_right_to_left_paragraphs_begin_at_the_right() -> None:
    content = rendered("# T\n\nLeft\n\nשלום\n\n- פריט\n\n1 2 שלום")
    edges = left_edges(content)
    assert edges["Left"] < 80
    assert min(edge for text, edge in edges.items() if re.search("[\u05d0-\u05ea]", text)) > 400


def test_long_words_and_code_stay_on_the_page_and_can_be_copied() -> None:
    word = "abcdefghij" * 20
    content = rendered(f"# T\n\n{word}\n\n`{word}`\n\n|a|b|\n|-|-|\n|{word}|{word}|\n\n```\n{word}\n```\n")
    page = pypdfium2.PdfDocument(content)[0]
    text = page.get_textpage()
    assert max(text.get_rect(n)[2] for n in range(text.count_rects())) < 595 - 45
    copied = text.get_text_range().replace("\r\n", "")
    assert copied.count("\u200b") == 0 and copied.count(word) >= 3


def test_code_keeps_its_lines_and_spaces() -> None:
    lines = ["if x:", "    go()", "", "\tend  # *not bold*"] * 60
    text = read(rendered("# T\n\n```python\n" + "\n".join(lines) + "\n```\n"))
    found = "\n".join(page.extract_text() for page in text.pages)
    assert found.count("    go()") == found.count("if x:") == 60
    assert found.count("    end  # *not bold*") == 60


def test_code_is_drawn_and_copied_character_by_character() -> None:
    code = "a != b -> c => d <!-- e --> f === g # https://example.com ## :: |>"
    assert words(rendered(f"# T\n\n`{code}`\n\n```\n{code}\n```\n")).count(code) == 2


def test_a_character_has_at_most_thirty_marks() -> None:
    """Typst takes time quadratic in them, and 500,000 on one letter would hold a worker for its whole time."""
    begun = time.process_time()
    content = rendered("# T\n\na" + "\u0301" * 500_000 + " b")
    assert time.process_time() - begun < 20
    assert "b" in words(content)
    assert drawable("a" + "\u0301" * 500_000) == "a" + "\u0301" * 30


def test_marks_between_joiners_are_counted_too() -> None:
    assert len(drawable("a" + "\u0301\u200d" * 1000)) == 31
    assert drawable("e\u0301" * 1000) == "e\u0301" * 1000


@pytest.mark.parametrize(("listed", "is_rtl"), [("- אבג\n- English\n", True), ("- English\n- אבג\n", False)])
def test_an_item_stands_beside_its_marker_in_either_direction(listed: str, is_rtl: bool) -> None:
    page = pypdfium2.PdfDocument(rendered(f"# T\n\n{listed}"))[0].get_textpage()
    boxes = [page.get_charbox(page.search(each).get_next()[0]) for each in ("E", "א", "•")]
    latin, hebrew, marker = ((left + right) / 2 for left, _, right, _ in boxes)
    assert (max(latin, hebrew) < marker) is is_rtl
    assert max(abs(latin - marker), abs(hebrew - marker)) < 60


def test_a_header_of_a_page_stands_on_no_other() -> None:
    content = rendered(f"# T\n\n| {'header ' * 800} |\n| - |\n| {'cell ' * 800} |\n")
    assert (words(content).count("header"), words(content).count("cell")) == (800, 800)
    short = words(rendered("# T\n\n| header |\n| - |\n" + "| cell |\n" * 100))
    assert short.count("header") > 1 and short.count("cell") == 100
