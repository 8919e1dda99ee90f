"""What became of the blocks of a text: by their ids, in the order of the text after."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructions.blocks import parse_blocks
from instructions.diff import block_changes
from instructions.sequences import heaviest_increasing

GUIDE = [
    ("title", "# Guide"),
    ("intro", "What you need."),
    ("s1", "## Step 1: Open the page"),
    ("p1", "Click **Open** in the menu on the left."),
    ("s2", "## Step 2: Type the name"),
    ("p2", "Type it into the first field."),
    ("l2", "- one\n- two"),
    ("s3", "## Step 3: Save"),
    ("p3", "Press **Save**."),
]
NAMES = [name for name, _ in GUIDE]
IDS = {name: f"0190a000-0000-7000-8000-{number:012}" for number, name in enumerate([*NAMES, "new", "new2"])}
NAME_OF = {block_id: name for name, block_id in IDS.items()}


def text(blocks: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"<!-- block:{IDS[name]} -->\n{content}" for name, content in blocks) + "\n"


def changes(after: list[tuple[str, str]], before: list[tuple[str, str]] = GUIDE) -> list[str]:
    """The changes as `name change`."""
    old, new = text(before), text(after)
    found = block_changes(old, parse_blocks(old), new, parse_blocks(new))
    return [f"{NAME_OF[one.block_id]} {one.change}" for one in found]


def arranged(names: str, **texts: str) -> list[tuple[str, str]]:
    """These blocks in this order, with other texts."""
    known = dict(GUIDE) | texts
    return [(name, known[name]) for name in names.split()]


def test_equal_texts_have_no_changes() -> None:
    assert changes(GUIDE) == []


def test_a_block_is_changed_when_its_own_text_is_another() -> None:
    assert changes(arranged(" ".join(NAMES), p1="Click it.")) == ["p1 changed"]


def test_a_step_is_changed_by_its_heading_and_not_by_what_it_holds() -> None:
    assert changes(arranged(" ".join(NAMES), s2="## Step 2: Enter it", l2="- one")) == [
        "s2 changed",
        "l2 changed",
    ]


@pytest.mark.parametrize("heading", ["Step 2: Type\nthe name\n---", "Step 2: Type the name\n==="])
def test_a_heading_with_an_underline_is_a_steps_own_text(heading: str) -> None:
    before = arranged("title s2 p2", s2=heading)
    assert changes(arranged("title s2 p2", s2=heading, p2="Other."), before) == ["p2 changed"]
    assert changes(arranged("title s2 p2", s2=heading.replace("name", "word")), before) == ["s2 changed"]


def test_blank_lines_and_definitions_of_links_change_no_block() -> None:
    spaced = text(GUIDE).replace("\n\n<!--", "\n\n\n[a]: b\n\n<!--")
    assert block_changes(text(GUIDE), parse_blocks(text(GUIDE)), spaced, parse_blocks(spaced)) == []


def test_a_step_moves_with_its_blocks_and_others_are_numbered_anew() -> None:
    numbers = {"s1": "## Step 3: Open the page", "s2": "## Step 1: Type the name", "s3": "## Step 2: Save"}
    assert changes(arranged("title intro s2 p2 l2 s3 p3 s1 p1", **numbers)) == [
        "s2 changed",
        "s3 changed",
        "s1 changed",
        "s1 moved",
        "p1 moved",
    ]


def test_what_is_shorter_has_moved() -> None:
    long = "Words that stay where they were. " * 20
    before = arranged("title s1 p1 s3 p3", p1=long)
    assert changes(arranged("title s3 p3 s1 p1", p1=long), before) == ["s3 moved", "p3 moved"]
    before = arranged("title s1 p1 s3 p3", p3=long)
    assert changes(arranged("title s3 p3 s1 p1", p3=long), before) == ["s1 moved", "p1 moved"]


def test_removed_blocks_stand_where_they_stood() -> None:
    assert changes(arranged("intro s1 s2 p2 s3 p3", new="New.")) == [
        "title removed",
        "p1 removed",
        "l2 removed",
    ]
    assert changes(arranged("new title intro s1 new2 s2 p2 l2 s3 p3", new="New.", new2="Next.")) == [
        "new added",
        "p1 removed",
        "new2 added",
    ]


def test_blocks_that_share_no_id_are_removed_and_added() -> None:
    assert changes(arranged("new new2", new="# Guide", new2="What you need."), GUIDE[:2]) == [
        "title removed",
        "intro removed",
        "new added",
        "new2 added",
    ]
    assert changes([], GUIDE[:1]) == ["title removed"] and changes(GUIDE[:1], []) == ["title added"]


@given(st.permutations(GUIDE), st.permutations(GUIDE), st.integers(0, 9), st.integers(0, 9))
def test_every_block_is_accounted_for(
    before: list[tuple[str, str]], after: list[tuple[str, str]], kept: int, left: int
) -> None:
    before, after = before[:kept], after[:left]
    found = changes(after, before)
    old, new = ({name for name, _ in blocks} for blocks in (before, after))
    assert {one for one in found if one.endswith(("removed", "added"))} == {
        *(f"{name} removed" for name in old - new),
        *(f"{name} added" for name in new - old),
    }
    moved = {one.removesuffix(" moved") for one in found if one.endswith(" moved")}
    assert moved <= old & new and not any(one.endswith(" changed") for one in found)
    still = [[name for name, _ in blocks if name in (old & new) - moved] for blocks in (before, after)]
    assert still[0] == still[1], "what has not moved is in the same order"
    assert [one.split()[0] for one in found if not one.endswith(" removed")] == [
        name for name, _ in after if f"{name} added" in found or f"{name} moved" in found
    ]


@given(st.permutations(range(9)), st.lists(st.integers(1, 9), min_size=9, max_size=9), st.integers(0, 9))
def test_the_heaviest_increasing_run_is_found(values: list[int], weights: list[int], length: int) -> None:
    values = values[:length]
    found = heaviest_increasing(values, weights[:length])
    assert found == sorted(found) and [values[i] for i in found] == sorted(values[i] for i in found)
    every = (
        sum(weights[index] for index in indices)
        for size in range(length + 1)
        for indices in combinations(range(length), size)
        if all(values[a] < values[b] for a, b in zip(indices, indices[1:], strict=False))
    )
    assert sum(weights[index] for index in found) == max(every)
