"""The blocks that are most like what an anchor stood on, for who puts it on one of them by hand."""

from __future__ import annotations

import pytest

from anchors import likeness
from anchors.likeness import MAX_COMPARED, most_alike
from anchors.resolve import Resolver, Text
from instructions.blocks import ensure_markers, parse_blocks

SOURCE = "Open the settings and choose the tab for sounds.\n\nClose the window.\n"
TARGET = "Type your name.\n\nOpen the panel for sounds, then wait.\n\n\N{SNOWMAN}\n\nClose the window.\n"


def text(markdown: str, first: int) -> Text:
    numbers = iter(range(first, first + 100))
    marked = ensure_markers(markdown, lambda: f"00000000-0000-7000-8000-{next(numbers):012}")
    return Text(marked, parse_blocks(marked))


SOURCE_TEXT, TARGET_TEXT = text(SOURCE, 0), text(TARGET, 50)
RESOLVER = Resolver(SOURCE_TEXT, TARGET_TEXT)
LOST = {"block_id": SOURCE_TEXT.blocks[0].block_id}


def test_the_most_alike_come_first_however_little_they_are_alike() -> None:
    assert RESOLVER.resolve(LOST).state == "unresolved"
    found = RESOLVER.likeliest(LOST)
    assert next(iter(found)) == TARGET_TEXT.blocks[1].block_id
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert TARGET_TEXT.blocks[2].block_id not in found, "nothing in common"


def test_each_block_can_be_asked_for() -> None:
    found = RESOLVER.likeliest(LOST)
    for block in TARGET_TEXT.blocks:
        assert RESOLVER.likeness(LOST, block.block_id) == found.get(block.block_id, 0.0)
    assert RESOLVER.likeness(LOST, LOST["block_id"]) == 0.0, "it is not in the target"


def test_a_range_is_as_like_as_its_block() -> None:
    ranged = {"char_range": {"start_offset": SOURCE_TEXT.blocks[0].start_offset + 5, "end_offset": 70}}
    assert RESOLVER.likeliest(ranged) == RESOLVER.likeliest(LOST)


@pytest.mark.parametrize(
    "place",
    [
        {"block_id": "00000000-0000-7000-8000-000000000099"},
        {"char_range": {"start_offset": 9_000, "end_offset": 9_001}},
    ],
)
def test_a_place_that_is_not_in_the_source_is_like_nothing(place: dict[str, object]) -> None:
    assert RESOLVER.likeliest(place) == {}


def test_few_of_many_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ratio = likeness.Comparison.ratio
    monkeypatch.setattr(
        likeness.Comparison, "ratio", lambda self, other: asked.append(other) or ratio(self, other)
    )
    texts = [(str(number), f"Choose the tab number {number} for sounds.") for number in range(5_000)]
    assert len(most_alike("Choose a tab for sounds.", texts)) == len(asked) == MAX_COMPARED
