"""Two guides of the same flow compared over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.states import JobStatus
from tests.exports.compared_screens import BUTTON, SIZE, as_jpeg, screen
from tests.exports.comparing import RecordedGuide, changes, compare
from tests.factories import Api, force

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


@pytest.mark.both_storages
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


def test_several_pictures_are_paired_in_their_order(owner: Api) -> None:
    first, second = screen(), screen(menu=True)
    old = RecordedGuide(owner, ("Save", "", [first, second]), ("Print", "", [first]), ("Close", "", []))
    new = RecordedGuide(
        owner, ("Save", "", [first, second]), ("Print", "", [first, second]), ("Close", "", [second])
    )
    answer = compare(owner, old, new).json()["steps"]
    assert [step["change"] for step in answer] == ["same", "picture", "picture"]
    assert (
        answer[1]["picture_regions"]
        == answer[2]["picture_regions"]
        == [{"x": 0, "y": 0, "width": 1, "height": 1}]
    )
    gone = compare(owner, new, old).json()["steps"]
    assert [step.get("picture_regions") for step in gone] == [None, [], []]


def test_added_and_removed_steps_have_no_regions(owner: Api) -> None:
    old, new = RecordedGuide(owner), RecordedGuide(owner, ("Save", "", [screen()]))
    assert compare(owner, old, new).json() == {"steps": [{"other_block_id": new.steps[0], "change": "added"}]}
    assert compare(owner, new, old).json() == {"steps": [{"block_id": new.steps[0], "change": "removed"}]}


def test_the_newest_versions_are_compared(owner: Api) -> None:
    old, new = RecordedGuide(owner, *STEPS), RecordedGuide(owner, *STEPS)
    document = owner.get(f"/instructions/{new.id}").json()
    body = {"base_version": 1, "markdown": document["markdown"].replace("calendar", "list")}
    assert owner.put(f"/instructions/{new.id}", body).status_code == 200
    assert [change for *_, change in changes(owner, old, new)] == ["same", "same", "words", "same"]


def test_pictures_outside_of_steps_do_not_count(owner: Api) -> None:
    old, new = RecordedGuide(owner, *STEPS), RecordedGuide(owner, *STEPS)
    heading = next(
        block for block in new.job.instruction.versions.get().read_blocks() if block.kind == "heading"
    )
    new.add_picture(heading.block_id, screen())
    assert {change for *_, change in changes(owner, old, new)} == {"same"}


@pytest.mark.parametrize("query", ["", "?with=", "?with=%00", "?with=a&odd=1"])
def test_a_query_without_a_guide_or_with_more_is_400(owner: Api, query: str) -> None:
    answer = owner.get(f"/instructions/{RecordedGuide(owner).id}/compare{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    field = "odd" if "odd" in query else "with"
    assert [error["field"] for error in answer.json()["details"]["errors"]] == [field]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_guide_that_is_not_ones_own_is_404_on_either_side(
    owner: Api, stranger: Api, accept: str, django_assert_num_queries: Any
) -> None:
    mine, theirs = RecordedGuide(owner), RecordedGuide(stranger)
    seen = []
    for other in (theirs.id, "01a20000-0000-7000-8000-00000000abcd", "odd", mine.id.upper() + "x"):
        with django_assert_num_queries(3):  # the user, the one guide, the look-up of the other
            answer = owner.get(f"/instructions/{mine.id}/compare?with={other}", accept=accept)
        content = answer.json()
        content.pop("request_id")
        seen.append((answer.status_code, content, answer.headers["Content-Type"]))
    assert seen[0][0] == 404 and seen[0][1]["code"] == "RESOURCE_NOT_FOUND"
    assert seen[0][2] == "application/json" and all(one == seen[0] for one in seen)
    assert stranger.get(f"/instructions/{mine.id}/compare?with={theirs.id}").status_code == 404


def test_other_media_types_are_not_acceptable(owner: Api) -> None:
    guide = RecordedGuide(owner)
    assert compare(owner, guide, guide, accept="text/csv").status_code == 406


def test_comparing_takes_as_many_statements_for_any_number_of_pictures(
    owner: Api, django_assert_num_queries: Any
) -> None:
    small = RecordedGuide(owner, ("Save", "", [screen()]))
    large = RecordedGuide(owner, *((title, body, [screen(), screen(menu=True)]) for title, body, _ in STEPS))
    for guide in (small, large):
        # The user; both guides with their jobs; for each its version, its anchors and where they stand; the files of
        # the pictures; the place among media calls, taken and left; whether one was concealed meanwhile.
        with django_assert_num_queries(11) as seen:
            assert compare(owner, guide, guide).status_code == 200
    assert not any("FOR UPDATE" in query["sql"] for query in seen.captured_queries)


def test_a_guide_of_a_job_that_has_ended_is_compared(owner: Api) -> None:
    guide = RecordedGuide(owner, *STEPS)
    force(guide.job, JobStatus.CANCELLED)
    assert {change for *_, change in changes(owner, guide, guide)} == {"same"}
