"""What differs between two texts by lines: applied by code that stands here, as `patch` does it, it gives the other."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from instructions import sequences
from instructions.diff import unified_diff
from tests.instructions.markers import marked

HUNK = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@\n")
NO_LINE_END = "\n\\ No newline at end of file\n"
TEXTS = st.lists(
    st.sampled_from(["a", "b", "", "# c", "-", "+", " ", "\\", "@@", "d\r", "e\u2028f"]), max_size=30
)


def diff(before: str, after: str) -> str:
    return unified_diff(before, after, names=("version 1", "version 2"))


def split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def body(patch: str) -> list[str]:
    """The lines of a diff without its two lines of header, each with the note that it does not end, if it has one."""
    lines = re.findall(r"[^\n]*\n(?:\\ No newline at end of file\n)?", patch)
    assert lines[:2] == ["--- version 1\n", "+++ version 2\n"] and "".join(lines) == patch
    return lines[2:]


def applied(patch: str, before: str) -> str:
    """The text after: each hunk at the line that it names, and what it keeps or takes away as it stands there."""
    old, new, line = split(before), list[str](), 0
    lines = iter(body(patch) if patch else [])
    for header in lines:
        found = HUNK.fullmatch(header)
        assert found, header
        start, length, new_start, new_length = map(int, found.groups())
        first, new_first = start - bool(length), new_start - bool(new_length)
        assert first >= line
        new += old[line:first]
        line = first
        assert len(new) == new_first
        while line < first + length or len(new) < new_first + new_length:
            text = next(lines)
            content = text[1:].removesuffix(NO_LINE_END)
            assert text[0] in " -+"
            if text[0] in " -":
                assert old[line] == content
                line += 1
            if text[0] in " +":
                new.append(content)
        assert (line, len(new)) == (first + length, new_first + new_length)
    return "".join(new + old[line:])


def changed(patch: str) -> int:
    """How many lines a diff takes away or adds."""
    return sum(line[0] in "-+" for line in body(patch))


def test_a_changed_line_stands_between_three_lines_of_context() -> None:
    before = "".join(f"line {number}\n" for number in range(1, 13))
    assert diff(before, before.replace("line 6\n", "line six\n")) == (
        "--- version 1\n+++ version 2\n@@ -3,7 +3,7 @@\n"
        " line 3\n line 4\n line 5\n-line 6\n+line six\n line 7\n line 8\n line 9\n"
    )


@pytest.mark.parametrize(("distance", "hunks"), [(7, 1), (8, 2)])
def test_changes_whose_contexts_touch_are_one_hunk(distance: int, hunks: int) -> None:
    lines = [f"line {number}\n" for number in range(30)]
    after = lines.copy()
    after[10], after[10 + distance] = "a\n", "b\n"
    assert len(HUNK.findall(diff("".join(lines), "".join(after)))) == hunks


def test_equal_texts_have_no_lines() -> None:
    assert diff("a\n", "a\n") == diff("", "") == ""


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"),
        ("a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"),
        ("a\n", "a\nb\n", "@@ -1,1 +1,2 @@\n a\n+b\n"),
        ("a\n", "a", f"@@ -1,1 +1,1 @@\n-a\n+a{NO_LINE_END}"),
    ],
)
def test_ends_of_texts_are_named_as_patch_reads_them(before: str, after: str, lines: str) -> None:
    assert diff(before, after) == f"--- version 1\n+++ version 2\n{lines}"


def test_only_a_line_feed_ends_a_line() -> None:
    before = "one\u2028two\x0bthree\x0cfour\x85five\rsix\n"
    assert changed(diff(before, before.replace("six", "6"))) == 2


@given(TEXTS, TEXTS, st.booleans())
def test_a_diff_applied_to_the_text_before_gives_the_text_after(
    a: list[str], b: list[str], ended: bool
) -> None:
    before, after = "\n".join(a), "\n".join(b) + "\n" * ended
    assert applied(diff(before, after), before) == after
    assert applied(diff(after, before), after) == before


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=40), st.data())
def test_a_text_in_parts_gives_a_diff_that_applies_too(a: list[str], data: st.DataObject) -> None:
    b = data.draw(st.permutations(a))
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (a, b))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sequences, "MAX_CELLS", 16)
        assert applied(diff(before, after), before) == after


@given(TEXTS, TEXTS)
def test_lines_that_are_each_there_often_leave_the_shortest_diff(a: list[str], b: list[str]) -> None:
    before, after = ("".join(f"{line}\n" for line in lines * 2) for lines in (a, b))
    if before != after:
        kept = LCSseq.similarity(split(before), split(after))
        assert changed(diff(before, after)) == len(a) * 2 + len(b) * 2 - 2 * kept


def test_a_diff_follows_the_markers_of_blocks() -> None:
    """A block that comes in between takes its own marker along, and none of its neighbours'."""
    before = marked("# Guide\n\nSame.\n\nSame.\n")
    first, second, third = before.split("\n\n")
    new = "<!-- block:0190a000-0000-7000-8000-0000000000aa -->\nSame."
    patch = diff(before, "\n\n".join([first, second, new, third]))
    assert [line for line in body(patch) if line[0] in "-+"] == [
        f"+{line}\n" for line in [*new.split("\n"), ""]
    ]


def wholly_different() -> tuple[str, str]:
    """Two texts of 1 MiB and 20,000 lines that have only their blank lines in common."""
    lines = [f"{number:0103}\n\n" for number in range(20_000)]
    return "".join(lines[:10_000]), "".join(lines[10_000:])


def shuffled() -> tuple[str, str]:
    before = [f"line {number}\n" for number in range(20_000)]
    return "".join(before), "".join(random.Random(1).sample(before, len(before)))


def of_two_lines() -> tuple[str, str]:
    lines = random.Random(2).choices(["a\n", "b\n"], k=40_000)
    return "".join(lines[:20_000]), "".join(lines[20_000:])


@pytest.mark.parametrize("make", [wholly_different, shuffled, of_two_lines])
def test_long_texts_are_compared_in_bounded_parts(
    make: Callable[[], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted are the cells of the tables, a bit each, of which 64 are filled at once."""
    before, after = make()
    cells, opcodes = [], LCSseq.opcodes

    def counted(left: list[int], right: list[int]) -> object:
        cells.append(len(left) * len(right))
        return opcodes(left, right)

    monkeypatch.setattr(sequences.LCSseq, "opcodes", counted)
    patch = diff(before, after)
    assert applied(patch, before) == after
    assert sum(cells) <= 20_000**2
    assert all(each <= sequences.MAX_CELLS for each in cells)
