"""Any sequence of step edits beside the same made by hand, and on documents whose parts would join one another."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions import edits
from instructions.block import Block
from instructions.blocks import ensure_markers, parse_blocks
from instructions.services.versions import prepare_text
from instructions.validation import validate
from tests.instructions.by_hand import FIRST_NEW_ID, ByHand, Impossible, Part
from tests.instructions.markers import TEXTS_THAT_JOIN, marked

WORDS = st.sampled_from(["Open", "press", "Save", "the page", "New", "name"])
TITLES = st.lists(WORDS, min_size=1, max_size=2).map(" ".join)
LABELS = st.sampled_from(["one", "two"])
MARKER = re.compile(r"<!-- block:([0-9a-f-]{36}) -->\n")


def new_ids() -> Callable[[], str]:
    ids = itertools.count(FIRST_NEW_ID)
    return lambda: str(uuid.UUID(int=next(ids)))


def block_of(text: str) -> st.SearchStrategy[Part]:
    """Blocks of a text with two titles in it."""
    return st.builds(
        lambda words: Part("", text.format(*words)),
        st.lists(TITLES, min_size=2, max_size=2),
    )


@st.composite
def headings(draw: st.DrawFn) -> Part:
    level = draw(st.integers(1, 4))
    form = draw(st.sampled_from(["", "Step 4:", "Step 4:", "12.", "step 7 -"]))
    title = draw(TITLES)
    words = f"{form} {title}".strip()
    style = draw(st.sampled_from(["{marks} {words}", "{marks} {words} ##", "{words}\n{line}"]))
    if level > 2 or form == "12.":
        style = style.replace("{words}\n{line}", "{marks} {words}")
    text = style.format(marks="#" * level, words=words, line="=-"[level - 1 : level] * 3)
    return Part("", text, level, form, title)


BODIES = st.one_of(
    TITLES.map(lambda words: Part("", f"{words}.")),
    block_of("{0}\nand {1}"),
    block_of("- {0}\n- {1}"),
    block_of("> {0}\nlazy {1}"),
    block_of("    {0}\n\n    {1}"),
    block_of("~~~\n{0}\n\n# {1}\n~~~"),
    block_of("<div>{0}\n{1}</div>"),
    block_of("| {0} | {1} |\n|---|---|"),
    st.builds(lambda label: Part("", f"See [{label}] now."), LABELS),
    st.builds(lambda label, at: Part("", f"[{label}]: /{at}", label=label), LABELS, st.integers(0, 9)),
)
OPEN = Part("", "```\nopen")  # a fence that goes on to the end of the text
PARTS = st.lists(headings() | BODIES, max_size=12)
DOCUMENTS = st.builds(
    lambda parts, step, more, end: [*parts, step, *more, *end],
    PARTS,
    headings().filter(lambda part: bool(part.form) and part.level > 1),
    PARTS,
    st.sampled_from([[], [OPEN]]),
)


def written(parts: Sequence[Part]) -> str:
    """Markdown that keeps the parts apart by markers, without ids for new ones."""
    return "\n\n".join(
        part.text if part.label else f"<!-- block:{part.id or 'new'} -->\n{part.text}" for part in parts
    )


def read(markdown: str) -> list[tuple[str, str]]:
    """Return blocks by their markers, and definitions by their look, as `ByHand.result` has them."""
    found = []
    _, *chunks = MARKER.split(f"<!-- block:{uuid.UUID(int=0)} -->\n{markdown}")
    for block_id, text in zip(chunks[::2], chunks[1::2], strict=True):
        text, *definitions = re.split(r"(?:^|\n+)(?=\[\w+\]: /)", text.rstrip("\n"))
        found += [(block_id, text.rstrip("\n")), *(("", one) for one in definitions)]
    return found[1:]


@st.composite
def operations(draw: st.DrawFn, hand: ByHand, known: list[str]) -> tuple[edits.Operation, list[Part]]:
    """An operation and its Markdown as parts. One of ten takes any block that was ever there for a step."""
    text = draw(st.lists(headings(), max_size=1)) + draw(st.lists(headings() | BODIES, max_size=3))
    steps, anything = st.sampled_from(hand.ids(hand.steps())), st.sampled_from(known)
    if draw(st.integers(0, 9)) == 0:
        steps = anything
    made: list[st.SearchStrategy[edits.Operation]] = [
        st.builds(edits.SetTitle, steps, TITLES),
        st.builds(edits.ReplaceBlock, anything | steps, st.just(written(text))),
        st.builds(edits.InsertStep, st.none() | steps, TITLES, st.just(written(text))),
        st.builds(edits.DeleteStep, steps),
        st.builds(edits.MoveStep, steps, st.none() | steps),
        st.builds(edits.MergeSteps, st.lists(steps, min_size=2, max_size=3)),
        st.builds(edits.SplitStep, steps, anything, TITLES),
    ]
    if runs := hand.runs():
        made += [st.builds(edits.MergeSteps, st.sampled_from(runs))] * 2
    if places := hand.places_to_split():
        made.append(
            st.builds(lambda place, title: edits.SplitStep(*place, title), st.sampled_from(places), TITLES)
        )
    return draw(st.one_of(made)), text


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_edits_equal_those_made_by_hand_on_the_text(data: st.DataObject) -> None:
    hand = ByHand(data.draw(DOCUMENTS))
    markdown = ensure_markers(written(hand.parts), lambda: pytest.fail("a marker was missing"))
    known = hand.ids(range(len(hand.parts)))
    made: list[edits.Operation] = []
    for _ in range(data.draw(st.integers(1, 6))):
        operation, text = data.draw(operations(hand, known))
        before = copy(hand)
        before.parts = list(hand.parts)
        try:
            hand.make(operation, text)
            made.append(operation)
        except Impossible:
            hand = before
            with pytest.raises(edits.EditRefused) as refused:
                edits.apply_operations(markdown, [*made, operation], new_ids())
            assert refused.value.operation == len(made)
        known += [id for id in hand.ids(range(len(hand.parts))) if id not in known]
        if not hand.steps():
            break
    edited = edits.apply_operations(markdown, made, new_ids())
    after = prepare_text(edited.markdown)
    edited.check(after.markdown, after.blocks)
    assert read(after.markdown) in both_endings(hand.result())
    check_document(after.markdown)


def both_endings(result: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return the blocks with each open fence closed that something follows; one at the very end may be either way."""
    closed = [(id, f"{text}\n```" if text == OPEN.text else text) for id, text in result]
    return [closed, closed[:-1] + result[-1:]]


