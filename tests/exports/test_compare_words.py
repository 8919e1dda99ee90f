"""Steps put together by their words, and words that came and went."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.comparison.alignment import MIN_LIKENESS, align
from exports.comparison.steps import GuideStep, likeness_of_steps, read_steps
from exports.comparison.words import Line, Vocabulary, keys_of, runs
from tests.exports.documents import GUIDE, make_document, with_markers

OTHERS = ("Click New", "Click Save", "Press Enter", "Type it", "Open the page", "Press Send and close it")


def alike(one: str, other: str) -> float:
    """Return how alike two steps of a guide with some others are."""
    keys = [Line(text).keys for text in (one, other, *OTHERS)]
    vocabulary = Vocabulary(keys)
    return vocabulary.likeness(vocabulary.measure(keys[0]), vocabulary.measure(keys[1]))


def keys_of_step(text: str) -> list[str]:
    """Return what the words of a step with this text are compared by, those of its title left out."""
    document, _ = make_document(with_markers(f"# T\n\n### Step 1: a\n\n{text}\n"))
    (step,) = read_steps(document)[1]
    return step.keys[1:]


def places(old: str, new: str) -> list[tuple[int | None, int | None]]:
    """Return how two sequences of letters are put together; equal letters are alike."""
    return align(old, new, lambda one, other: 1.0 if one == other else 0.0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("abc", "abxc", [(0, 0), (1, 1), (None, 2), (2, 3)]),
        ("abxc", "abc", [(0, 0), (1, 1), (2, None), (3, 2)]),
        ("abc", "axc", [(0, 0), (1, None), (None, 1), (2, 2)]),
        ("abc", "bca", [(0, None), (1, 0), (2, 1), (None, 2)]),
        ("", "ab", [(None, 0), (None, 1)]),
        ("ab", "", [(0, None), (1, None)]),
        ("aa", "a", [(0, 0), (1, None)]),
    ],
    ids=["same", "added", "removed", "replaced", "moved", "nothing before", "nothing after", "twice"],
)
def test_items_are_put_together_in_their_order(
    old: str, new: str, expected: list[tuple[int | None, int | None]]
) -> None:
    assert places(old, new) == expected


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_every_item_has_one_place_and_the_order_of_both_is_kept(old: str, new: str) -> None:
    found = places(old, new)
    assert [place for place, _ in found if place is not None] == list(range(len(old)))
    assert [place for _, place in found if place is not None] == list(range(len(new)))
    pairs = [(one, other) for one, other in found if one is not None and other is not None]
    assert all(old[one] == new[other] for one, other in pairs)


def test_the_best_whole_beats_the_best_pair() -> None:
    scores = {("a", "x"): 0.9, ("a", "y"): 1.0, ("b", "y"): 0.9}
    assert align("ab", "xy", lambda one, other: scores.get((one, other), 0.0)) == [(0, 0), (1, 1)]


def test_case_white_space_and_punctuation_do_not_count_but_code_does() -> None:
    def same(one: str, other: str) -> bool:
        return Line(one).keys == Line(other).keys

    assert same("Click  New, then “Save”.", "click new then SAVE")
    assert not same("run git -f", "run git f") and not same("12.00", "12,00") and not same("a / b", "a b")
    assert Line("Ls -L;", "code").keys == ["Ls", "-L;"]
    assert Line("…").keys == ["…".replace("…", "...")]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Run `ls -a`.", "Run `ls -A`.", False),
        ("Open `.env`", "Open `env`", False),
        ("Open (`.env`),", "open `.env`", True),
        ("| Run |\n| - |\n| `-a` |", "| Run |\n| - |\n| `-A` |", False),
        ("*See [`-a`](https://example.com)*", "See `-A`", False),
        ("Click `Save as`", "Click **Save as**", True),
        ("Press `.`", "Press `,`", False),
    ],
)
def test_code_in_a_sentence_is_compared_sign_by_sign(one: str, other: str, is_same: bool) -> None:
    assert (keys_of_step(one) == keys_of_step(other)) is is_same


def test_each_word_has_a_key_with_much_code_too() -> None:
    begun = time.process_time()
    line = Line("a `-b` " * 50_000, exact=tuple((at * 7 + 2, at * 7 + 6) for at in range(50_000)))
    assert len(line.keys) == len(line.shown) == 100_000
    assert time.process_time() - begun < 2


def test_likeness_tells_other_words_from_other_steps() -> None:
    assert alike("Open the Invoices page", "open the “Invoices” page.") == 1
    assert alike("Open the Invoices page", "Open the invoice page") > MIN_LIKENESS
    assert alike("Press Discount", "Click Discount") > MIN_LIKENESS
    assert alike("Choose the customer", "Choose a customer in the list") > MIN_LIKENESS
    for one, other in (
        ("Print it", "Send it"),
        ("Click Print", "Click Close"),
        ("Press Send", "Press Enter twice"),
    ):
        assert alike(one, other) < MIN_LIKENESS, (one, other)
    assert alike("", "") == 1 and alike("a", "") == 0


def test_words_that_came_and_went_are_told_in_order() -> None:
    found = runs(Line("Click the New button now."), Line("click Create button now, please"))
    assert found == [
        *[("same", "click"), ("removed", "the New"), ("added", "Create"), ("same", "button now,")],
        ("added", "please"),
    ]
    assert runs(Line(""), Line("")) == []


@given(st.lists(st.sampled_from(["a", "b", "C", "d."])), st.lists(st.sampled_from(["a", "B", "c", "d"])))
def test_runs_are_the_words_of_both_sides(old: list[str], new: list[str]) -> None:
    found = runs(Line(" ".join(old)), Line(" ".join(new)))
    assert [word for run in found if run.change != "removed" for word in run.text.split()] == new
    kept = [word for run in found if run.change != "added" for word in run.text.split()]
    assert keys_of([Line(" ".join(kept))]) == keys_of([Line(" ".join(old))])


def steps_of(markdown: str) -> list[GuideStep]:
    return read_steps(make_document(with_markers(markdown))[0])[1]


def test_a_step_has_its_title_and_what_belongs_to_it_alone() -> None:
    steps = steps_of(
        GUIDE
        + "\n#### Hint\n\nBe quick.\n\n```\nls -l\n```\n\n#### Step 1: Inside\n\nIn it.\n\n## End\n\nDone.\n"
    )
    assert [step.title.text for step in steps] == [
        "Open the Invoices page",
        "Click New",
        "Press Send",
        "Inside",
    ]
    assert [line.text for line in steps[1].lines] == [
        "The list opens:",
        "newest first,",
        "paid ones in grey.",
    ]
    assert [(line.text, line.kind) for line in steps[2].lines] == [
        *[("Field   Value", "text"), ("Amount   12,00", "text"), ("The customer gets an e-mail.", "text")],
        *[("Hint", "text"), ("Be quick.", "text"), ("ls -l", "code")],
    ]
    assert [line.text for line in steps[3].lines] == ["In it."]


def test_numbers_and_times_of_headings_are_no_words() -> None:
    (one,), (other,) = steps_of("## Step 1: Save (0:01–0:02)\n"), steps_of("### 7. Save\n")
    assert one.keys == other.keys == ["save"]


def test_the_same_block_of_two_texts_is_one_step_whatever_its_words() -> None:
    (one,), (other,) = steps_of("## Step 1: Save\n"), steps_of("## Step 1: Quit the programme\n")
    assert likeness_of_steps([one], [other])(one, other) == 1.0


PARTS = st.sampled_from(
    [
        "# Step 1: a\n",
        "## Step 2: b\n",
        "### x\n",
        "text\n",
        "```\n",
        "- # Step 3: c\n",
        "> q\n",
        "\n",
        "<b>\n",
        "2. d\n",
    ]
)


@given(st.lists(PARTS, max_size=10).map("".join))
def test_any_text_has_the_steps_that_its_blocks_have(markdown: str) -> None:
    text = with_markers(markdown)
    steps = read_steps(make_document(text)[0])[1]
    assert len({step.block_id for step in steps}) == len(steps)


@pytest.mark.slow
def test_two_guides_of_300_long_steps_are_aligned_in_seconds() -> None:
    words = [f"word{n % 37}" for n in range(300)]
    steps = [
        GuideStep(f"{n}", n, Line(" ".join(words[n % 7 : n % 7 + 30])), (), keys=words[n % 11 :])
        for n in range(300)
    ]
    begin = time.process_time()
    others = [replace(step, block_id=f"x{step.block_id}") for step in steps]
    align(steps, others, likeness_of_steps(steps, others))
    assert time.process_time() - begin < 10
