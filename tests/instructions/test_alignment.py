"""Which text was said in which segments, by the words that they share."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructions.alignment import MIN_SCORE, divide

MENU = "Open the menu at the top and choose the settings."
NAME = "Type the name of the customer, then press enter."
SAVE = "Save the invoice with the blue button."

WORDS = st.lists(st.sampled_from("abcdef"), max_size=4).map(" ".join)


def score(text: str, said: str, texts: list[str]) -> float:
    """The containment as the module defines it, counted by hand."""
    common = set.intersection(*(set(each.split()) for each in texts))
    words = set(said.split())
    return len((words & set(text.split())) - common) / len(words) if words else 0.0


def test_each_segment_goes_to_the_text_with_its_words() -> None:
    said = ["okay so open the menu", "and choose settings there", "type the customer's name", "hit save"]
    assert divide([MENU, NAME, SAVE], said) == [0, 0, 1, 2]


def test_the_order_is_kept_where_a_word_comes_back() -> None:
    said = ["open the menu", "choose the settings", "type the name in that menu", "press enter"]
    assert divide([MENU, NAME], said) == [0, 0, 1, 1]


def test_a_segment_that_says_nothing_stays_with_the_one_before_it() -> None:
    assert divide([MENU, NAME], ["uh", "choose settings", "right", "type the name", "yeah"]) == [
        0,
        0,
        0,
        1,
        1,
    ]


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert divide(
        ["メニューを開きます。", "名前を入力します。"], ["まずメニューを開いて", "次に名前を入力"]
    ) == [0, 1]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([MENU, NAME], ["Öffnen Sie das Menü", "Geben Sie einen Namen ein"]),
        ([MENU, NAME], ["the of at", "the the"]),
        ([MENU, MENU], ["open the menu", "choose the settings"]),
        ([MENU, NAME], []),
        ([MENU, NAME], ["", "…"]),
        ([], ["open the menu"]),
    ],
)
def test_words_that_do_not_tell_divide_nothing(texts: list[str], said: list[str]) -> None:
    assert divide(texts, said) is None


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=5))
def test_no_division_in_order_has_a_higher_sum(texts: list[str], said: list[str]) -> None:
    def total(chosen: tuple[int, ...]) -> float:
        return sum(score(texts[at], each, texts) for at, each in zip(chosen, said, strict=True))

    best = max(map(total, combinations_with_replacement(range(len(texts)), len(said))))
    found = divide(texts, said)
    if found is None:
        assert best < MIN_SCORE * len(said) + 1e-9
    else:
        assert found == sorted(found)
        assert total(tuple(found)) == pytest.approx(best)