def check_document(markdown: str) -> None:
    """Its markers are complete, no id stands twice, and its steps are numbered in order."""
    assert ensure_markers(markdown, lambda: pytest.fail("a marker was missing")) == markdown
    ids = [block.block_id for block in parse_blocks(markdown)]
    assert len(set(ids)) == len(ids)
    assert "STEP_OUT_OF_SEQUENCE" not in {issue.code for issue in validate(markdown)}


PLAIN_STEPS = ["## Step 1: Go", "## Step 1: Stop", "### 2. Wait", "Step 3\n---", "# 1) On"]
# As paragraphs they would be a list, a quotation, a heading, a rule, code, HTML, a definition of a link.
MARKED_STEPS = [
    *("## Step 1: - [Foo](http://x)", "## 1. 3) ![alt](x.png) see", "## 1. > `rm -rf` & [docs](/d)"),
    *(
        "## 1. # *one* two",
        "## Step 1: ---",
        "## Step 1: ~~~ now",
        "## **Step 1: Bold [x](/y)**",
        "## 1. \u202eTo",
    ),
    *("## 1. <b>", "## 1. <!-- hidden -->", "## 1. [a]: /b", f"## 1. {'> ' * 70}deep"),
]
STEPS = st.sampled_from(PLAIN_STEPS + MARKED_STEPS)
GUIDES = st.lists(st.tuples(STEPS, TEXTS_THAT_JOIN), min_size=1, max_size=4).map(
    lambda parts: "\n".join(itertools.chain(*parts))
)


@settings(max_examples=150, deadline=None)
@given(GUIDES, st.data())
def test_no_text_is_lost_or_changed_whatever_stands_beside_it(text: str, data: st.DataObject) -> None:
    before = marked(text)
    blocks = {block.block_id: block for block in parse_blocks(before)}
    ids = sorted(blocks)
    steps = [id for id in ids if blocks[id].kind == "step"] or ids
    step, following = st.sampled_from(steps), list(zip(steps, steps[1:], strict=False)) or [(ids[0], ids[0])]
    operation = st.one_of(
        st.builds(edits.MoveStep, step, st.none() | step),
        st.builds(edits.MergeSteps, st.sampled_from(following)),
        st.builds(edits.SplitStep, step, st.sampled_from(ids), TITLES),
        st.builds(edits.InsertStep, st.none() | step, TITLES),
    )
    made: list[edits.Operation] = []
    after = before
    for one in data.draw(st.lists(operation, min_size=1, max_size=4)):
        try:
            edited = edits.apply_operations(before, [*made, one], new_ids())
            prepared = prepare_text(edited.markdown)
            edited.check(prepared.markdown, prepared.blocks)
            made.append(one)
            after = prepared.markdown
        except edits.EditRefused as refused:
            assert refused.code != "joins_neighbour" or re.search("<(?:pre>|!--$)", text, re.MULTILINE)
            assert refused.code != "title_reads_otherwise" or re.search(r"1\. (?:<|\[a\]:)", text)
    if made:
        check_document(after)
    now = own_texts(after)
    for id, was in own_texts(before).items():
        assert now[id] == was or re.fullmatch(re.escape(was) + r"\n(?:`{3,}|~{3,})", now[id])
    assert definitions(after) == definitions(before)
    titles = " ".join(heading_of(before, block) for block in blocks.values() if block.title is not None)
    assert set(re.findall(r"[^\W\d]+", titles)) - {"Step"} <= set(re.findall(r"[^\W\d]+", after))


def heading_of(markdown: str, block: Block) -> str:
    return markdown[block.start_offset : block.end_offset].split("\n")[0]


def own_texts(markdown: str) -> dict[str, str]:
    """The texts of blocks that are no headings, by their ids."""
    blocks = parse_blocks(markdown)
    return {one.block_id: markdown[one.start_offset : one.end_offset] for one in blocks if one.level is None}


def definitions(markdown: str) -> dict[str, str]:
    environment: dict[str, Any] = {}
    MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").parse(markdown, environment)
    return {label: found["href"] for label, found in environment.get("references", {}).items()}
