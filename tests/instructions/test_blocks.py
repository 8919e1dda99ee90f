"""Block markers: written once, kept through edits, never confused by what looks like one."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions.blocks import (
    Block,
    ensure_markers,
    format_time_range,
    parse_blocks,
    split_step_heading,
    step_blocks,
    strip_markers,
)

A, B, C = (f"0190a000-0000-7000-8000-00000000000{digit}" for digit in "abc")
MARKER_LINE = re.compile(r"<!-- block:[0-9a-f-]{36} -->")
RENDERER = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])


def counted_ids() -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(counter)))


def marked(markdown: str) -> str:
    return ensure_markers(markdown, counted_ids())


def no_new_ids() -> str:
    raise AssertionError("a new id was asked for")


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


def test_every_block_gets_a_marker_on_the_line_before_it() -> None:
    assert marked("# Title\nText\n- a\n  - b\n\n\n> q\n") == (
        f"<!-- block:{uuid.UUID(int=1)} -->\n# Title\n<!-- block:{uuid.UUID(int=2)} -->\nText\n"
        f"<!-- block:{uuid.UUID(int=3)} -->\n- a\n  - b\n\n\n<!-- block:{uuid.UUID(int=4)} -->\n> q\n"
    )


@pytest.mark.parametrize("blank", ["", "\n\n", " \n", "\r\n", f"<!-- block:{A} -->\n"])
def test_a_document_without_a_block_becomes_empty(blank: str) -> None:
    assert ensure_markers(blank, no_new_ids) == ""


def test_markers_that_stand_keep_their_place_and_id() -> None:
    markdown = f"<!-- block:{A} -->\n# Title\n\n<!-- block:{B} -->\nText\n"
    assert ensure_markers(markdown, no_new_ids) == markdown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"<!--block:{A}-->\nText", f"<!-- block:{A} -->\nText\n"),
        (f"  <!-- block:{A.upper()} -->  \nText", f"<!-- block:{A} -->\nText\n"),
        (f"<!-- block:{A} -->\n\n\nText\n\n\n", f"\n\n<!-- block:{A} -->\nText\n"),
        (f"<!-- block:{A} -->\n<!-- block:{B} -->\nText", f"<!-- block:{B} -->\nText\n"),
        (f"<!-- block:{A} -->\r\nText\rmore\r\n", f"<!-- block:{A} -->\nText\nmore\n"),
        (f"<!-- block:{A} -->\nText\n\n<!-- block:{B} -->\n", f"<!-- block:{A} -->\nText\n"),
        (f"<!-- block:{A} -->\n[r]: /x\nText", f"[r]: /x\n<!-- block:{A} -->\nText\n"),
    ],
)
def test_markers_are_tidied(before: str, after: str) -> None:
    assert ensure_markers(before, no_new_ids) == after


def test_a_definition_does_not_run_into_the_text_above_when_its_marker_goes() -> None:
    markdown = f"<!-- block:{A} -->\nText\n<!-- block:{B} -->\n[r]: /x\n"
    assert ensure_markers(markdown, no_new_ids) == f"<!-- block:{A} -->\nText\n\n[r]: /x\n"


def test_the_first_of_two_equal_markers_keeps_the_id() -> None:
    markdown = f"<!-- block:{A} -->\nOne\n\n<!-- block:{A} -->\nTwo\n"
    first, second = parse_blocks(marked(markdown))
    assert (first.block_id, second.block_id) == (A, str(uuid.UUID(int=1)))


@pytest.mark.parametrize("bad", ["", "x", A[:-1], A + "0", A.replace("-", ""), "{" + A + "}"])
def test_a_malformed_id_is_replaced(bad: str) -> None:
    assert marked(f"<!-- block:{bad} -->\nText\n") == f"<!-- block:{uuid.UUID(int=1)} -->\nText\n"


@pytest.mark.parametrize(
    "markdown",
    [
        f"```\n<!-- block:{B} -->\ntext\n```\n",
        f"~~~\n<!-- block:{B} -->\n",
        f"    <!-- block:{B} -->\n    text\n",
        f"- item\n\n  <!-- block:{B} -->\n  text\n",
        f"> <!-- block:{B} -->\n> text\n",
        f"<div>\n<!-- block:{B} -->\ntext\n</div>\n",
        f"Text <!-- block:{B} --> text\n",
        f"<!-- block:{B} --> text\n",
        f"<!--\n<!-- block:{B}\n-->\n",
        "<!-- block: a remark of the author -->\n",
        f"`x\n{B}`\n",
    ],
)
def test_what_only_looks_like_a_marker_is_left_alone(markdown: str) -> None:
    assert ensure_markers(markdown, lambda: A) == f"<!-- block:{A} -->\n{markdown}"


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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"<!-- block:{A} -->\n# T\n<!-- block:{B} -->\nText\n", "# T\n\nText\n"),
        (f"<!-- block:{A} -->\nOne\n<!-- block:{B} -->\nTwo\n", "One\n\nTwo\n"),
        (f"\n\n<!-- block:{A} -->\nOne\n\n\n\n<!-- block:{B} -->\nTwo\n\n", "One\n\nTwo\n"),
        (f"<!-- block:{A} -->\n```\n<!-- block:{B} -->\n\n\n```\n", f"```\n<!-- block:{B} -->\n\n\n```\n"),
        (f"<!-- block:{A} -->\n- a\n<!-- block:{B} -->\n- b\n", "- a\n\n<!-- -->\n\n- b\n"),
        (f"<!-- block:{A} -->\n- a\n<!-- block:{B} -->\n    code\n", "- a\n\n<!-- -->\n\n    code\n"),
        (f"<!-- block:{A} -->\n- a\n\n  <!-- block:{B} -->\n  b\n", "- a\n\n\n  b\n"),
        (f"<!-- block:{A} -->\n> <!-- block:{B} -->\n> b\n", ">\n> b\n"),
        (f"<!-- block:{A} -->\n- <!-- block:{B} -->\n\n  b\n", "- <!-- -->\n\n  b\n"),
        (f"<!-- block:{A} -->\n- a\n  <!-- block:{B} -->\ntext\n", "- a\n\ntext\n"),
        (f"<!-- block:{A} -->\n[r]: /x\n<!-- block:{B} -->\nText [r]\n", "[r]: /x\n\nText [r]\n"),
        (f"<!-- block:{A} -->\n<!-- kept -->\n", "<!-- kept -->\n"),
        ("", ""),
    ],
)
def test_stripping_leaves_the_text_without_markers(before: str, after: str) -> None:
    assert strip_markers(before) == after


LINES = st.sampled_from(
    f"""
