"""How alike two texts are: in a number of steps, not in a time."""

from __future__ import annotations

import random
import time

import pytest

from anchors.likeness import MAX_COMPARED, Comparison, Likeness


def test_texts_that_would_take_long_to_compare_stop_at_a_number_of_steps() -> None:
    dice = random.Random(1)
    one, other, third = ("".join(dice.choices("ab", k=400)) for _ in range(3))
    comparison = Comparison(one)
    assert Comparison(one, steps=10**9).ratio(other) > 0
    assert comparison.ratio(other) == comparison.ratio(third) == 0
    assert comparison.ratio(one) == 1


def test_letters_that_never_meet_twice_do_not_take_the_cube() -> None:
    """difflib takes four seconds for 1,000 of these characters."""
    one, two = ("".join(f"a{chr(start + at)}" for at in range(500)) for start in (0x4E00, 0x6E00))
    started = time.process_time()
    assert Comparison(one).ratio(two) == 0
    assert time.process_time() - started < 0.5


def test_of_five_thousand_texts_each_lost_one_is_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is there still, its end changed."""
    compared = []
    ratio = Comparison.ratio
    monkeypatch.setattr(Comparison, "ratio", lambda *given: (compared.append(1), ratio(*given))[1])
    dice = random.Random(2)
    before = ["".join(dice.choices("abcdefghijklmnop ", k=150)) for _ in range(5000)]
    likeness = Likeness([(str(at), f"{text[:100]} changed.", None) for at, text in enumerate(before)])
    for at in range(0, 5000, 125):
        assert likeness.best(Comparison(before[at]))[0] == str(at)
    assert len(compared) <= 40 * MAX_COMPARED
