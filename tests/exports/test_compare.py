"""Two guides of the same flow compared over HTTP."""

from __future__ import annotations

import pytest

from tests.exports.compared_screens import BUTTON, SIZE, as_jpeg, screen
from tests.exports.comparing import RecordedGuide, changes, compare
from tests.factories import Api

STEPS = (
    ("Open the invoices", "Click **Invoices** in the menu.", ()),
    ("Choose a customer", "Type the name of the customer.", ()),
    ("Set the due date", "Choose a day in the calendar.", ()),
    ("Send it", "Press *Send*.", ()),
)


def test_a_guide_is_the_same_as_itself(owner: Api) -> None:
    guide = RecordedGuide(owner, *STEPS)
    assert changes(owner, guide, guide) == [(n, n, "same") for n in (1, 2, 3, 4)]


def test_a_step_in_the_middle_shifts_nothing(owner: Api) -> None:
    added = ("Check the address", "It stands below the customer.", ())
    old, new = RecordedGuide(owner, *STEPS), RecordedGuide(owner, *STEPS[:2], added, *STEPS[2:])
    assert changes(owner, old, new) == [
        *[(1, 1, "same"), (2, 2, "same"), (None, 3, "added"), (3, 4, "same"), (4, 5, "same")]
    ]
    assert changes(owner, new, old) == [
        *[(1, 1, "same"), (2, 2, "same"), (3, None, "removed"), (4, 3, "same"), (5, 4, "same")]
    ]


def test_words_and_pictures_are_told_apart(owner: Api) -> None:
    plain, recoloured = screen(), screen(button="#DC2626")
    old = RecordedGuide(owner, *((title, body, [plain]) for title, body, _ in STEPS))
    new = RecordedGuide(
        owner,
        ("open the  invoices", "Click Invoices, in the menu", [as_jpeg(plain)]),
        ("Choose a customer", "Type the name of the company.", [as_jpeg(plain)]),
        ("Set the due date", "Choose a day in the calendar.", [recoloured]),
        ("Send the invoice", "Press *Send*.", [recoloured]),
    )
    answer = compare(owner, old, new).json()
    assert [step["change"] for step in answer["steps"]] == ["same", "words", "picture", "both"]
    assert answer["steps"][1] == {
        "block_id": old.steps[1],
        "other_block_id": new.steps[1],
        "change": "words",
    }
    (region,) = answer["steps"][2]["picture_regions"]
    assert set(region) == {"x", "y", "width", "height"}
    assert region["x"] == pytest.approx(BUTTON[0] / SIZE[0], abs=0.005)
    assert region["width"] == pytest.approx((BUTTON[2] - BUTTON[0]) / SIZE[0], abs=0.01)
