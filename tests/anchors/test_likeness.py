"""How alike two texts are: in a number of steps, not in a time."""

from __future__ import annotations

import random
import time

import pytest

from anchors.likeness import MAX_COMPARED, MAX_STEPS, Comparison, Likeness


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


def test_when_the_steps_of_a_text_are_used_up_no_other_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    bound = Comparison.bound
    monkeypatch.setattr(Comparison, "bound", lambda *given: (looked_at.append(1), bound(*given))[1])
    dice = random.Random(3)
    lost, *others = ("".join(dice.choices("ab", k=400)) for _ in range(20))
    likeness = Likeness([(str(at), text, None) for at, text in enumerate(others)])
    assert likeness.best(Comparison(lost)) == ("", 0.0)
    assert len(looked_at) == 1


def test_each_lost_text_pays_for_how_alike_a_block_is_to_its_former_self() -> None:
    """Whether another has paid already makes no difference, so that the order of anchors makes none."""
    lost = "Click the blue button at the top to save the file."
    now, before = lost + " Then wait.", "Open the settings from the menu behind your picture."
    to_lost, to_before = Comparison(lost), Comparison(before)
    to_lost.ratio(now), to_before.ratio(now)
    spent = MAX_STEPS - to_lost.left + MAX_STEPS - to_before.left
    likeness = Likeness([("a", now, before)])
    for _ in range(2):
        comparison = Comparison(lost)
        assert likeness.best(comparison)[0] == "a"
        assert MAX_STEPS - comparison.left == spent > 0


def test_lengths_that_just_allow_the_score_are_compared() -> None:
    """2 * 3 / (3 + 7) is 0.6."""
    for lost, other in (("abc", "abcdefg"), ("abcdefg", "abc"), ("abc" * 10, "abc" * 10 + "defg" * 10)):
        assert Likeness([("a", other, None)]).best(Comparison(lost)) == ("a", pytest.approx(0.6))
