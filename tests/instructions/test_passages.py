"""Passages: what a selection names, and what may stand in its place."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from instructions.blocks import ensure_markers, parse_blocks
from instructions.language_models.calls import estimated_tokens
from instructions.language_models.installed import profiles
from instructions.passages import (
    MAX_PASSAGE,
    MAX_WORDS,
    Passage,
    ReplacementInvalid,
    SelectionInvalid,
    find_passage,
    replace_passage,
)
from tests.instructions.markers import A, marked

GUIDE = marked(
    "# Guide\n\nWhat it is for.\n\n## Step 1: Open it\n\nSo we open the file.\n\n- one\n- two\n\n"
    "### Notes\n\nLook here.\n\n## Step 2: Close it\n\nWe close [it][r].\n\n[r]: /x\n"
)
TITLES = {block.title: block for block in parse_blocks(GUIDE) if block.title}
FIRST, SECOND = TITLES["Open it"], TITLES["Close it"]


def find(markdown: str, **selection: Any) -> Passage:
    return find_passage(markdown, parse_blocks(markdown), selection)


def select(markdown: str, text: str) -> Passage:
    """Return the one place where this text stands."""
    assert markdown.count(text) == 1
    start = markdown.index(text)
    return find(markdown, char_range={"start_offset": start, "end_offset": start + len(text)})


def finished(markdown: str, *, first_id: int = 5000) -> str:
    """Return the text with its markers completed, as it is saved."""
    new = itertools.count(first_id)
    return ensure_markers(markdown, lambda: str(uuid.UUID(int=next(new))))


def replace(markdown: str, passage: Passage, words: str) -> str:
    return finished(replace_passage(markdown, passage, words))


def ids(markdown: str) -> list[str]:
    return [block.block_id for block in parse_blocks(markdown)]


def test_the_passage_of_a_step_is_the_whole_step_and_of_a_block_the_block() -> None:
    step = find(GUIDE, block_id=FIRST.block_id).text_in(GUIDE)
    assert step.startswith("## Step 1: Open it\n") and step.endswith("Look here.")
    paragraph = next(block for block in parse_blocks(GUIDE) if block.kind == "paragraph")
    assert find(GUIDE, block_id=paragraph.block_id).text_in(GUIDE) == "What it is for."
    assert find(GUIDE, block_id=TITLES["Notes"].block_id).text_in(GUIDE) == "### Notes"


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ((5, 5), "out_of_range"),
        ((9, 5), "out_of_range"),
        ((0, len(GUIDE) + 1), "out_of_range"),
        ((3, 60), "cuts_marker"),
        ((0, 5), "cuts_marker"),
        ((0, GUIDE.index("# Guide")), "no_text"),
    ],
)
def test_a_range_that_is_no_passage_is_refused(places: tuple[int, int], code: str) -> None:
    with pytest.raises(SelectionInvalid) as refused:
        find(GUIDE, char_range={"start_offset": places[0], "end_offset": places[1]})
    assert (refused.value.field, refused.value.code) == ("char_range", code)


def test_a_block_that_is_not_there_is_refused() -> None:
    with pytest.raises(SelectionInvalid) as refused:
        find(GUIDE, block_id=A)
    assert (refused.value.field, refused.value.code) == ("block_id", "not_found")


@pytest.mark.parametrize("letter", ["e", "é", "点"])
def test_a_passage_has_at_most_so_many_bytes(letter: str) -> None:
    text = marked(letter * (MAX_PASSAGE // len(letter.encode())) + "\n\nb")
    assert len(find(text, block_id=ids(text)[0]).text_in(text).encode()) == MAX_PASSAGE
    with pytest.raises(SelectionInvalid, match="10,500 bytes") as refused:
        find(text, char_range={"start_offset": text.index(letter * 9), "end_offset": len(text)})
    assert refused.value.code == "too_long"


def test_every_model_takes_the_longest_passage() -> None:
    chats = [profile for profile in profiles().values() if profile.window_tokens]
    assert chats
    for profile in chats:
        assert estimated_tokens("e" * MAX_PASSAGE) <= min(profile.window_tokens, profile.max_tokens)


def test_a_range_of_code_that_takes_long_to_parse_alone_is_refused() -> None:
    text = marked("```\n" + ("> " * 60 + "a\n" + "b\n" * 2500) * 2 + "```\n")
    started = time.process_time()
    with pytest.raises(SelectionInvalid) as refused:
        find(text, char_range={"start_offset": text.index("> "), "end_offset": text.rindex("```")})
    assert refused.value.code == "too_complex"
    assert time.process_time() - started < 5  # 0.3 s on the machine it was written on


def test_new_words_take_the_place_of_the_old_ones_and_of_nothing_else() -> None:
    passage = select(GUIDE, "So we open the file.")
    changed = replace(GUIDE, passage, "\n Open the **file**. \n\n")
    assert changed == GUIDE.replace("So we open the file.", "Open the **file**.")


def test_the_white_space_around_a_passage_stays() -> None:
    passage = select(GUIDE, " open the ")
    assert replace(GUIDE, passage, "choose a") == GUIDE.replace(" open the ", " choose a ")


def test_the_blocks_of_a_step_keep_their_markers() -> None:
    passage = find(GUIDE, block_id=FIRST.block_id)
    words = passage.text_in(GUIDE).replace("So we open", "Open").replace("- two", "- three")
    assert ids(replace(GUIDE, passage, words)) == ids(GUIDE)


def test_blocks_whose_markers_were_left_out_get_them_by_their_place() -> None:
    passage = find(GUIDE, block_id=FIRST.block_id)
    lines = [line for line in passage.text_in(GUIDE).split("\n") if "block:" not in line]
    assert ids(replace(GUIDE, passage, "\n".join(lines))) == ids(GUIDE)


def test_where_blocks_were_merged_those_around_keep_their_ids() -> None:
    passage = find(GUIDE, block_id=FIRST.block_id)
    words = "## Step 1: Open it\n\nOpen the file: one, two.\n\n### Notes\n\nLook here."
    changed = replace(GUIDE, passage, words)
    kept = [block_id for block_id in ids(changed) if block_id in ids(GUIDE)]
    assert len(ids(changed)) == len(ids(GUIDE)) - 1 and FIRST.block_id in kept
    assert kept == [block_id for block_id in ids(GUIDE) if block_id in kept]


@pytest.mark.parametrize("place", ["", "\n\n"])
def test_markers_of_other_blocks_in_the_new_words_give_no_id(place: str) -> None:
    foreign = f"<!-- block:{SECOND.block_id} -->\n"
    passage = select(GUIDE, "So we open the file.")
    words = f"{foreign}Open the file.{place}{foreign if place else ''}Then look."
    changed = replace(GUIDE, passage, words)
    assert changed.count(SECOND.block_id) == 1
    assert changed.index(SECOND.block_id) > changed.index("### Notes")
    kept = [block_id for block_id in ids(changed) if block_id in ids(GUIDE)]
    assert kept == ids(GUIDE), "also the block that is rewritten, though the words begin with a marker"


def test_a_marker_in_a_code_block_stays_text() -> None:
    text = marked(f"```\n<!-- block:{A} -->\n```\n\nSo we wait.\n")
    passage = find(text, block_id=ids(text)[0])
    assert replace(text, passage, passage.text_in(text)) == text
    words = f"```\n<!-- block:{ids(text)[1]} -->\n```"
    assert replace(text, passage, words).count(ids(text)[1]) == 1


@pytest.mark.parametrize(
    "words",
    [
        "",
        " \n\n",
        f"<!-- block:{A} -->",
        "a\0b",
        "a\ud800b",
        "a" * (MAX_WORDS + 1),
        "```\nleft open",
        "<!-- left open",
        "<pre>left open",
        "# A title",
        "Well.\n\n## Step 9: More",
        "Well\n===",
        "- a list",
        "<div>html</div>",
        "Well.\n\n[q]: http://elsewhere",
        "> " * 70 + "deep",
        "a\n\n" * 6000,
    ],
)
def test_words_that_would_change_more_than_the_passage_are_refused(words: str) -> None:
    with pytest.raises(ReplacementInvalid):
        replace_passage(GUIDE, select(GUIDE, "So we open the file."), words)


@pytest.mark.parametrize(
    "words",
    [
        "Open it.",
        "### Step 1: Open it",
        "## Open it\n\nSo.\n\n### Notes",
        "## Step 1: Open it\n\n### Notes\n\n## Step 2: Again",
    ],
)
def test_a_step_stays_one_step_with_its_headings(words: str) -> None:
    with pytest.raises(ReplacementInvalid, match="structure"):
        replace_passage(GUIDE, find(GUIDE, block_id=FIRST.block_id), words)


def test_a_link_definition_inside_of_a_step_is_not_lost() -> None:
    text = GUIDE.replace("[r]: /x\n", "").replace("- two\n", "- two\n\n[r]: /x\n")
    passage = find(text, block_id=FIRST.block_id)
    with pytest.raises(ReplacementInvalid, match="around"):
        replace_passage(text, passage, passage.text_in(text).replace("[r]: /x", ""))


LINES = st.sampled_from(
    f"""# Title
