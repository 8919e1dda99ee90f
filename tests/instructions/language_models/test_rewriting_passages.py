"""A passage of any document that a model repeats, or puts in other words: its blocks keep their ids."""

from __future__ import annotations

import re

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from instructions.blocks import MARKER, parse_blocks
from instructions.language_models.checks.drafts import AnswerInvalid
from instructions.language_models.checks.rewritings import check_rewriting, with_markers_of, without_markers
from instructions.passages import ReplacementInvalid, SelectionInvalid, find_passage, replace_passage
from tests.instructions.markers import TEXTS_THAT_JOIN, marked

_BLOCKS = (
    *(
        "# A title",
        "## Step 1: Open the page (0:01–0:02)",
        "Open the page and choose.",
        "text\n- with a list",
    ),
    *("- one option\n- another option", "* an option\n\n* with more", "1. first\n2. second", "1) other"),
    *("> a quotation\n> of two lines", "| a | b |\n| --- | --- |\n| c | d |", "```sh\ngit status\n```"),
    *("    indented code", "![a picture](a.png)", "<div>some HTML</div>", "<!-- -->", "---", "[r]: /x"),
    *("- item\n\n  ```\n  code\n  ```", "Some [link][r] in it.\\\nAnd a line."),
)
_DOCUMENTS = st.one_of(
    st.lists(st.sampled_from(_BLOCKS), min_size=1, max_size=8).map("\n\n".join), TEXTS_THAT_JOIN
)
_STEP_OF_LISTS = "## Step 1: Choose\n\nOpen the page and choose.\n\n- one option\n\n* another option\n"


def rewritten(passage: str, answer: str) -> str:
    return with_markers_of(passage, check_rewriting(answer, without_markers(passage)))


@settings(max_examples=300, deadline=None)
@given(_DOCUMENTS, st.data())
@example(_STEP_OF_LISTS, None)
@example("text\n- a list\n", None)
def test_a_document_whose_passage_is_repeated_stays_as_it_is(text: str, data: st.DataObject | None) -> None:
    document = marked(text)
    blocks = parse_blocks(document)
    selections: list[dict[str, object]] = [{"block_id": block.block_id} for block in blocks]
    if data:
        inside = {
            at for marker in MARKER.finditer(document) for at in range(marker.start() + 1, marker.end())
        }
        outside = st.sampled_from([at for at in range(len(document) + 1) if at not in inside])
        ends = [data.draw(outside) for _ in range(2)]
        selections.append({"char_range": {"start_offset": min(ends), "end_offset": max(ends)}})
    for selection in selections:
        try:
            passage = find_passage(document, blocks, selection)
            words = passage.text_in(document)
            words = rewritten(words, without_markers(words))
            assert replace_passage(document, passage, words) == document
            event("unchanged")
        except (SelectionInvalid, AnswerInvalid) as error:
            event(type(error).__name__)


@settings(max_examples=300, deadline=None)
@given(_DOCUMENTS)
@example(_STEP_OF_LISTS)
def test_blocks_in_other_words_keep_their_ids(text: str) -> None:
    document = marked(text)
    blocks = parse_blocks(document)
    for block in blocks:
        passage = find_passage(document, blocks, {"block_id": block.block_id})
        words = passage.text_in(document)
        try:
            answer = re.sub(r"\bo(ption|pen|f|ne)\b", r"O\1", without_markers(words))
            changed = replace_passage(document, passage, rewritten(words, answer))
        except (AnswerInvalid, ReplacementInvalid) as error:
            event(type(error).__name__)
            continue
        event("changed" if changed != document else "unchanged")
        assert [(each.block_id, each.kind) for each in parse_blocks(changed)] == [
            (each.block_id, each.kind) for each in blocks
        ]


def test_a_step_with_two_lists_is_put_in_other_words() -> None:
    document = marked(_STEP_OF_LISTS)
    assert without_markers(document).count("<!-- -->") == 1
    words = rewritten(document, without_markers(document).replace("Open", "Now open"))
    assert words == document.replace("Open", "Now open")


def test_an_answer_with_too_few_blocks_for_the_ids_is_refused() -> None:
    with pytest.raises(AnswerInvalid):
        with_markers_of(marked("One.\n\nTwo.\n"), "One.")
