"""Where an anchor of one version of an instruction stands in another."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchors.likeness import MIN_SCORE
from anchors.resolve import MAX_PLACES, Resolution, Resolver, Text, _places
from instructions.blocks import parse_blocks

IDS = [str(uuid.UUID(int=number, version=4)) for number in range(1, 20)]
A, B, C, D, E, F = IDS[:6]

SAVE = "Click the blue button at the top to save the file."
OPEN = "Open the settings from the menu behind your picture."
WAIT = "Wait until the progress bar has gone away."
OTHER = "Bananas ripen faster in a bowl with apples than alone."


def resolve(addressing: dict[str, Any], *, source: str, target: str) -> Resolution:
    return Resolver(text(source), text(target)).resolve(addressing)


def text(markdown: str) -> Text:
    return Text(markdown, parse_blocks(markdown))


def document(*blocks: tuple[str, str]) -> str:
    return "".join(f"<!-- block:{block_id} -->\n{text}\n\n" for block_id, text in blocks)


def block(block_id: str) -> dict[str, Any]:
    return {"address_type": "block_id", "block_id": block_id}


def span(text: str, wanted: str, *, nth: int = 0) -> dict[str, Any]:
    """The range of the nth place of `wanted` in `text`."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(wanted, start + 1)
    char_range = {"start_offset": start, "end_offset": start + len(wanted)}
    return {"address_type": "char_range", "char_range": char_range}


def cut(found: Resolution, target: str) -> str:
    assert found.addressing is not None
    char_range = found.addressing["char_range"]
    return target[char_range["start_offset"] : char_range["end_offset"]]


SOURCE = document((A, "# Guide"), (B, SAVE), (C, OPEN), (D, WAIT))


@pytest.mark.parametrize(
    ("target", "state", "to", "method"),
    [
        pytest.param(SOURCE, "retain", C, "block_id", id="nothing changed"),
        pytest.param(document((C, OPEN), (A, "# Guide")), "retain", C, "block_id", id="moved"),
        pytest.param(
            document((A, "# Guide"), (C, OTHER)), "retain", C, "block_id", id="rewritten under its id"
        ),
        pytest.param(document((A, "# Guide"), (E, OPEN)), "remap", E, "similarity", id="same text, new id"),
        pytest.param(
            document((A, "# Guide"), (E, OPEN.replace("settings", "preferences")), (F, OTHER)),
            "remap",
            E,
            "similarity",
            id="edited and new id",
        ),
        pytest.param(
            document((E, f"{OPEN} Soon."), (F, OPEN)), "remap", F, "similarity", id="the most alike"
        ),
        pytest.param(document((E, OPEN), (F, OPEN)), "remap", E, "similarity", id="a tie goes to the first"),
        pytest.param(
            document((A, "# Guide"), (B, SAVE), (D, WAIT)), "unresolved", None, "none", id="deleted"
        ),
        pytest.param(document((E, OTHER)), "unresolved", None, "none", id="all is new"),
        pytest.param("", "unresolved", None, "none", id="emptied"),
        pytest.param(OPEN, "unresolved", None, "none", id="text without markers"),
        pytest.param(f"{C}\n\n`<!-- block:{C} -->`", "unresolved", None, "none", id="the id in the text"),
    ],
)
def test_blocks_go_by_id_then_by_likeness(target: str, state: str, to: str | None, method: str) -> None:
    found = resolve(block(C), source=SOURCE, target=target)
    assert (found.state, found.trace["method"]) == (state, method)
    assert found.trace["from"] == {"block_id": C}
    assert found.trace["to"] == ({"block_id": to} if to else None)
    assert found.addressing == (block(to) if to else None)
    assert found.trace["score"] == 1 if state == "retain" else found.trace["score"] <= 1


def test_likeness_counts_from_the_stated_score() -> None:
    source = document((A, "abcdefghij"))
    near = resolve(block(A), source=source, target=document((B, "abcdef1234")))
    assert (near.state, near.trace["score"]) == ("remap", MIN_SCORE)
    far = resolve(block(A), source=source, target=document((B, "abcde12345")))
    assert (far.state, far.addressing) == ("unresolved", None)


def test_a_deleted_step_does_not_become_the_next_one() -> None:
    steps = [
        (block_id, f"## Step {n}: Open page {n}\n\nClick **Next**.")
        for n, block_id in enumerate((A, B, C), 1)
    ]
    renumbered = document(steps[0], (C, steps[2][1].replace("Step 3", "Step 2")))
    assert resolve(block(B), source=document(*steps), target=renumbered).state == "unresolved"


def test_a_block_that_took_the_text_over_is_found() -> None:
    long = f"{OPEN} {SAVE}"
    found = resolve(
        block(B), source=document((B, long), (D, "Then wait.")), target=document((D, f"{long} Then wait."))
    )
    assert (found.state, found.trace["to"]) == ("remap", {"block_id": D})


