"""Which texts are too complex: found without parsing, at save and in drafts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructions import services
from instructions.blocks import parse_blocks
from instructions.complexity import (
    MAX_BLOCKS,
    MAX_LINES,
    MAX_MARKS,
    MAX_NESTING,
    DocumentTooComplex,
    check_complexity,
)
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import Api, make_job
from tests.instructions.documents import make_document

BLOCKS = {
    "paragraphs": "a\n\n",
    "headings": "# a\n",
    "items": "- a\n",
    "numbered items": "1. a\n",
    "quotations": "> a\n\n",
    "items within a quotation": "> - a\n",
    "tables": "|a|\n|-|\n\n",
    "fences": "```\na\n```\n",
    "rules": "---\n\n",
    "html": "<p>\n\n",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_text_has_at_most_5000_blocks(block: str) -> None:
    check_complexity(block * MAX_BLOCKS)
    with pytest.raises(DocumentTooComplex):
        check_complexity(block * (MAX_BLOCKS + 1))


@pytest.mark.parametrize("level", ["> ", "- ", "1. "])
def test_a_text_is_nested_at_most_64_levels_deep(level: str) -> None:
    check_complexity(level * MAX_NESTING + "a")
    with pytest.raises(DocumentTooComplex):
        check_complexity(level * (MAX_NESTING + 1) + "a")


def test_lists_that_are_nested_line_by_line_are_found_too() -> None:
    levels = [f"{'  ' * depth}- a\n" for depth in range(MAX_NESTING + 1)]
    check_complexity("".join(levels[:MAX_NESTING]))
    with pytest.raises(DocumentTooComplex):
        check_complexity("".join(levels))


@pytest.mark.parametrize(
    "text",
    [
        "```\n" + "a\n\n- b\n\n" * 4900 + "```\n",
        "~~~ python\n" + "# a\n" * 9000 + "```\n" + "~~~~\n",
        "a\n" * 9000,
        "| a |\n|---|\n" + "| b |\n" * 9000,
        "<!-- block:01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d -->\n" * 9000,
    ],
    ids=["code", "longer fence", "one paragraph", "one table", "markers"],
)
def test_a_long_text_of_few_blocks_is_taken(text: str) -> None:
    check_complexity(text)


@pytest.mark.parametrize("line", ["a\n", "    a\n", "<!-- block:x -->\n"])
def test_a_text_has_at_most_20000_lines_and_as_many_markers(line: str) -> None:
    check_complexity(line * MAX_LINES)
    with pytest.raises(DocumentTooComplex, match="lines"):
        check_complexity(line * (MAX_LINES + 1))


@pytest.mark.parametrize("mark", list("`*_[]<&~\\!-:=#+@>$%^{}"))
def test_a_text_has_at_most_100000_marks_outside_of_code(mark: str) -> None:
    line = f"a {mark * 100} a\n"
    check_complexity(line * (MAX_MARKS // 100))
    check_complexity(f"```\n{line * 9000}```\n")
    with pytest.raises(DocumentTooComplex, match="marks"):
        check_complexity(line * (MAX_MARKS // 100) + mark)


def test_lines_and_markers_are_counted_apart() -> None:
    check_complexity("a\n" * 15_000 + "<!-- block:x -->\n" * 15_000)


def test_cells_of_tables_are_counted_also_those_that_short_rows_leave_out() -> None:
    """20 such tables of 65 lines took a parser a minute."""
    head = "|a" * 1000 + "\n" + "|-" * 1000 + "\n"
    check_complexity(head + "|\n" * 20)
    check_complexity("| a | b |\n|:-:|---|\n" + "| c | d |\n" * 8000)
    for rows in ("|\n", "a\n", "> |\n"):
        with pytest.raises(DocumentTooComplex, match="marks"):
            check_complexity(head + rows * 30)
    with pytest.raises(DocumentTooComplex, match="marks"):
        check_complexity("".join(f"> {line}\n" for line in head.splitlines()) + "> |\n" * 30)


def test_lines_that_continue_a_deep_quotation_are_counted_by_its_depth() -> None:
    """20,000 of them below 60 marks took a parser 20 s."""
    deep = "> " * 60 + "a\n"
    check_complexity(deep + "b\n" * 800)
    check_complexity(deep + "\n" + "b\n" * 9000)
    check_complexity("> a\n" + "b\n" * 9000)
    with pytest.raises(DocumentTooComplex, match="marks"):
        check_complexity(deep + "b\n" * 900)


@settings(deadline=None)
@given(st.text(alphabet="a \n\t#->`~*1.|_=<!-\\", max_size=400))
def test_no_text_has_more_blocks_than_are_counted(text: str) -> None:
    counted = count(text)
    # Definitions of links and the like make a parser find fewer; a setext underline or a rule is one more at most.
    assert len([block for block in parse_blocks(text) if block.kind != "step"]) <= 2 * counted + 1


def count(text: str) -> int:
    """How many blocks `check_complexity` finds: by how many more it takes."""
    low, high = 0, MAX_BLOCKS
    while low < high:
        middle = (low + high) // 2
        try:
            check_complexity("a\n\n" * (MAX_BLOCKS - middle) + text)
            high = middle
        except DocumentTooComplex:
            low = middle + 1
    return low


def test_a_save_that_is_too_complex_is_400_before_it_is_parsed(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = make_document(owner)
    monkeypatch.setattr(services, "ensure_markers", lambda *_: pytest.fail("parsed"))
    body = {"base_version": 1, "markdown": "a\n\n" * (MAX_BLOCKS + 1)}
    refused = owner.put(f"/instructions/{document['id']}", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    assert refused.json()["hint"]
    assert owner.get(f"/instructions/{document['id']}").json()["version"] == 1


def test_a_draft_that_is_too_complex_is_400_and_changes_nothing(db: None) -> None:
    job = make_job(JobStatus.GENERATING)
    draft = {"markdown": "- a\n" * (MAX_BLOCKS + 1)}
    refused = send(job, "DRAFT_READY", artifact_updates={"draft": draft})
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    now = Job.objects.get(pk=job.pk)
    assert (now.status, now.instruction_id, now.artifacts.filter(kind="draft").count()) == (
        "GENERATING",
        None,
        0,
    )


def test_a_document_of_5000_blocks_can_be_saved_again_with_a_line_more(owner: Api) -> None:
    """Its markers are 260 KB; they count neither as blocks nor as bytes."""
    document = make_document(owner)
    words = "word " * 38
    text = f"{words}\n\n" * (MAX_BLOCKS - 1)
    first = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": text})
    assert first.status_code == 200, first.content[:300]
    saved: dict[str, Any] = first.json()
    assert len(saved["markdown"].encode()) > 2**20
    again = owner.put(
        f"/instructions/{document['id']}", {"base_version": 2, "markdown": saved["markdown"] + "\nMore.\n"}
    )
    assert again.status_code == 200, again.content[:300]


def test_reading_a_document_parses_nothing(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    document = make_document(owner)
    monkeypatch.setattr("instructions.blocks.read_outline", lambda *_: pytest.fail("parsed"))
    assert owner.get(f"/instructions/{document['id']}").json()["blocks"] == document["blocks"] != []
