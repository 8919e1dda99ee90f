"""Which operations on steps are refused, and by which of their fields."""

from __future__ import annotations

import time

import pytest

from instructions.complexity import DocumentTooComplex
from instructions.edits import (
    DeleteStep,
    EditRefused,
    InsertStep,
    MergeSteps,
    MoveStep,
    Operation,
    ReplaceBlock,
    SetTitle,
    SplitStep,
)
from tests.instructions.editing import TEXT, UNKNOWN, Guide


@pytest.fixture
def guide() -> Guide:
    return Guide(TEXT)


def refused(guide: Guide, *operations: Operation) -> tuple[int, str, str]:
    with pytest.raises(EditRefused) as error:
        guide.edit(*operations)
    assert str(error.value).endswith(".")
    return error.value.operation, error.value.field, error.value.code


@pytest.mark.parametrize(
    ("markdown", "code"),
    [
        ("", "blank"),
        (" \n\n", "blank"),
        ("[a]: /x\n", "blank"),
        (f"<!-- block:{UNKNOWN} -->\n", "blank"),
        ("Text.\n", "no_heading"),
        ("## A\n\n# B\n", "heading_level"),
    ],
)
def test_what_is_no_text_of_a_step_is_refused(guide: Guide, markdown: str, code: str) -> None:
    assert refused(guide, ReplaceBlock(guide["Save"], markdown)) == (0, "markdown", code)


@pytest.mark.parametrize(
    ("titles", "field"),
    [
        (["Open", "Save"], "block_ids.1"),
        (["Type", "Open"], "block_ids.1"),
        (["Open", "Open"], "block_ids.1"),
        (["Type", "First name"], "block_ids.1"),
        (["Last name", "Save"], "block_ids.1"),
        (["Open", "Type", "First name"], "block_ids.2"),
    ],
)
def test_steps_that_are_not_next_to_each_other_are_not_merged(
    guide: Guide, titles: list[str], field: str
) -> None:
    assert refused(guide, MergeSteps([guide[title] for title in titles])) == (0, field, "not_adjacent")


def test_a_step_is_split_only_at_a_block_directly_in_it(guide: Guide) -> None:
    for at in ("Type", "Ann", "Open the page.", "Press Save.", "Intro.", "Result"):
        assert refused(guide, SplitStep(guide["Type"], guide[at], "New")) == (0, "at", "not_in_step"), at


def test_a_guide_has_at_most_999_steps() -> None:
    guide = Guide("# G\n\n" + "## Step 1: a\n\n" * 999)
    last = guide.blocks()[-1].block_id
    assert "## Step 999: b\n" in guide.edit(SetTitle(last, "b"))
    assert refused(guide, SetTitle(last, "c"), InsertStep(last, "d")) == (1, "", "too_many_steps")


@pytest.mark.parametrize("html", ["<pre>\na", "<!-- a", "<?php", "<![CDATA[ a"])
def test_html_that_is_not_closed_is_refused_where_it_would_swallow(html: str) -> None:
    guide = Guide(f"# G\n\n## 1. One\n\nText.\n\n## 2. Two\n\n{html}\n")
    one, two = guide["One"], guide["Two"]
    rename = SetTitle(one, "First")
    assert refused(guide, rename, MoveStep(two, None), rename) == (1, "", "joins_neighbour")
    assert refused(guide, rename, InsertStep(two, "New"), rename) == (1, "", "joins_neighbour")
    assert refused(guide, rename, ReplaceBlock(guide["Text."], html), rename) == (1, "", "joins_neighbour")
    assert "## 1. First" in guide.edit(rename)


def test_blocks_that_are_not_there_or_no_steps_are_refused(guide: Guide) -> None:
    rename = SetTitle(guide["Open"], "A")
    text, step = guide["Intro."], guide["Open"]
    for operation, field in (
        (SetTitle(UNKNOWN, "A"), "block_id"),
        (ReplaceBlock(UNKNOWN, "A"), "block_id"),
        (DeleteStep(UNKNOWN), "block_id"),
        (InsertStep(UNKNOWN, "A"), "after"),
        (MoveStep(step, UNKNOWN), "after"),
        (MergeSteps([step, UNKNOWN]), "block_ids.1"),
        (SplitStep(step, UNKNOWN, "A"), "at"),
    ):
        assert refused(guide, rename, operation) == (1, field, "unknown_block")
    for operation, field in (
        (SetTitle(text, "A"), "block_id"),
        (DeleteStep(text), "block_id"),
        (InsertStep(text, "A"), "after"),
        (MoveStep(step, text), "after"),
        (MergeSteps([step, text]), "block_ids.1"),
        (SplitStep(text, step, "A"), "block_id"),
    ):
        assert refused(guide, rename, operation) == (1, field, "not_a_step")


def test_a_block_that_an_earlier_operation_took_away_is_said_to_be_so(guide: Guide) -> None:
    gone = SetTitle(guide["Ann"], "A")
    assert refused(guide, DeleteStep(guide["Type"]), gone) == (1, "block_id", "deleted_block")
    replaced = ReplaceBlock(guide["Type"], "## Type\n")
    with pytest.raises(EditRefused, match="Operation 1 "):
        guide.edit(SetTitle(guide["Open"], "A"), replaced, gone)


def test_a_step_is_not_moved_after_itself_or_into_itself(guide: Guide) -> None:
    for after in ("Type", "First name", "Last name"):
        move = MoveStep(guide["Type"], guide[after])
        assert refused(guide, move) == (0, "after", "inside_itself")


def test_the_markdown_of_operations_takes_no_more_work_than_a_document(guide: Guide) -> None:
    costly = "- a\n\n" * 600
    guide.edit(*[ReplaceBlock(guide["Intro."], costly)] * 2)
    begin = time.thread_time()
    with pytest.raises(DocumentTooComplex):
        guide.edit(*[ReplaceBlock(guide["Ann"], costly)] * 100)
    assert time.thread_time() - begin < 3


def test_a_title_of_nothing_but_a_number_or_marks_is_refused(guide: Guide) -> None:
    for nothing in ("Step 4:", "\u202e"):
        assert refused(guide, SetTitle(guide["Save"], nothing)) == (0, "title", "blank")
        assert refused(guide, InsertStep(None, nothing)) == (0, "title", "blank")
        assert refused(guide, SplitStep(guide["Save"], guide["Press Save."], nothing)) == (
            0,
            "title",
            "blank",
        )