def test_white_space_and_markers_within_a_step_do_not_count() -> None:
    step = f"## Step 1: Save\n\n<!-- block:{B} -->\n{SAVE}"
    again = f"## Step 1: Save\n\n\n<!-- block:{E} -->\n{SAVE.replace(' ', chr(10))}"
    found = resolve(block(A), source=document((A, step)), target=document((D, again)))
    assert (found.trace["to"], found.trace["score"]) == ({"block_id": D}, 1)


@pytest.mark.parametrize(
    ("target", "state", "method"),
    [
        pytest.param(SOURCE, "retain", "text", id="nothing changed"),
        pytest.param(SOURCE + document((E, OTHER)), "retain", "text", id="something after it"),
        pytest.param(document((E, OTHER)) + SOURCE, "remap", "text", id="something before it"),
        pytest.param(document((C, OPEN)), "remap", "text", id="all else gone"),
        pytest.param(document((F, f"{OTHER} {OPEN}")), "remap", "text", id="in another block"),
        pytest.param(OPEN, "remap", "text", id="without markers"),
    ],
)
def test_ranges_follow_their_text(target: str, state: str, method: str) -> None:
    address = span(SOURCE, "settings from the menu")
    found = resolve(address, source=SOURCE, target=target)
    assert (found.state, found.trace["method"], found.trace["score"]) == (state, method, 1)
    assert cut(found, target) == "settings from the menu"
    assert found.addressing is not None
    assert found.addressing | {"char_range": 0} == address | {"char_range": 0}
    assert found.trace["from"] == {"char_range": address["char_range"]}
    assert found.trace["to"] == {"char_range": found.addressing["char_range"]}
    assert (found.addressing == address) == (state == "retain")


@pytest.mark.parametrize(
    ("target", "state", "to"),
    [
        pytest.param(SOURCE.replace("settings", "preferences"), "remap", C, id="edited within its block"),
        pytest.param(
            SOURCE.replace("settings", "preferences").replace(C, E),
            "remap",
            E,
            id="edited, and the block has a new id",
        ),
        pytest.param(SOURCE.replace(OPEN, OTHER), "unresolved", None, id="its block is rewritten"),
        pytest.param(
            document((A, "# Guide"), (B, SAVE), (D, WAIT)), "unresolved", None, id="its block is deleted"
        ),
    ],
)
def test_a_range_whose_text_is_gone_goes_to_the_block_most_alike(
    target: str, state: str, to: str | None
) -> None:
    found = resolve(span(SOURCE, "settings from the menu"), source=SOURCE, target=target)
    assert (found.state, found.trace["to"]) == (state, {"block_id": to} if to else None)
    if to:
        assert found.addressing == block(to)
        assert MIN_SCORE <= found.trace["score"] < 1


def test_the_ranges_own_block_comes_before_one_that_is_more_alike() -> None:
    source = document((A, f"{OPEN} Now."), (B, SAVE))
    target = document((E, f"{OPEN} Then."), (A, "Open the settings from the list."))
    found = resolve(span(source, "menu behind your picture. Now."), source=source, target=target)
    assert found.trace["to"] == {"block_id": A}


NEXT = "Click Next."
TWINS = document((A, NEXT), (B, OPEN), (C, NEXT), (D, WAIT))


@pytest.mark.parametrize(
    ("target", "place", "state", "method"),
    [
        pytest.param(TWINS, TWINS.rindex(NEXT), "retain", "text", id="nothing changed"),
        pytest.param(document((E, "x" * 400)) + TWINS, None, "remap", "text", id="pushed far down"),
        pytest.param(document((C, NEXT), (A, NEXT), (B, OPEN)), 0, "remap", "text", id="moved to the top"),
        pytest.param(
            document((C, OPEN), (B, NEXT * 3), (A, NEXT)),
            "near",
            "remap",
            "text_nearest",
            id="not in its block",
        ),
    ],
)
def test_of_several_places_the_one_in_its_own_block_wins(
    target: str, place: int | str | None, state: str, method: str
) -> None:
    found = resolve(span(TWINS, NEXT, nth=1), source=TWINS, target=target)
    assert (found.state, found.trace["method"]) == (state, method)
    assert cut(found, target) == NEXT
    assert found.addressing is not None
    if method == "text":
        own = next(block for block in parse_blocks(target) if block.block_id == C)
        assert found.addressing["char_range"]["start_offset"] == own.start_offset


def test_the_same_place_in_another_block_is_not_the_same_place() -> None:
    source = document((A, NEXT), (B, NEXT))
    target = document((B, NEXT), (A, NEXT))
    found = resolve(span(source, NEXT), source=source, target=target)
    assert found.state == "remap"
    assert found.trace["to"] == {"char_range": span(target, NEXT, nth=1)["char_range"]}


def test_without_blocks_the_nearest_place_wins_and_of_two_the_first() -> None:
    source = "----x----"
    near = resolve(span(source, "x"), source=source, target="x-----------x-------")
    assert (near.trace["method"], near.addressing and near.addressing["char_range"]["start_offset"]) == (
        "text_nearest",
        12,
    )
    tie = resolve(span(source, "x"), source=source, target="--x---x--")
    assert (tie.trace["method"], tie.addressing and tie.addressing["char_range"]["start_offset"]) == (
        "text_ambiguous",
        2,
    )


