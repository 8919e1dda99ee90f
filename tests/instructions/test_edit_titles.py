"""Titles of steps: given in plain text, and what becomes of them when steps are merged."""

from __future__ import annotations

import pytest

from instructions.edits import EditRefused, MergeSteps, SetTitle
from tests.instructions.editing import TEXT, Guide


@pytest.fixture
def guide() -> Guide:
    return Guide(TEXT)


@pytest.mark.parametrize("title", ["Wait (0:30)", "Step 4: Wait", "3. Wait (0:01–0:02)"])
def test_a_title_has_no_number_and_no_times_of_its_own(guide: Guide, title: str) -> None:
    assert "## Step 2: Wait\n" in guide.edit(SetTitle(guide["Type"], title))


@pytest.mark.parametrize("title", ["(0:30)", "Step 4:", "\u200b", "3. (0:01)"])
def test_a_title_of_nothing_else_is_refused(guide: Guide, title: str) -> None:
    with pytest.raises(EditRefused) as refused:
        guide.edit(SetTitle(guide["Type"], title))
    assert (refused.value.field, refused.value.code) == ("title", "blank")


@pytest.mark.parametrize(
    ("heading", "body", "paragraph"),
    [
        ("## Step 2: Press **Save** (0:04–0:06)", "Then it closes.", "Press **Save**\n\n"),
        ("## Step 2: Press Save", "Press Save, please.", "Press Save\n\n"),
        ("## Step 2: Press Save", "- Press Save", "Press Save\n\n"),
        ("## Step 2: See [the page](/x)", "See the page.", "See [the page](/x)\n\n"),
        ("## Step 2: - Item", "Text.", "\\- Item\n\n"),
        ("## Step 2: - [Foo](http://x)", "Text.", "\\- [Foo](http://x)\n\n"),
        ("## Step 2: 1) ![alt](x.png) see", "Text.", "1\\) ![alt](x.png) see\n\n"),
        ("## Step 2: > `rm -rf` & [docs](http://d)", "Text.", "\\> `rm -rf` & [docs](http://d)\n\n"),
        ("## Step 2: # [docs](/d)", "Text.", "\\# [docs](/d)\n\n"),
        ("## Step 2: + \ufefff\u202eoo", "Text.", "\\+ \ufefff\u202eoo\n\n"),
        ("## Step 2: ~~~ x", "Text.", "\\~~~ x\n\n"),
        ("## Step 2: ---", "Text.", "\\---\n\n"),
        ("## Step 2: a <b>c</b>", "Text.", "a <b>c</b>\n\n"),
        (f"## Step 2: {'> ' * 70}x", "Text.", f"\\{'> ' * 70}x\n\n"),
        ("## **Step 2:** Save", "Text.", "Save\n\n"),
        ("## **Step 2: Save** now", "Text.", "**Save** now\n\n"),
        ("## Step 2: **Save (0:05)**", "Text.", "**Save**\n\n"),
        ("## Step 2: [Save (0:05)](/x)", "Text.", "[Save](/x)\n\n"),
        ("## Step 2:", "Text.", ""),
        ("Step 2: Press\nSave\n---", "Text.", "Press Save\n\n"),
        ("## Step 2: ![](x.png)", "Text.", "![](x.png)\n\n"),
    ],
)
def test_the_title_of_a_merged_step_becomes_a_paragraph(heading: str, body: str, paragraph: str) -> None:
    guide = Guide(f"# G\n\n## Step 1: Open\n\nOpen.\n\n{heading}\n\n{body}\n")
    steps = [block for block in guide.blocks() if block.kind == "step"]
    merged = MergeSteps([step.block_id for step in steps])
    assert guide.edit(merged) == f"# G\n\n## Step 1: Open\n\nOpen.\n\n{paragraph}{body}\n"
    if paragraph:
        assert guide[paragraph.strip()] == steps[1].block_id


@pytest.mark.parametrize(
    ("heading", "body"),
    [
        ("## Step 2: Press Save", "Press *Save*!"),
        ("## Step 2: press save (0:04)", "Press\nSave."),
        ("Step 2: Press **Save**\n---", "Press Save"),
    ],
)
def test_a_paragraph_that_says_the_title_takes_its_place_and_its_id(heading: str, body: str) -> None:
    guide = Guide(f"# G\n\n## Step 1: Open\n\nOpen.\n\n{heading}\n\n{body}\n\nThen wait.\n")
    steps = [block.block_id for block in guide.blocks() if block.kind == "step"]
    assert guide.edit(MergeSteps(steps)) == f"# G\n\n## Step 1: Open\n\nOpen.\n\n{body}\n\nThen wait.\n"
    assert f"<!-- block:{steps[1]} -->\n{body}\n" in guide.markdown


@pytest.mark.parametrize("title", ["<!-- hi -->", "<b>", "<div>x</div>", "[a]: /b"])
def test_a_title_that_reads_otherwise_as_a_paragraph_is_not_merged(title: str) -> None:
    guide = Guide(f"# G\n\n## Step 1: Open\n\n## Step 2: {title}\n\nText.\n")
    steps = [block.block_id for block in guide.blocks() if block.kind == "step"]
    with pytest.raises(EditRefused, match="set_title") as refused:
        guide.edit(MergeSteps(steps))
    assert (refused.value.field, refused.value.code) == ("block_ids.1", "title_reads_otherwise")
