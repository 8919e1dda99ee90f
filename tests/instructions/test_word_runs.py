"""What became of a text word by word."""

from __future__ import annotations

import pytest

from instructions import diff
from instructions.diff import Change, Run, word_runs

GONE, CAME = Change.REMOVED, Change.ADDED


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        ("Press Save.", "Press Save.", [(None, "Press Save.")]),
        (
            "Press Save now.",
            "Press Send now.",
            [(None, "Press "), (GONE, "Save"), (CAME, "Send"), (None, " now.")],
        ),
        (
            "Press Save.",
            "Press **Save**.",
            [(None, "Press "), (CAME, "**"), (None, "Save"), (CAME, "**"), (None, ".")],
        ),
        (
            "Open the big old menu and wait there.",
            "Open the new small menu and wait there.",
            [(None, "Open the "), (GONE, "big old"), (CAME, "new small"), (None, " menu and wait there.")],
        ),
        ("Press Save.", "Turn it off at once.", [(GONE, "Press Save."), (CAME, "Turn it off at once.")]),
        ("", "New.", [(CAME, "New.")]),
        ("Old.", "", [(GONE, "Old.")]),
        ("Grüße aus Köln", "Grüße aus Bonn", [(None, "Grüße aus "), (GONE, "Köln"), (CAME, "Bonn")]),
    ],
)
def test_words_are_removed_added_or_stay(
    before: str, after: str, runs: list[tuple[Change | None, str]]
) -> None:
    assert word_runs(before, after) == [Run(*run) for run in runs]


def test_the_runs_give_back_both_texts() -> None:
    before, after = "One two, three four; five six. Seven\n\neight", "One 2, three 4; five six! Seven eight"
    runs = word_runs(before, after)
    assert "".join(run.text for run in runs if run.change != CAME) == before
    assert "".join(run.text for run in runs if run.change != GONE) == after


def test_the_words_of_a_long_text_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "MAX_WORDS", 3)
    assert word_runs("a b c", "a b d") == [Run(GONE, "a b c"), Run(CAME, "a b d")]
