"""Blocks and steps: their kinds and offsets, and the numbers and times in step headings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructions.blocks import Block, format_time_range, parse_blocks, split_step_heading, strip_markers
from tests.instructions.markers import A, B, marked
from tests.instructions.steps import step_blocks


def text_of(markdown: str, block: Block) -> str:
    return markdown[block.start_offset : block.end_offset]


@pytest.mark.parametrize(
    ("markdown", "kinds"),
    [
        ("# Title\n\nText\nmore text\n", ["heading", "paragraph"]),
        ("Title\n===\nText\n***\n", ["heading", "paragraph", "rule"]),
        ("- a\n- b\n\n  inner\n\n1. c\n2. d\n", ["list", "ordered_list"]),
        ("- a\n+ b\n", ["list", "list"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\nlazy\n", ["table", "quote"]),
        ("```py\n# not a heading\n```\n    x\n", ["code", "code"]),
        ("Text\n\n    indented\n\n    code\n\nText\n", ["paragraph", "code", "paragraph"]),
        ("![a](b.png)\n\n[![a](b.png)](c)\n\n![a](b) and text\n", ["image", "image", "paragraph"]),
        ("![a][pic]\n![b][pic]\n\n[pic]: x.png\n", ["image"]),
        ("<div>\n# no\n</div>\n\n<!-- note -->\ntext\n", ["html", "html", "paragraph"]),
        ("[ref]: /target\n'title'\nText [ref]\n", ["paragraph"]),
        ("## Step 1: Go\n\nGo.\n\n### Note\n\n## Other\n", ["step", "paragraph", "heading", "heading"]),
        ("- " * 10 + "deep\n\nafter\n", ["list", "paragraph"]),
        ("", []),
        ("\n \n\t\n", []),
    ],
)
def test_top_level_blocks_are_found_with_their_kind(markdown: str, kinds: list[str]) -> None:
    assert [block.kind for block in parse_blocks(markdown)] == kinds
    written = marked(markdown)
    assert [block.kind for block in parse_blocks(written)] == kinds
    assert all(block.block_id for block in parse_blocks(written))


def test_offsets_are_code_points_and_leave_out_the_marker() -> None:
    markdown = f"<!-- block:{A} -->\n# Größe 😀\n\n<!-- block:{B} -->\nעברית and 😀\nmore\n\n\n"
    heading, paragraph = parse_blocks(markdown)
    assert text_of(markdown, heading) == "# Größe 😀"
    assert text_of(markdown, paragraph) == "עברית and 😀\nmore"
    assert (heading.title, heading.level) == ("Größe 😀", 1)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_offsets_hold_for_any_line_end(line_end: str) -> None:
    markdown = line_end.join(["# A", "", "text \u2028 \x0b on", "", "- x", "", "y"])
    texts = [text_of(markdown, block) for block in parse_blocks(markdown)]
    assert texts == ["# A", "text \u2028 \x0b on", "- x", "y"]


def test_a_list_ends_with_its_last_line_of_text() -> None:
    markdown = "- a\n- b\n\n\nText\n"
    assert text_of(markdown, parse_blocks(markdown)[0]) == "- a\n- b"


GUIDE = """# Title

Intro

## Part

### Step 1: Open *it* (0:04–0:09)

Body

![p](p.png)

#### Note

Noted

### Step 2: Close it (0:09)

Body

## Rest

