"""A spoken guide put together with what the screen shows: names, frames, and what is done without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from instructions.drafting import Guide, Section, Step
from instructions.evidence import Frame
from instructions.language_models.extractive.on_screen import respelt, with_screen
from jobs.media.screen.events import ScreenEvent
from tests.instructions.extractive.events import FAR, click, frame, scroll, typed, window


def said(title: str, start_ms: int, *told: str, segments: tuple[int, ...] = (0,)) -> Step:
    return Step(title, told or (f"{title}.",), start_ms, start_ms + 2000, segments)


def spoken(*steps: Step) -> Guide:
    return Guide("Guide", (Section("", steps),), ("Hello.",), ("Done.",))


def put_together(guide: Guide, *events: ScreenEvent, language: str = "en") -> tuple[Step, ...]:
    (section,) = with_screen(guide, events, language=language).sections
    return section.steps


def titles(guide: Guide, *events: ScreenEvent, language: str = "en") -> list[str]:
    return [step.title for step in put_together(guide, *events, language=language)]


def frames(*times_ms: int) -> tuple[Frame, ...]:
    return tuple(Frame(frame(at).pts, frame(at).frame_sha256) for at in times_ms)


def test_without_events_the_guide_is_as_it_was() -> None:
    guide = spoken(said("Click Save", 1000))
    assert with_screen(guide, (), language="en") is guide
    assert with_screen(guide, (scroll(1000), window(2000, "Page")), language="en") is guide


def test_where_many_clicks_are_doubtful_the_guide_is_as_it_was() -> None:
    guide = spoken(said("Click safe", 1000))
    doubtful = [click(5000 * at, "Save", confidence=0.59) for at in range(1, 3)]
    unread = [click(5000 * at, None) for at in range(1, 3)]
    sure = [click(5000 * at, f"Page {at}") for at in range(3, 6)]
    assert with_screen(guide, (*doubtful, *sure), language="en") is guide
    assert with_screen(guide, (*unread, *sure), language="en") is guide
    assert with_screen(guide, (doubtful[0], *sure), language="en") is not guide


def test_a_misheard_name_is_spelt_as_on_the_screen() -> None:
    guide = spoken(said("Click Move invoice", 1000, "Now click move invoice, at the top.", segments=(3, 4)))
    (step,) = put_together(guide, click(2000, "New invoice"))
    assert step.title == "Click New invoice"
    assert step.paragraphs == ("Now click New invoice, at the top.",)
    assert step.segments == (3, 4)


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("Click Move invoice", "New invoice", "Click New invoice"),
        ("Click save changes.", "Save changes", "Click Save changes."),
        ("Click save changes and wait", "Save changes…", "Click Save changes and wait"),
        ("Choose the same", "Name", "Choose the same"),
        ("Say go", "Go", "Say go"),  # too short to be told from others
        ("Turn on the hell", "Help", "Turn on the hell"),
        ("Open the customer", "Customers", "Open the Customers"),  # one word, but much alike
        ("Click old voices", "New invoice", "Click old voices"),  # no word in common, and not much alike
        ("Click news invoices", "New invoice", "Click New invoice"),  # no word in common, but much alike
        ("", "New invoice", ""),
    ],
)
def test_words_that_are_like_a_label_are_respelt(text: str, label: str, expected: str) -> None:
    assert respelt(text, label) == expected


def test_an_unsure_label_respells_nothing() -> None:
    sure = [click(at, f"Page {at}", region=FAR) for at in (30_000, 40_000, 50_000)]
    guide = spoken(said("Click Move invoice", 1000))
    assert titles(guide, click(2000, "New invoice", confidence=0.59), *sure)[0] == "Click Move invoice"


def test_a_title_without_the_name_of_a_control_is_made_from_the_action() -> None:
    (step,) = put_together(spoken(said("Go on from here", 1000)), click(2000, "Publish"))
    assert (step.title, step.paragraphs) == ("Click Publish", ("Go on from here.",))
    assert titles(spoken(said("Go on", 1000)), click(2000, "Publish"), language="de") == [
        "Auf Publish klicken"
    ]


def test_a_step_begins_with_its_action_and_has_its_frames() -> None:
    guide = spoken(said("Fill in the Customer name", 1000))
    (step,) = put_together(guide, click(2500, "Billing"), typed(4000, "Customer name", "Anna", region=FAR))[
        1:
    ]
    assert (step.start_ms, step.end_ms) == (4000, 4900)
    assert (step.frames, step.segments) == (frames(4000), (0,))
    (early,) = put_together(spoken(said("Click Publish", 3000)), click(1000, "Publish"))
    assert (early.start_ms, early.end_ms) == (1000, 5000)


def test_a_step_with_two_actions_begins_with_the_first() -> None:
    guide = spoken(said("Open Settings", 1000, "Open Settings and Billing."))
    (step,) = put_together(guide, click(1500, "Settings"), click(3000, "Billing", region=FAR))
    assert (step.title, step.start_ms, step.frames) == ("Open Settings", 1500, frames(1500, 3000))


def test_what_only_the_text_names_and_is_done_later_is_another_step() -> None:
    guide = spoken(said("Open Settings", 1000, "Later comes Billing."))
    shown = click(1500, "Settings"), click(5001, "Billing", region=FAR)
    assert titles(guide, *shown) == ["Open Settings", "Click Billing"]


def test_actions_that_a_step_names_go_to_it_and_not_to_its_neighbour() -> None:
    guide = spoken(said("Open Settings", 1000), said("Click Publish", 6000))
    both = put_together(guide, click(5500, "Settings"), click(7000, "Publish", region=FAR))
    assert [(step.title, step.frames) for step in both] == [
        ("Open Settings", frames(5500)),
        ("Click Publish", frames(7000)),
    ]


def test_an_action_that_no_step_speaks_of_becomes_one_in_order_of_time() -> None:
    guide = spoken(said("Open Settings", 1000), said("Click Publish", 60_000))
    made = put_together(
        guide,
        click(1500, "Settings"),
        click(30_000, "Billing", region=FAR),
        click(61_000, "Publish"),
    )
    assert [(step.title, step.start_ms) for step in made] == [
        ("Open Settings", 1500),
        ("Click Billing", 30_000),
        ("Click Publish", 61_000),
    ]
    assert (made[1].segments, made[1].frames) == ((), frames(30_000))


def test_a_step_of_its_own_joins_the_section_that_is_going_on() -> None:
    first, second = said("Open Settings", 10_000), said("Click Publish", 60_000)
    guide = Guide("Guide", (Section("One", (first,)), Section("Two", (second,))))
    shown = (
        click(1000, "Start"),
        click(10_500, "Settings", region=FAR),
        click(40_000, "Billing"),
        click(60_500, "Publish", region=FAR),
        click(90_000, "Close"),
    )
    one, two = with_screen(guide, shown, language="en").sections
    assert [step.title for step in one.steps] == ["Click Start", "Open Settings", "Click Billing"]
    assert [step.title for step in two.steps] == ["Click Publish", "Click Close"]


@pytest.mark.parametrize("doubtful", [{"confidence": 0.59}, {"label": None}])
def test_a_doubtful_action_becomes_no_step_beside_speech(doubtful: dict[str, Any]) -> None:
    sure = [click(at, f"Page {at}", region=FAR) for at in (50_000, 60_000, 70_000)]
    unsure = replace(click(30_000, "Billing"), **doubtful)
    starts = [step.start_ms for step in put_together(spoken(said("Welcome", 1000)), unsure, *sure)]
    assert starts == [1000, 50_000, 60_000, 70_000]


def test_an_undone_action_takes_its_spoken_step_along() -> None:
    guide = spoken(said("Turn on Sound alerts", 1000), said("Click Publish", 20_000))
    undone = click(2000, "Sound alerts"), click(4000, "Sound alerts")
    assert titles(guide, *undone, click(20_500, "Publish", region=FAR)) == ["Click Publish"]


def test_a_step_that_does_not_name_what_is_undone_stays() -> None:
    guide = spoken(said("Look at the page", 1000), said("Click Publish", 20_000))
    undone = click(2000, "Sound alerts"), click(4000, "Sound alerts")
    assert titles(guide, *undone, click(20_500, "Publish", region=FAR)) == [
        "Look at the page",
        "Click Publish",
    ]


def test_what_is_said_around_the_steps_stays() -> None:
    guide = with_screen(spoken(said("Click Save", 1000)), [click(1500, "Save")], language="en")
    assert (guide.title, guide.introduction, guide.closing) == ("Guide", ("Hello.",), ("Done.",))


def test_the_same_guide_and_events_give_the_same_guide() -> None:
    guide = spoken(said("Click Move invoice", 1000), said("Go on", 9000))
    shown = click(2000, "New invoice"), click(9500, "Publish", region=FAR), click(40_000, "Close")
    assert len({repr(with_screen(guide, shown, language="en")) for _ in range(5)}) == 1


def test_an_action_long_after_the_words_is_not_theirs() -> None:
    guide = spoken(said("Open Settings", 10_000), said("Click Done", 60_000))
    assert titles(guide, click(40_000, "Billing")) == ["Open Settings", "Click Billing", "Click Done"]