# Head
## Step 1: Go (0:01–0:02)
===
---
text
  text
    text
- item
  - inner
1. one
   more
> quote
```
~~~
| a | b |
|---|---|
[r]: /x
[r]
![a](b.png)
<div>
</div>
<!-- note -->
<!--
-->
<pre>
***
\t
  
a\\
<!-- block:{A} -->
<!-- block:{B} -->
  <!-- block:{C} -->
<!-- block:bad -->
é 😀 עברית
""".split("\n")
)
DOCUMENTS = st.lists(LINES, max_size=14).map("\n".join)


def rendered(markdown: str) -> str:
    """HTML without markers, separators and white space."""
    html = RENDERER.render(markdown.rstrip("\n") + "\n").replace("<!-- -->", "")
    return "".join(MARKER_LINE.sub("", html).split())


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS | st.text(alphabet="#-`>~*_[]()!|<>: \t\r\nab01.=\\", max_size=60))
@example("a\r\n\r\n# b")
def test_adding_markers_twice_adds_nothing(markdown: str) -> None:
    once = marked(markdown)
    assert ensure_markers(once, no_new_ids) == once
    blocks = parse_blocks(once)
    ids = [block.block_id for block in blocks]
    assert all(ids) and len(set(ids)) == len(ids)
    for block in blocks:
        line_before = once[: block.start_offset].split("\n")[-2]
        assert line_before == f"<!-- block:{block.block_id} -->"
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n"))


@pytest.mark.soak
@settings(max_examples=400, deadline=None)
@given(DOCUMENTS.filter(lambda text: "block:" not in text))
def test_markers_change_nothing_that_a_reader_sees(markdown: str) -> None:
    once = marked(markdown)
    kept = [line for line in once.split("\n") if not MARKER_LINE.fullmatch(line)]
    assert "\n".join(kept).rstrip("\n") == (markdown.rstrip("\n") if markdown.strip() else "")
    assert rendered(once) == rendered(markdown) == rendered(strip_markers(once))


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_stripping_takes_every_marker_and_can_be_done_again(markdown: str) -> None:
    stripped = strip_markers(marked(markdown))
    assert strip_markers(stripped) == stripped
    plain = parse_blocks(stripped)
    assert not any(block.block_id for block in plain)


@pytest.mark.soak
def test_a_document_of_a_megabyte_is_marked_in_a_moment() -> None:
    heading = "## Step {0}: Open the **menu** ({0}:00–{0}:09)\n\n"
    section = heading + "Choose the [entry](x) that you `need`. " * 12
    markdown = "# Guide\n\n" + "\n\n".join(section.format(number) for number in range(1, 2000))
    markdown = markdown[: 1 << 20]
    started = time.perf_counter()
    written = marked(markdown)
    blocks = parse_blocks(written)
    assert time.perf_counter() - started < 5  # 0.5 s on the machine it was written on
    assert len(markdown) > 900_000 and len(blocks) > 3000
