"""What each operation on steps makes of a document."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
    apply_operations,
)
from instructions.validation import validate
from tests.instructions.editing import TEXT, UNKNOWN, Guide


@pytest.fixture
def guide() -> Guide:
    return Guide(TEXT)


def test_a_title_is_plain_text_and_keeps_the_number(guide: Guide) -> None:
    step = guide["Open"]
    assert "## Step 1: Press \\*New\\* \\# 1\n" in guide.edit(SetTitle(step, "Press *New* # 1"))
    assert guide["Press *New* # 1"] == step


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("## Step 1: Old", "## Step 1: New"),
        ("## step 1 - **Old** (0:04)", "## step 1 - New"),
        ("## Step 1", "## Step 1: New"),
        ("### 1. Old ###", "### 1. New"),
        ("# 1\\) Old", "# 1) New"),
        ("Step 1: Old\nand older\n---", "## Step 1: New"),
        ("  ## Step 1: Old", "## Step 1: New"),
    ],
)
def test_a_new_title_keeps_form_and_level(before: str, after: str) -> None:
    guide = Guide(f"# Guide\n\n{before}\n\nText.\n")
    step = next(block for block in guide.blocks() if block.kind == "step")
    assert guide.edit(SetTitle(step.block_id, "New")) == f"# Guide\n\n{after}\n\nText.\n"


def test_a_number_in_a_new_title_is_not_taken_over(guide: Guide) -> None:
    assert "## Step 1: Press New\n" in guide.edit(SetTitle(guide["Open"], "Step 7: 3. Press New"))
    assert "## Result of it\n" in guide.edit(SetTitle(guide["Result"], "Step 1: Result of it"))


def test_the_title_of_a_document_can_be_changed_whatever_it_reads() -> None:
    guide = Guide("# 2. Invoices\n\n# 2. Send\n\nText.\n")
    assert guide.edit(SetTitle(guide["2. Invoices"], "Bills")) == "# Bills\n\n# 1. Send\n\nText.\n"


def test_a_block_is_replaced_and_its_first_block_keeps_the_id(guide: Guide) -> None:
    block = guide["Press Save."]
    text = guide.edit(ReplaceBlock(block, f"Press **Save**.\n<!-- block:{guide['Ann']} -->\n- or\n- wait\n"))
    assert "## Step 3: Save\n\nPress **Save**.\n\n- or\n- wait\n\n## Result" in text
    assert guide["**Save**"] == block
    assert guide["wait"] not in {block, guide["Ann"]}


def test_a_step_is_replaced_as_a_whole_at_its_level(guide: Guide) -> None:
    step, name = guide["Type"], guide["Lee"]
    text = guide.edit(
        ReplaceBlock(step, f"# Write\n\nWrite it.\n\n## Hint\n\n<!-- block:{name} -->\nBoth names.\n")
    )
    assert "## Step 2: Write\n\nWrite it.\n\n### Hint\n\nBoth names.\n\n## Step 3: Save" in text
    assert (guide["Write"], guide["Both names."]) == (step, name)


def test_the_text_of_a_step_may_bring_its_number_and_further_steps(guide: Guide) -> None:
    text = guide.edit(ReplaceBlock(guide["Save"], "### 8. Save\n\nNow.\n\n### 9. Wait\n\nLong.\n"))
    assert "## 3. Save\n\nNow.\n\n## 4. Wait\n\nLong.\n\n## Result" in text


def test_a_step_is_inserted_in_the_form_of_its_neighbour(guide: Guide) -> None:
    text = guide.edit(
        InsertStep(guide["First name"], "Middle *name*", "Bo\n\n# Hint\n\n## More", (1000, 2000)),
        InsertStep(None, "Start"),
    )
    assert "Intro.\n\n## Step 1: Start\n\n## Step 2: Open (0:00–0:02)\n" in text
    inserted = "### Step 2: Middle \\*name\\*\n\nBo\n\n#### Hint\n\n##### More\n\n### Step 3: Last name\n"
    assert f"Ann\n\n{inserted}" in text
    assert guide.spans == {guide["Middle *name*"]: (1000, 2000)}


def test_a_first_step_comes_to_the_end_of_the_document() -> None:
    assert Guide("").edit(InsertStep(None, "Go")) == "## Step 1: Go\n"
    guide = Guide("# Guide\n\nSee [a].\n\n[a]: /x\n")
    assert guide.edit(InsertStep(None, "Go")) == "# Guide\n\nSee [a].\n\n## Step 1: Go\n\n[a]: /x\n"


def test_a_span_of_a_step_that_went_again_is_not_kept(guide: Guide) -> None:
    ids = iter([UNKNOWN])
    operations = [InsertStep(None, "Start", "", (0, 1)), DeleteStep(UNKNOWN)]
    assert apply_operations(guide.markdown, operations, lambda: next(ids)).spans == {}


def test_a_step_is_deleted_with_all_that_lies_in_it(guide: Guide) -> None:
    text = guide.edit(DeleteStep(guide["Type"]))
    assert "Open the page.\n\n## Step 2: Save\n" in text
    assert "name" not in text


def test_definitions_of_links_outlive_their_step_while_text_uses_them() -> None:
    guide = Guide(
        "# Guide\n\nSee [A  b], [x][c].\n\n## Step 1: One\n\n[a B]: /ab 'T'\n[unused]: /u\n\n"
        '> Quoted.\n>\n> [c]: /c "say \\"so\\""\n\n## Step 2: Two\n\nText.\n'
    )
    assert guide.edit(DeleteStep(guide["One"])) == (
        "# Guide\n\nSee [A  b], [x][c].\n\n[a B]: /ab 'T'\n"
        '[C]: </c> "say \\"so\\""\n\n## Step 1: Two\n\nText.\n'
    )


def test_a_definition_that_is_overruled_or_used_no_more_goes_with_its_step() -> None:
    guide = Guide(
        "# Guide\n\n[a]: /1\n\n## Step 1: One\n\n[a]: /2\n[b]: /3\n\n## Step 2: Two\n\nSee [a] and [b].\n"
    )
    text = guide.edit(DeleteStep(guide["One"]), ReplaceBlock(guide["See [a] and [b]."], "See [a].\n"))
    assert text == "# Guide\n\n[a]: /1\n\n## Step 1: Two\n\nSee [a].\n"


def test_a_step_is_moved_and_takes_the_level_of_its_new_neighbour(guide: Guide) -> None:
    text = guide.edit(MoveStep(guide["Type"], guide["Save"]), MoveStep(guide["Open"], guide["Last name"]))
    assert text == (
        "# Guide\n\nIntro.\n\n## Step 1: Save\n\nPress Save.\n\n## Step 2: Type\n\nType the name.\n\n"
        "### Step 1: First name\n\nAnn\n\n### Step 2: Last name\n\nLee\n\n"
        "### Step 3: Open (0:00–0:02)\n\nOpen the page.\n\n## Result\n\nDone.\n"
    )
    text = guide.edit(MoveStep(guide["First name"], None))
    assert "Intro.\n\n## Step 1: First name\n\nAnn\n\n## Step 2: Save\n" in text


def test_headings_in_a_moved_step_move_down_and_up_with_it() -> None:
    guide = Guide("# G\n\n#### 1. Deep\n\n# 1. Top\n\nHalf [x]\nway #\n---\n\n   ### Low ###\n\n[x]: /y\n")
    down = guide.edit(MoveStep(guide["Top"], guide["Deep"]))
    assert down == (
        "# G\n\n#### 1. Deep\n\n#### 2. Top\n\n##### Half [x] way # #\n\n   ###### Low ###\n\n[x]: /y\n"
    )
    guide = Guide("# G\n\n# 1. Top\n\nText\n\n## 1. Sub\n\n#### Low\n")
    assert (
        guide.edit(MoveStep(guide["Sub"], guide["Top"])) == "# G\n\n# 1. Top\n\nText\n\n# 2. Sub\n\n### Low\n"
    )


def test_a_step_that_is_where_it_should_be_stays(guide: Guide) -> None:
    before = guide.markdown
    guide.edit(MoveStep(guide["Open"], None), MoveStep(guide["Type"], guide["Open"]))
    assert guide.markdown == before


def test_definitions_of_links_stay_when_steps_move() -> None:
    guide = Guide("# G\n\n## 1. One\n\n[a]\n\n[a]: /1\n\n## 2. Two\n\n[a]: /2\n")
    assert (
        guide.edit(MoveStep(guide["Two"], None))
        == "# G\n\n## 1. Two\n\n## 2. One\n\n[a]\n\n[a]: /1\n[a]: /2\n"
    )


def test_merged_steps_keep_what_they_say(guide: Guide) -> None:
    first, title = guide["Open"], guide["Save"]
    text = guide.edit(MergeSteps([first, guide["Type"], guide["Save"]]))
    assert text == (
        "# Guide\n\nIntro.\n\n## Step 1: Open (0:00–0:02)\n\nOpen the page.\n\nType\n\nType the name.\n\n"
        "### Step 1: First name\n\nAnn\n\n### Step 2: Last name\n\nLee\n\nSave\n\nPress Save.\n\n## Result\n\nDone.\n"
    )
    assert guide["Open"] == first
    assert guide.markdown.count(f"<!-- block:{title} -->\nSave\n") == 1, "what is anchored to it stays"


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("###### 1. Deep\n", lambda guide: InsertStep(guide["Deep"], "New", "## Inside\n")),
        ("## 1. Deep\n", lambda guide: InsertStep(guide["Deep"], "New", "# A\n\n##### B\n\n###### C\n")),
        (
            "###### 1. Deep\n\n##### 1. Top\n\n###### 1. Sub\n",
            lambda guide: MoveStep(guide["Top"], guide["Deep"]),
        ),
        ("###### 1. Deep\n", lambda guide: ReplaceBlock(guide["Deep"], "# New\n\n## Inside\n")),
    ],
)
def test_no_heading_is_put_below_the_deepest_level(
    text: str, operation: Callable[[Guide], Operation]
) -> None:
    guide = Guide(f"# G\n\n{text}")
    with pytest.raises(EditRefused) as refused:
        guide.edit(operation(guide))
    assert refused.value.code == "heading_level"


def test_a_first_step_begins_an_empty_document() -> None:
    assert Guide("\n\n").edit(InsertStep(None, "Go")) == "## Step 1: Go\n"


def test_a_document_of_more_steps_than_have_numbers_can_be_edited() -> None:
    guide = Guide("# G\n\n" + "## 1. Go\n\n" * 1001)
    first = next(block.block_id for block in guide.blocks() if block.kind == "step")
    assert "## 1. Run\n\n## 2. Go\n" in guide.edit(SetTitle(first, "Run"))
    with pytest.raises(EditRefused) as refused:
        guide.edit(InsertStep(first, "More"))
    assert refused.value.code == "too_many_steps"


def test_a_definition_is_kept_for_a_label_on_two_lines_of_a_quotation() -> None:
    guide = Guide("# G\n\n## 1. One\n\n[foo bar]: /x\n\n## 2. Two\n\n> see [foo\n> bar]\n")
    assert "[foo bar]: /x" in guide.edit(DeleteStep(guide["One"]))


def test_a_step_is_split_before_a_block_that_lies_in_it(guide: Guide) -> None:
    text = guide.edit(
        SplitStep(guide["Type"], guide["First name"], "Names"),
        SplitStep(guide["Save"], guide["Press Save."], "Store"),
    )
    assert "Type the name.\n\n## Step 3: Names\n\n### Step 1: First name\n" in text
    assert "## Step 4: Save\n\n## Step 5: Store\n\nPress Save.\n" in text


def test_numbers_are_counted_anew_and_nothing_else_changes() -> None:
    first = "# 7. Guide\n\n##  Step 07 – `a` 8 ##\n\nA\n\n"
    others = (
        "Step 3\n: b\n---\n\nB\n\n## **Step 5:** c 5\n\n### [9)][r] d\n\n### Step&#32;4 e\n\n## 1\\. f\n\n"
        "[r]: /9\n\n## Notes 4\n\n### 2. Last\n"
    )
    guide = Guide(first + others)
    numbered = others.replace("Step 3", "Step 2").replace("Step 5", "Step 3").replace("[9)]", "[1)]")
    numbered = numbered.replace(";4 e", ";2 e").replace("1\\. f", "4\\. f").replace("2. Last", "5. Last")
    assert guide.edit(SetTitle(guide["Notes 4"], "Notes 4")) == first.replace("07", "1") + numbered
    assert "STEP_OUT_OF_SEQUENCE" not in {issue.code for issue in validate(guide.markdown)}


def test_a_number_that_marks_take_apart_stays_as_it_is() -> None:
    guide = Guide("# G\n\n## Step 1**2**: a\n\n## Step 5: b\n\n## Step &#52;: c\n")
    assert (
        guide.edit(SetTitle(guide["b"], "B"))
        == "# G\n\n## Step 1**2**: a\n\n## Step 2: B\n\n## Step &#52;: c\n"
    )


ENDS = {
    "fence": ("```\ncode", "```\ncode\n```"),
    "longer fence": ("~~~~ py\n~~~\ncode", "~~~~ py\n~~~\ncode\n~~~~"),
    "empty fence": ("```", "```\n```"),
    "closed fence": ("```\ncode\n````", "```\ncode\n````"),
    "fence in a list": ("- a\n  ```\n  code", "- a\n  ```\n  code"),
    "html": ("<div>\n</div>", "<div>\n</div>"),
    "list": ("- a\n\n  b", "- a\n\n  b"),
    "indented code": ("    a\n\n    b", "    a\n\n    b"),
    "quotation": ("> a\nlazy", "> a\nlazy"),
    "table": ("| a |\n|---|\n| b |", "| a |\n|---|\n| b |"),
    "definition": ("Text [r].\n\n[r]: /x\n'title'", "Text [r].\n\n[r]: /x\n'title'"),
    "comment": ("<!-- a\n\nb -->", "<!-- a\n\nb -->"),
}


@pytest.mark.parametrize(("end", "closed"), ENDS.values(), ids=ENDS)
def test_a_step_from_the_end_swallows_nothing_at_its_new_place(end: str, closed: str) -> None:
    guide = Guide(f"# G\n\n## 1. One\n\n    indented\n\nText\n\n## 2. Two\n\n{end}\n")
    before = [block.block_id for block in guide.blocks()]
    text = guide.edit(MoveStep(guide["Two"], None), ReplaceBlock(guide["Text"], "- x\n"))
    assert {block.block_id for block in guide.blocks()} == set(before)
    definition = "\n\n[r]: /x\n'title'" if "[r]:" in end else ""  # which stays where it was
    moved = closed.removesuffix(definition)
    assert text == f"# G\n\n## 1. Two\n\n{moved}\n\n## 2. One\n\n    indented\n\n- x{definition}\n"


def test_each_operation_works_on_what_the_one_before_left(guide: Guide) -> None:
    text = guide.edit(
        MoveStep(guide["Save"], guide["Open"]),
        MergeSteps([guide["Open"], guide["Save"]]),
        SetTitle(guide["Open"], "Open and save"),
        SplitStep(guide["Open"], guide["Press Save."], "Save it"),
        DeleteStep(guide["Type"]),
    )
    assert text == (
        "# Guide\n\nIntro.\n\n## Step 1: Open and save\n\nOpen the page.\n\nSave\n\n## Step 2: Save it\n\n"
        "Press Save.\n\n## Result\n\nDone.\n"
    )


def test_merged_steps_of_one_title_each_leave_it() -> None:
    """What is looked up is what a step says itself, not what became of the titles below it."""
    guide = Guide("# G\n\n## Step 1: Wait\n\n## Step 2: Wait\n\n## Step 3: Wait\n")
    steps = [block.block_id for block in guide.blocks()[1:]]
    assert guide.edit(MergeSteps(steps)) == "# G\n\n## Step 1: Wait\n\nWait\n\nWait\n"
