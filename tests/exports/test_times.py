"""The times that an export prints: those that the document has beside its text, in the headings of its steps."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.models import Export
from exports.renderers import RENDERERS
from exports.renderers.times import with_times
from exports.snapshot import Document
from instructions.blocks import parse_blocks
from jobs.states import JobStatus
from tests.desk import Desk
from tests.exports.asking import done
from tests.exports.documents import GUIDE, make_document, sample, with_markers
from tests.exports.pdf_reading import words
from tests.factories import Api

FIRST = str(uuid.UUID(int=1))
SPAN = (65_400, 69_900)


def step_ids(markdown: str) -> list[str]:
    return [block.block_id for block in parse_blocks(markdown) if block.kind == "step"]


def spans_of(markdown: str) -> dict[str, tuple[int, int | None]]:
    """The spans that stand in the headings."""
    blocks = parse_blocks(markdown)
    return {block.block_id: (block.start_ms, block.end_ms) for block in blocks if block.start_ms is not None}


@pytest.mark.parametrize(
    ("heading", "printed"),
    [
        ("## Step 1: Go", "## Step 1: Go (1:05–1:09)"),
        ("## Step 1:", "## Step 1: (1:05–1:09)"),
        ("### 1. *Go* to `it`  ", "### 1. *Go* to `it` (1:05–1:09)"),
        ("## Step 1: Go ##  ", "## Step 1: Go (1:05–1:09) ##"),
        ("## Step 1: Learn C#", "## Step 1: Learn C# (1:05–1:09)"),
        ("## Step 1: \\#", "## Step 1: \\# (1:05–1:09)"),
        ("Step 1:\nGo \n---", "Step 1:\nGo (1:05–1:09)\n---"),
        ("## Step 1: Go (1:05–1:09)", "## Step 1: Go (1:05–1:09)"),
        ("## Step 1: Go ( 01:05.4 - 0:01:09 ) ", "## Step 1: Go ( 01:05.4 - 0:01:09 ) "),
        ("## Step 1: Go (0:02) ##", "## Step 1: Go (1:05–1:09) ##"),
        ("## Step 1: Go (0:02 - 0:03)", "## Step 1: Go (1:05–1:09)"),
        ("## Step 1: **Go (0:02)**", "## Step 1: **Go** (1:05–1:09)"),
        ("## Step 1: [Go (0:02)](/x) #", "## Step 1: [Go](/x) (1:05–1:09) #"),
        ("## Step 1: Go (0:02) <!-- c -->", "## Step 1: Go <!-- c --> (1:05–1:09)"),
        ("Step 1:\nGo *(0:02)*\n---", "Step 1:\nGo (1:05–1:09)\n---"),
        ("## Go", "## Go"),
    ],
)
def test_times_stand_at_the_end_of_a_heading(heading: str, printed: str) -> None:
    text, expected = with_markers(f"# T\n\n{heading}\n\nGo.\n"), with_markers(f"# T\n\n{printed}\n\nGo.\n")
    assert with_times(text, {str(uuid.UUID(int=2)): SPAN}) == expected


def test_steps_without_a_span_stay_as_they_are() -> None:
    text = with_markers(GUIDE)
    assert with_times(text, {}) == with_times(text, {FIRST: SPAN}) == text
    first, second, third = step_ids(text)
    assert spans_of(with_times(text, {second: SPAN})) == {**spans_of(text), second: (65_000, 69_000)}


HEADINGS = st.text(alphabet="ab#\\`*_[]()<>&;:!~|-+= \t.:0159–", max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["## {}", "## {} ##", "{}\n==="]), HEADINGS), max_size=4))
def test_whatever_the_headings_the_times_are_read_and_nothing_else_changes(
    headings: list[tuple[str, str]],
) -> None:
    parts = [form.format(f"Step {number}: {title}") for number, (form, title) in enumerate(headings, 1)]
    text = with_markers("# T\n\n" + "\n\nText.\n\n".join(parts))
    spans = dict.fromkeys(step_ids(text), SPAN)
    printed = with_times(text, spans)
    assert spans_of(printed) == {block_id: (65_000, 69_000) for block_id in spans}
    assert with_times(printed, spans) == printed
    for before, after in zip(parse_blocks(text), parse_blocks(printed), strict=True):
        assert (before.block_id, before.kind, before.number) == (after.block_id, after.kind, after.number)
        assert (after.title or "").startswith(before.title or "")
        if before.kind != "step":
            old = text[before.start_offset : before.end_offset]
            assert printed[after.start_offset : after.end_offset] == old


@pytest.mark.slow
@pytest.mark.parametrize("format", RENDERERS)
def test_times_beside_the_text_print_the_same_bytes_as_in_its_headings(format: str) -> None:
    """What is exported before and after times moved out of the headings is the same."""
    document, read = sample()
    bare = re.sub(r" \(\d+:\d\d–\d+:\d\d\)", "", document.markdown)
    spans = {
        block_id: (start + 900, (end or 0) + 99)
        for block_id, (start, end) in spans_of(document.markdown).items()
    }
    moved, _ = make_document(bare, spans=spans)
    moved = Document(**{**vars(moved), "pictures": document.pictures})
    assert bare != document.markdown and len(spans) == 3
    before, after = (RENDERERS[format].render(each, read).content for each in (document, moved))
    assert before == after


@pytest.mark.parametrize("damage", [{"spans": []}, {"spans": {"a": 1}}, {"spans": None}])
def test_spans_of_another_shape_are_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="this snapshot"):
        Document.from_json({**sample()[0].to_json(), **damage})


def test_a_snapshot_holds_the_spans_and_one_from_before_has_none() -> None:
    document, _ = make_document(spans={FIRST: SPAN, "other": (1, None)})
    stored = json.loads(json.dumps(document.to_json()))
    assert Document.from_json(stored) == document
    del stored["spans"]
    assert Document.from_json(stored) == make_document()[0]


def exported(desk: Desk, format: str) -> tuple[Export, bytes]:
    export = done(desk, format)
    path = export["download_url"].split("/api/v1", 1)[1]
    return Export.objects.get(pk=export["id"]), b"".join(desk.api.get(path).streaming_content)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_step_that_was_renamed_is_exported_with_its_times(owner: Api) -> None:
    desk = Desk(owner, JobStatus.DRAFT_READY)
    renamed = desk.document["markdown"].replace("Click New (0:00–0:02)", "Start").replace("(0:02–0:04)", "")
    saved = owner.put(f"/instructions/{desk.document['id']}", {"base_version": 1, "markdown": renamed}).json()
    desk.version_id = saved["instruction_version_id"]
    first, second = (block["block_id"] for block in saved["blocks"] if block["kind"] == "step")
    export, content = exported(desk, "MD_ZIP")
    assert export.snapshot["spans"] == {first: [0, 2000], second: [2000, 4000]}
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        text = bundle.read("instruction.md").decode()
    assert "## Step 1: Start (0:00–0:02)\n" in text and "## Step 2: Type the name (0:02–0:04)\n" in text
    for shown in (words(exported(desk, "PDF")[1]), exported(desk, "HTML")[1].decode()):
        assert "0:00–0:02" in shown and "0:02–0:04" in shown