Text
"""


def test_a_step_covers_everything_up_to_the_next_heading_of_its_level() -> None:
    markdown = marked(GUIDE)
    first, second = step_blocks(markdown)
    whole_step = GUIDE[GUIDE.index("### Step 1") : GUIDE.index("\n### Step 2")]
    assert strip_markers(text_of(markdown, first)) == whole_step
    assert strip_markers(text_of(markdown, second)) == "### Step 2: Close it (0:09)\n\nBody\n"
    assert (first.title, first.start_ms, first.end_ms, first.level) == ("Open it", 4000, 9000, 3)
    assert (second.title, second.start_ms, second.end_ms) == ("Close it", 9000, None)


def test_blocks_within_a_step_are_listed_with_ids_of_their_own() -> None:
    blocks = parse_blocks(marked(GUIDE))
    assert [block.kind for block in blocks] == [
        *("heading", "paragraph", "heading", "step", "paragraph", "image", "heading", "paragraph"),
        *("step", "paragraph", "heading", "paragraph"),
    ]
    assert len({block.block_id for block in blocks}) == len(blocks)


def test_steps_lie_within_steps() -> None:
    markdown = "# T\n\n## 1. Outer\n\n### 1) Inner\n\ntext\n\n## 2. Next\n"
    outer, inner, following = step_blocks(markdown)
    assert outer.start_offset < inner.start_offset < inner.end_offset == outer.end_offset
    assert outer.end_offset < following.start_offset


def test_the_title_of_a_document_is_no_step_whatever_it_reads() -> None:
    _, title, step = parse_blocks("<!-- note -->\n\n# 2. Invoices\n\n# 3. Send\n")
    assert (title.kind, title.title, step.kind, step.title) == ("heading", "2. Invoices", "step", "Send")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Step 3: Click Save (0:12–0:18)", (3, "Click Save", 12_000, 18_000)),
        ("step 3 Click Save (0:12-0:18)", (3, "Click Save", 12_000, 18_000)),
        ("Step 12 – Go (1:02:03 — 1:02:04.5)", (12, "Go", 3_723_000, 3_724_500)),
        ("4. Go (75:10)", (4, "Go", 4_510_000, None)),
        ("4) Go (0:12.4–0:18.05)", (4, "Go", 12_400, 18_050)),
        ("Step 3", (3, "", None, None)),
        ("Step 3:", (3, "", None, None)),
        ("Step 3: (0:01)", (3, "", 1000, None)),
        ("Step 3: Go (0:18–0:12)", (3, "Go (0:18–0:12)", None, None)),
        ("Step 3: Go (0:75)", (3, "Go (0:75)", None, None)),
        ("Step 3: Go (0:12) now", (3, "Go (0:12) now", None, None)),
        ("Step 3: Go (fast)", (3, "Go (fast)", None, None)),
        ("Steps 3", (None, "Steps 3", None, None)),
        ("Step by step", (None, "Step by step", None, None)),
        ("Step 3D printing", (None, "Step 3D printing", None, None)),
        ("2.5 is out", (None, "2.5 is out", None, None)),
        ("2024. A year", (None, "2024. A year", None, None)),
        ("Overview (0:12)", (None, "Overview (0:12)", None, None)),
        ("", (None, "", None, None)),
    ],
)
def test_step_headings_give_number_title_and_times(
    text: str, parts: tuple[int | None, str, int | None, int | None]
) -> None:
    assert split_step_heading(text) == parts


@pytest.mark.parametrize(
    ("times", "written"),
    [
        ((12_400, 18_999), "(0:12–0:18)"),
        ((0, None), "(0:00)"),
        ((12_100, 12_900), "(0:12)"),
        ((3_599_000, 3_600_000), "(59:59–1:00:00)"),
        ((18_000, 12_000), "(0:18)"),
    ],
)
def test_times_are_written_in_whole_seconds(times: tuple[int, int | None], written: str) -> None:
    assert format_time_range(*times) == written


@given(st.integers(0, 86_400_000), st.integers(0, 600_000))
def test_written_times_are_read_back_within_a_second(start_ms: int, length_ms: int) -> None:
    end_ms = start_ms + length_ms
    _, title, start, end = split_step_heading(f"Step 1: T {format_time_range(start_ms, end_ms)}")
    assert title == "T"
    assert start is not None and 0 <= start_ms - start < 1000
    assert end_ms // 1000 == (start if end is None else end) // 1000
