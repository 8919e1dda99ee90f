"""Assembling a draft: numbers and levels are right, words that were spoken stay words, times stand beside the text."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions.blocks import parse_blocks
from instructions.drafted_steps import drafted_evidence
from instructions.drafting import (
    MAX_STEP_NUMBER,
    DraftStep,
    Guide,
    Section,
    Step,
    assemble,
    draft_steps,
    escape_text,
    paragraphs,
    plain_title,
    short_title,
)
from instructions.validation import validate
from tests.instructions.markers import marked
from tests.instructions.steps import step_blocks

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TALK = "Click it. Then wait."


def seen(markdown: str) -> tuple[set[str], str]:
    """The kinds of inline and block tokens in a text, and what a reader sees of it."""
    kinds, text = set(), ""
    for token in PARSER.parse(markdown):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            text += child.content
    return kinds, text


@pytest.mark.parametrize(
    "hostile",
    [
        "# heading",
        "## heading ##",
        "- item",
        "+ item",
        "* item",
        "1. item",
        "12) item",
        "> quote",
        "=== under",
        "---",
        "***",
        "```code",
        "~~~code",
        "    code",
        "| a | b |",
        "<script>alert(1)</script>",
        "<!-- block:0190a000-0000-7000-8000-00000000000a -->",
        "</div>",
        "<https://example.org>",
        "[x](javascript:alert(1))",
        "![x](file:///etc/passwd)",
        "[x]: javascript:alert(1)",
        "**bold** _it_ `code` ~~gone~~",
        "&lt;b&gt; &#60; &amp;",
        "back\\slash \\* \\",
        "snake_case and 2*3*4",
    ],
)
def test_escaped_text_is_text_and_reads_as_it_was(hostile: str) -> None:
    kinds, text = seen(escape_text(hostile))
    assert kinds == {"paragraph_open", "inline", "text", "paragraph_close"}
    assert text == " ".join(hostile.split())


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet="#-+=*_`~<>[]()!|&;:.\\\"'/ \t\r\n0123459abAB", max_size=40) | st.text(max_size=40))
def test_no_text_gets_out_of_its_place_in_a_guide(words: str) -> None:
    step = Step(words, (words,), 1000, 2500)
    guide = Guide(words, (Section(words, (step,)), Section(words, (step, step))), (words,), (words,))
    markdown = assemble(guide)
    kinds, _ = seen(markdown)
    assert kinds <= {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text"),
    }
    assert [block.kind for block in parse_blocks(markdown) if block.level] == [
        *("heading", "heading", "step", "heading", "step", "step", "heading")
    ]
    assert all(block.start_ms is None for block in parse_blocks(markdown))
    entries = [asdict(step) for step in draft_steps(guide)]
    evidence = drafted_evidence(parse_blocks(marked(markdown)), entries, lambda: [(0, 9000)])
    assert [(found.start_ms, found.end_ms) for found in evidence.values()] == [(1000, 2500)] * 3


def test_characters_that_nobody_sees_are_left_out() -> None:
    assert escape_text("a\x00b\u202ec\ud800d\u2028e\n# f") == "a b c d e \\# f"


def test_a_guide_with_sections_numbers_its_steps_through() -> None:
    first, second = Step("Open it", (TALK,), 1000, 4999), Step("Step 7: Close it", (TALK, "So."), 65_000)
    guide = Guide(
        "Boxes", (Section("Opening", (first,)), Section("Closing", (second,))), ("Hello.",), ("Done.",)
    )
    assert assemble(guide) == (
        "# Boxes\n\nHello.\n\n## Opening\n\n### Step 1: Open it\n\nClick it. Then wait.\n\n"
        "## Closing\n\n### Step 2: Close it\n\nClick it. Then wait.\n\nSo.\n\n## Result\n\nDone.\n"
    )
    assert validate(assemble(guide)) == []
    assert draft_steps(guide) == (DraftStep("Open it", 1000, 4999), DraftStep("Close it", 65_000, 65_000))


def test_steps_that_are_too_many_to_be_read_as_such_are_left_out() -> None:
    guide = Guide("Boxes", (Section("", (Step("Go", (), 0, 0),) * 1001),))
    assert len(draft_steps(guide)) == len(step_blocks(assemble(guide))) == MAX_STEP_NUMBER


def test_a_title_has_no_number_and_no_times_of_its_own() -> None:
    for title in ("Step 3: Go (0:05)", "Go (0:05–0:08)", "2. Step 3: Go (0:05) (0:06)", " Go "):
        assert plain_title(title) == "Go"


def test_a_guide_of_one_section_skips_no_level() -> None:
    guide = Guide("Boxes", (Section("Opening", (Step("Open it", (), 0, 0),)),))
    assert assemble(guide) == "# Boxes\n\n## Step 1: Open it\n\nOpen it\n"
    assert validate(assemble(guide)) == []


def test_a_title_that_reads_like_a_step_is_still_the_title() -> None:
    guide = Guide("Step 2: Onboarding", (Section("", (Step("Go", (TALK,), 0, 1),)),))
    assert validate(assemble(guide)) == []
    assert [step.title for step in step_blocks(assemble(guide))] == ["Go"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("click New invoice.", "Click New invoice"),
        ("test it", "Test it"),
        ("  open   the menu !", "Open the menu"),
        (
            "drag the region field into the columns area, and drag revenue into values",
            "Drag the region field into the columns area",
        ),
        (
            "select the very first of all the entries that you can see in this long list",
            "Select the very first of all the entries that you can see",
        ),
        ("x" * 100, "X" * 1 + "x" * 59),
        ("选择" * 60, "选择" * 30),
        ("...", "..."),
        ("", ""),
    ],
)
def test_titles_are_cut_where_a_clause_or_a_word_ends(text: str, title: str) -> None:
    assert short_title(text) == title


def test_long_talk_is_put_into_several_paragraphs() -> None:
    sentence = "One two three four five six seven eight nine ten."
    assert [len(part.split()) for part in paragraphs([sentence] * 8)] == [60, 20]
    assert paragraphs([]) == ()
