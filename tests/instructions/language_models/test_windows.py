"""Long transcripts in overlapping windows, and steps that two windows have both written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructions.language_models.calls import estimated_tokens
from instructions.language_models.chat.windows import Passage, cut_windows, join_steps
from instructions.language_models.checks.drafts import CheckedStep


def passages(*sizes: int) -> list[Passage]:
    return [Passage(at, "x" * size) for at, size in enumerate(sizes)]


def step(title: str, *segments: int) -> CheckedStep:
    return CheckedStep(title, (), segments)


def titles(*windows: list[CheckedStep]) -> list[str]:
    return [each.title for each in join_steps(windows)]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=60),
    st.integers(1, 300),
    st.integers(0, 300),
)
def test_windows_hold_every_passage_in_order_and_overlap_only_a_little(
    sizes: list[int], window_tokens: int, overlap_tokens: int
) -> None:
    said = passages(*sizes)
    windows = cut_windows(said, window_tokens=window_tokens, overlap_tokens=overlap_tokens)
    seen = 0
    for window in windows:
        positions = [passage.position for passage in window]
        assert positions == list(range(positions[0], positions[-1] + 1))
        assert positions[0] <= seen <= positions[-1], "each goes on where the last one ended, or before"
        size = sum(estimated_tokens(passage.line) + 1 for passage in window)
        assert size <= window_tokens or positions == [seen], "or one passage that is longer"
        repeated = [passage for passage in window if passage.position < seen]
        assert sum(estimated_tokens(passage.line) + 1 for passage in repeated) <= overlap_tokens
        seen = positions[-1] + 1
    assert seen == len(said)


def test_a_short_transcript_is_one_window() -> None:
    assert len(cut_windows(passages(20, 20, 20), window_tokens=3000, overlap_tokens=300)) == 1
    assert cut_windows([], window_tokens=3000, overlap_tokens=300) == []


def test_a_passage_that_is_longer_than_a_window_has_one_of_its_own() -> None:
    windows = cut_windows(passages(10, 4000, 10), window_tokens=100, overlap_tokens=10)
    assert [[passage.position for passage in window] for window in windows] == [[0], [1], [2]]


def test_a_step_of_two_windows_stays_once_as_the_one_that_has_more() -> None:
    assert titles([step("a", 0, 1), step("cut", 8)], [step("whole", 8, 9, 10), step("b", 11)]) == [
        *("a", "whole", "b")
    ]
    assert titles([step("whole", 6, 7, 8)], [step("cut", 8), step("b", 9)]) == ["whole", "b"]


def test_of_two_equal_steps_the_earlier_one_stays() -> None:
    assert titles([step("first", 8, 9)], [step("second", 8, 9)]) == ["first"]


def test_a_step_with_a_passage_that_the_other_window_has_not_seen_stays() -> None:
    assert titles(
        [step("open", 4), step("type", 5, 6)],
        [step("press", 6, 7), step("close", 8)],
    ) == ["open", "type", "press", "close"]


def test_a_step_about_several_others_replaces_none_of_them() -> None:
    assert titles([step("a", 5), step("b", 6)], [step("overview", 5, 6, 7, 8)]) == ["a", "b", "overview"]
    assert titles([step("overview", 5, 6, 7, 8)], [step("a", 5), step("b", 6)]) == ["overview", "a", "b"]


def test_of_the_steps_of_the_same_passages_the_more_ones_stay() -> None:
    assert titles([step("b", 8)], [step("a", 8), step("b", 8)]) == ["a", "b"]
    assert titles([step("a", 8), step("b", 8)], [step("b", 8)]) == ["a", "b"]
    assert titles([step("a", 8), step("b", 8)], [step("a", 8), step("b", 8), step("c", 9)]) == ["a", "b", "c"]


_STEPS = st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=4), max_size=6)


@settings(max_examples=500, deadline=None)
@given(st.lists(_STEPS, max_size=4))
def test_every_passage_with_a_step_keeps_one(windows: list[list[set[int]]]) -> None:
    written = [[step("x", *sorted(rests_on)) for rests_on in window] for window in windows]
    joined = join_steps(written)
    before = {position for window in written for each in window for position in each.segments}
    assert {position for each in joined for position in each.segments} == before
    kept = iter(each for window in written for each in window)
    assert all(any(each is other for other in kept) for each in joined), "in their order"


def test_steps_that_share_little_or_are_of_one_window_all_stay() -> None:
    assert titles([step("a", 5, 6, 7, 8)], [step("b", 8, 9, 10)]) == ["a", "b"]
    assert titles([step("a", 1), step("b", 1)]) == ["a", "b"]
    assert titles([step("a", 1)], [], [step("b", 1)]) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("Click on the Save button.", 6),
        ("Klicken Sie auf die Schaltfläche „Öffnen“.", 13),
        ("点击保存按钮，然后选择导出。", 14),
        ("保存をクリックします。", 11),
        ("सहेजें पर क्लिक करें।", 21),
        ("คลิกปุ่มบันทึก", 14),
        ("Нажмите кнопку", 7),
        ("👍🏽", 3),
    ],
)
def test_no_script_has_fewer_tokens_estimated_than_it_may_have(text: str, tokens: int) -> None:
    assert tokens <= estimated_tokens(text) <= 2 * tokens + 2
