"""Block markers: written once, kept through edits, never confused with what looks like one."""

from __future__ import annotations

import re
import time
import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions.blocks import ensure_markers, parse_blocks, strip_markers
from tests.instructions.markers import TEXTS_THAT_JOIN, A, B, marked

MARKER_LINE = re.compile(r"<!-- block:[0-9a-f-]{36} -->")
RENDERER = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])


def no_new_ids() -> str:
    raise AssertionError("a new id was asked for")


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


def test_a_definition_does_not_join_the_text_above_when_its_marker_goes() -> None:
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


def rendered(markdown: str) -> str:
    """HTML without markers, separators and white space."""
    html = RENDERER.render(markdown.rstrip("\n") + "\n").replace("<!-- -->", "")
    return "".join(MARKER_LINE.sub("", html).split())


@settings(max_examples=400, deadline=None)
@given(TEXTS_THAT_JOIN | st.text(alphabet="#-`>~*_[]()!|<>: \t\r\nab01.=\\", max_size=60))
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
@given(TEXTS_THAT_JOIN.filter(lambda text: "block:" not in text))
def test_markers_change_nothing_that_a_reader_sees(markdown: str) -> None:
    once = marked(markdown)
    kept = [line for line in once.split("\n") if not MARKER_LINE.fullmatch(line)]
    assert "\n".join(kept).rstrip("\n") == (markdown.rstrip("\n") if markdown.strip() else "")
    assert rendered(once) == rendered(markdown) == rendered(strip_markers(once))


@settings(max_examples=200, deadline=None)
@given(TEXTS_THAT_JOIN)
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