## Step 1: Open (0:01–0:02)
## Step 2: Close
### More
===
---
Some words.
  and more, é 😀
    code
- item
  - inner
1. one
> quote
```
~~~
| a | b |
|---|---|
[r]: /x
[r]
<div>
</div>
<!-- note -->
<!--
-->
<pre>
\t
  
a\\
<!-- block:{A} -->
  <!-- block:{uuid.UUID(int=1)} -->
<!-- block:{uuid.UUID(int=2)} -->
<!-- block:{uuid.UUID(int=3)} -->
<!-- block:bad -->
""".split("\n")
)
TEXTS = st.lists(LINES, max_size=10).map("\n".join)


@settings(max_examples=600, deadline=None)
@given(text=TEXTS, data=st.data())
def test_whatever_the_new_words_are_the_text_around_them_is_as_it_was(text: str, data: st.DataObject) -> None:
    markdown = finished(text, first_id=1000)
    blocks = parse_blocks(markdown)
    places = st.integers(0, len(markdown))
    ranges = st.fixed_dictionaries({"start_offset": places, "end_offset": places})
    selections = st.fixed_dictionaries({"char_range": ranges})
    if blocks:
        named = st.sampled_from(blocks).map(lambda block: {"block_id": block.block_id})
        selections = named | selections
    try:
        passage = find_passage(markdown, blocks, data.draw(selections))
        lines = st.sampled_from(passage.text_in(markdown).split("\n")) | LINES
        words = "\n".join(data.draw(st.lists(lines, max_size=8)))
        changed = replace(markdown, passage, words)
    except (SelectionInvalid, ReplacementInvalid):
        event("refused")
        return
    before, after = markdown[: passage.start], markdown[passage.end :]
    assert changed.startswith(before) and changed.endswith(after)
    assert len(ids(changed)) == len(set(ids(changed)))
    outside = [block for block in blocks if f"block:{block.block_id} " in before + after]
    assert {block.block_id for block in outside} <= set(ids(changed))
    kinds = {block.block_id: (block.kind, block.level) for block in parse_blocks(changed)}
    for block in outside:
        if block.start_offset >= passage.end or block.end_offset <= passage.start:
            assert kinds[block.block_id] == (block.kind, block.level)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
@example(text="a\n- b\n\n\n- c\n[r]: /x")
def test_the_same_words_give_the_same_text(text: str) -> None:
    markdown = finished(text, first_id=1000)
    for block in parse_blocks(markdown):
        passage = find(markdown, block_id=block.block_id)
        assert replace(markdown, passage, passage.text_in(markdown)) == markdown