def test_offsets_are_code_points() -> None:
    source = document((A, "Press 👉 Save 💾 now"))
    target = document((B, "👩‍👩‍👧 é"), (A, "Press 👉 Save 💾 now"))
    found = resolve(span(source, "Save 💾"), source=source, target=target)
    assert cut(found, target) == "Save 💾"


@pytest.mark.parametrize(
    "address",
    [
        block(F),
        {"address_type": "char_range", "char_range": {"start_offset": 5, "end_offset": 10_000}},
        {"address_type": "char_range", "char_range": {"start_offset": 5, "end_offset": 5}},
        {"address_type": "char_range", "char_range": {"start_offset": 9, "end_offset": 5}},
    ],
)
def test_what_stands_nowhere_is_unresolved(address: dict[str, Any]) -> None:
    assert resolve(address, source=SOURCE, target=SOURCE + " ").state == "unresolved"


def test_blank_ranges_are_not_searched_for() -> None:
    blank = span(SOURCE, "\n\n")
    found = resolve(blank, source=SOURCE, target="\n\n" * 10 + SOURCE)
    assert found.trace["method"] in ("similarity", "none")


def lines(seed: int, alphabet: str, *, count: int, length: int) -> list[tuple[str, str]]:
    dice = random.Random(seed)
    return [
        (str(uuid.UUID(int=dice.getrandbits(128), version=4)), "".join(dice.choices(alphabet, k=length)))
        for _ in range(count)
    ]


def test_an_answer_does_not_depend_on_those_before_it() -> None:
    before = lines(1, "ab", count=40, length=300)
    after = lines(2, "ab", count=40, length=300)
    source, target = document(*before), document(*after)
    resolver = Resolver(text(source), text(target))
    addresses = [block(block_id) for block_id, _ in before]
    assert [resolver.resolve(each) for each in addresses] == [
        resolve(each, source=source, target=target) for each in addresses
    ]


def test_a_text_that_is_everywhere_is_looked_for_at_so_many_places() -> None:
    source = document((A, "x" * 30_000), (B, "xy"))
    target = document((C, "x" * 200_000), (B, "yx"))
    found = resolve(span(source, "xy"), source=source, target=target)
    assert found.state in ("remap", "unresolved")
    one = {"start_offset": source.rindex("x"), "end_offset": source.rindex("x") + 1}
    found = resolve({"address_type": "char_range", "char_range": one}, source=source, target=target)
    assert cut(found, target) == "x"
    assert found.trace["to"] == {"char_range": span(target, "x", nth=200_000)["char_range"]}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("alphabet", "count", "length"), [("ab", 950, 1000), ("abcdefgh ", 13_000, 30), ("a", 10, 100_000)]
)
def test_a_document_of_a_mebibyte_takes_seconds_not_minutes(alphabet: str, count: int, length: int) -> None:
    source = document(*lines(1, alphabet, count=count, length=length))
    target = document(*lines(2, alphabet, count=count, length=length))
    text_block = parse_blocks(source)[count // 2]
    whole = {"start_offset": text_block.start_offset, "end_offset": text_block.end_offset - 1}
    started = time.process_time()
    resolve(block(text_block.block_id), source=source, target=target)
    resolve({"address_type": "char_range", "char_range": whole}, source=source, target=target)
    assert time.process_time() - started < 40


PARAGRAPHS = st.lists(
    st.tuples(
        st.sampled_from(IDS), st.sampled_from([SAVE, OPEN, WAIT, NEXT, OTHER, "## Step 1: Go", "- a\n- b"])
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(PARAGRAPHS, PARAGRAPHS, st.integers(0, 400), st.integers(0, 400))
def test_every_answer_holds_true_and_is_the_same_again(
    before: Any, after: Any, start: int, length: int
) -> None:
    source, target = document(*before), document(*after)
    ids = {block.block_id for block in parse_blocks(target)}
    addresses = [block(each.block_id) for each in parse_blocks(source)]
    addresses.append(
        {"address_type": "char_range", "char_range": {"start_offset": start, "end_offset": start + length}}
    )
    for address in addresses:
        found = resolve(address, source=source, target=target)
        assert found == resolve(address, source=source, target=target)
        assert found.state in ("retain", "remap", "unresolved")
        assert (found.addressing is None) == (found.state == "unresolved") == (found.trace["to"] is None)
        if found.addressing is None:
            continue
        assert (found.addressing == address) == (found.state == "retain")
        if "block_id" in found.addressing:
            assert found.addressing["block_id"] in ids
        else:
            assert cut(found, target) == source[start : start + length]


def test_of_a_million_places_with_the_same_text_the_first_are_looked_at() -> None:
    """And those of the range's own block, which is kept apart from all others."""
    markdown = "a" * 100_000 + "\n\n" + document((A, "a" * 100))
    own = next(each for each in parse_blocks(markdown) if each.block_id == A)
    found = _places(markdown, "a", own)
    assert len(found) == MAX_PLACES + 100
    assert found[:3] == [0, 1, 2] and found[-1] == own.end_offset - 1 - (markdown[own.end_offset - 1] == "\n")
