"""Which frames a redaction's span takes in, and what hides something."""

from __future__ import annotations

import random

import pytest

from anchors.redacting import HiddenPart, hides_something, hiding_operations
from anchors.render.operations import normalise_operations

PART = HiddenPart(5_000, 8_000, 0.1, 0.2, 0.3, 0.4, "solid")
BOX = {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}


@pytest.mark.parametrize(
    ("shown_at_ms", "shown_until_ms", "is_hidden"),
    [
        (4_000, 5_000, False),  # gone when the span begins
        (4_000, 5_001, True),
        (0, 60_000, True),  # a still screen, from long before to long after
        (8_000, 8_040, True),  # the last millisecond of the span
        (8_001, 8_040, False),
        (5_000, 5_000, True),  # shorter than a millisecond
        (0, None, True),  # nobody knows how long
        (8_001, None, False),
    ],
)
def test_a_frame_is_hidden_while_it_is_on_the_screen_in_the_span(
    shown_at_ms: int, shown_until_ms: int | None, is_hidden: bool
) -> None:
    assert bool(hiding_operations([PART], shown_at_ms, shown_until_ms)) == is_hidden


def test_the_same_parts_in_any_order_are_the_same_operations() -> None:
    parts = [
        HiddenPart(0, 9, 0.1 * n, 0.1, 0.05, 0.1, mode) for n in range(5) for mode in ("solid", "pixelate")
    ]
    wanted = hiding_operations(parts, 0, 5)
    assert len(wanted) == 10
    shuffled = parts + parts
    random.Random(3).shuffle(shuffled)
    assert hiding_operations(shuffled, 0, 5) == wanted


@pytest.mark.parametrize(
    ("operation", "hides"),
    [
        ({"op_type": "blur", "geometry": BOX, "style": {"mode": "gaussian"}}, True),
        ({"op_type": "crop", "geometry": BOX}, True),
        ({"op_type": "marker", "geometry": BOX, "style": {"opacity": 1}}, True),
        ({"op_type": "marker", "geometry": BOX}, False),
        ({"op_type": "box", "geometry": BOX}, False),
    ],
)
def test_what_hides_something(operation: dict[str, object], hides: bool) -> None:
    assert hides_something(normalise_operations([operation])) == hides
