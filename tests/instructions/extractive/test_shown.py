"""Steps of a recording in which nothing is said: which events are steps, and how they are worded."""

from __future__ import annotations

from typing import Any

import pytest

from instructions.drafting import TITLE_LIMIT, Step
from instructions.evidence import Frame
from instructions.language_models.extractive.shown import actions, shown_steps
from jobs.media.screen.events import ScreenEvent
from tests.instructions.extractive.events import (
    BUTTON,
    CHOICE,
    FAR,
    MENU,
    click,
    frame,
    scroll,
    typed,
    window,
)


def steps(*events: ScreenEvent, language: str = "en") -> tuple[Step, ...]:
    return shown_steps(events, language=language)


def titles(*events: ScreenEvent, language: str = "en") -> list[str]:
    return [step.title for step in steps(*events, language=language)]


def test_a_click_is_a_step_with_its_frame_as_evidence() -> None:
    (step,) = steps(click(1000, "Save"))
    shown = (Frame(frame(1000).pts, frame(1000).frame_sha256),)
    assert step == Step("Click Save", ("Click Save.",), 1000, 1000, frames=shown)
    assert steps(click(1000, "Save", frame=None))[0].frames == ()


def test_typing_is_a_step_that_lasts_until_its_last_letter() -> None:
    (step,) = steps(typed(1000, "Name", "Anna"))
    assert (step.title, step.start_ms, step.end_ms) == ("Type “Anna” in Name", 1000, 1900)
    assert step.frames == (Frame(frame(1000).pts, frame(1000).frame_sha256),)


def test_scrolls_and_windows_are_no_steps() -> None:
    assert steps(scroll(1000), window(3000, "Page"), scroll(5000)) == ()
    assert steps() == ()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (click(1000, "Name", region=FAR), ["Type “Anna” in Name"]),
        (click(1000, None), ["Type “Anna” in Name"]),
        (click(1000, "Other"), ["Type “Anna” in Name"]),  # the same place, read in another way
        (click(1000, "Other", region=FAR), ["Click Other", "Type “Anna” in Name"]),
        (click(1000, None, region=FAR), ["Click the place that the picture shows", "Type “Anna” in Name"]),
    ],
)
def test_a_click_into_a_field_belongs_to_the_typing(at: ScreenEvent, expected: list[str]) -> None:
    assert titles(at, typed(3000, "Name", "Anna")) == expected


def test_a_click_long_before_the_typing_is_a_step() -> None:
    assert titles(click(1000, "Name"), typed(9000, "Name", "Anna")) == ["Type “Anna” in Name"]
    assert titles(click(1000, "Name"), typed(9001, "Name", "Anna")) == ["Click Name", "Type “Anna” in Name"]


def test_a_private_field_is_to_be_filled_in() -> None:
    assert titles(click(1000, "Password"), typed(2000, "Password")) == ["Fill in Password"]
    assert titles(typed(2000)) == ["Type the text"]


def test_a_switch_that_is_set_and_set_back_goes() -> None:
    shown = [click(1000, "Wifi"), click(3000, "Wifi"), click(5000, "Save", region=FAR)]
    assert titles(*shown) == ["Click Save"]
    kept, taken_back = actions(shown)
    assert [action.event for action in kept + taken_back] == [shown[2], *shown[:2]]


def test_a_switch_that_is_set_three_times_stays_set() -> None:
    assert titles(*(click(at, "Wifi") for at in (1000, 3000, 5000))) == ["Click Wifi"]


@pytest.mark.parametrize(
    "second",
    [
        click(21_001, "Wifi"),
        click(3000, "Wifi", region=FAR),
        click(3000, "Wifi", page_share=0.2),
    ],
)
def test_clicks_far_apart_or_that_change_much_set_nothing_back(second: ScreenEvent) -> None:
    assert titles(click(1000, "Wifi"), second) == ["Click Wifi", "Click Wifi"]
    assert titles(click(1000, "Wifi"), click(3000, "Wifi")) == []


@pytest.mark.parametrize("label", ["Next", "next", "Weiter", "+", ">", "7"])
def test_a_way_on_that_is_clicked_twice_stays(label: str) -> None:
    assert titles(click(1000, label), click(3000, label)) == [f"Click {label}"] * 2


def test_clicks_without_a_label_set_nothing_back() -> None:
    assert len(titles(click(1000), click(3000))) == 2


def test_a_control_that_opens_a_window_is_no_switch() -> None:
    assert len(titles(click(1000, "Details"), window(1200), click(3000, "Details"))) == 2


def test_a_switch_stays_when_other_controls_are_used_between() -> None:
    assert titles(click(1000, "Wifi"), click(2000, "Show", region=FAR), click(3000, "Wifi")) == [
        "Click Wifi",
        "Click Show",
        "Click Wifi",
    ]


@pytest.mark.parametrize("cancel", ["Cancel", "cancel", "Discard changes", "Abbrechen", "Annuler"])
def test_a_cancelled_dialog_goes_with_what_led_to_it(cancel: str) -> None:
    before, after = click(500, "Files", region=FAR), click(20_000, "Save", region=FAR)
    menu = [click(5000, "Menu"), window(5100, region=MENU), click(7000, "Rename", region=CHOICE)]
    dialog = [
        window(7200, "Rename"),
        typed(9000, "Name", "Plan", region=FAR),
        click(11_000, cancel, region=FAR),
    ]
    assert titles(before, *menu, *dialog, after) == ["Click Files", "Click Save"]


def test_a_click_outside_a_menu_is_not_led_to_by_it() -> None:
    menu = [click(5000, "Menu"), window(5100, region=MENU), click(7000, "Rename", region=FAR)]
    assert titles(*menu, window(7200, "Rename"), click(11_000, "Cancel", region=FAR)) == ["Click Menu"]


def test_cancel_without_a_window_takes_nothing_along() -> None:
    assert titles(click(1000, "Files"), click(3000, "Cancel", region=FAR)) == ["Click Files", "Click Cancel"]
    assert titles(click(1000, "Open"), window(1200), click(3000, "Cancellation policy", region=FAR)) == [
        "Click Open",
        "Click Cancellation policy",
    ]


@pytest.mark.parametrize("undo", ["Undo", "undo", "Rückgängig"])
def test_what_a_button_undoes_goes_with_it(undo: str) -> None:
    shown = [click(1000, "Archive"), click(3000, "Delete", region=MENU), click(5000, undo, region=FAR)]
    assert titles(*shown) == ["Click Archive"]


def test_undo_as_the_first_thing_done_takes_nothing_back() -> None:
    assert titles(click(1000, "Undo"), click(3000, "Save", region=FAR)) == ["Click Undo", "Click Save"]


@pytest.mark.parametrize(
    ("more", "is_step"),
    [
        ({"confidence": 0.49}, False),
        ({"confidence": 0.5}, True),
        ({"confidence": 0.4, "page_share": 0.1}, True),
        ({"confidence": 0.35, "label": "Save"}, True),
        ({"confidence": 0.34, "label": "Save"}, False),
        ({"confidence": 0.34, "page_share": 0.9}, False),
    ],
)
def test_doubtful_clicks_without_a_label_are_no_steps(more: dict[str, Any], is_step: bool) -> None:
    assert bool(steps(click(1000, **more))) is is_step


@pytest.mark.parametrize(
    ("label", "confidence", "is_reviewed"),
    [("Save", 0.6, False), ("Save", 0.59, True), (None, 0.99, True), ("Save", 1.0, False)],
)
def test_what_is_not_sure_or_has_no_name_is_to_be_reviewed(
    label: str | None, confidence: float, is_reviewed: bool
) -> None:
    assert [step.needs_review for step in steps(click(1000, label, confidence=confidence))] == [is_reviewed]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", ["Auf Save klicken", "„Anna“ in Name eingeben", "Key ausfüllen"]),
        ("de-AT", ["Auf Save klicken", "„Anna“ in Name eingeben", "Key ausfüllen"]),
        ("fr", ["Cliquer sur Save", "Saisir « Anna » dans Name", "Remplir Key"]),
        ("FR", ["Cliquer sur Save", "Saisir « Anna » dans Name", "Remplir Key"]),
        ("und", ["Click Save", "Type “Anna” in Name", "Fill in Key"]),
        ("", ["Click Save", "Type “Anna” in Name", "Fill in Key"]),
    ],
)
def test_steps_are_worded_in_the_language_of_the_guide(language: str, expected: list[str]) -> None:
    shown = click(1000, "Save"), typed(3000, "Name", "Anna", region=FAR), typed(6000, "Key", region=MENU)
    assert titles(*shown, language=language) == expected


def test_a_long_text_leaves_the_title_and_stays_below_it() -> None:
    text = "x" * TITLE_LIMIT
    (step,) = steps(typed(1000, "Name", text))
    assert (step.title, step.paragraphs) == ("Fill in Name", (f"Type “{text}” in Name.",))


def test_braces_in_what_the_screen_shows_are_text() -> None:
    assert titles(click(1000, "{text}"), typed(3000, "{0}", "{label}", region=FAR)) == [
        "Click {text}",
        "Type “{label}” in {0}",
    ]


@pytest.mark.parametrize("label", ["Save as…", "Really?", "Go!"])
def test_a_sentence_has_one_end_mark(label: str) -> None:
    assert steps(click(1000, label))[0].paragraphs == (f"Click {label}",)


def test_a_window_that_opens_is_told_once_and_ends_the_step() -> None:
    first, second = steps(
        click(1000, "New"), window(1200, "New invoice"), click(1400, "Add", region=FAR), scroll(1600)
    )
    assert (first.paragraphs, first.end_ms) == (("Click New. New invoice opens.",), 1200)
    assert second.paragraphs == ("Click Add.",)


@pytest.mark.parametrize(
    "opened",
    [
        window(1200, None),
        window(1200, "New"),
        window(1200, "Menu", region=MENU),
        window(2501, "Late"),
        window(900, "Before", region=BUTTON),
    ],
)
def test_menus_and_windows_without_a_name_of_their_own_are_not_told(opened: ScreenEvent) -> None:
    shown = sorted([click(1000, "New"), opened], key=lambda each: each.at_ms)
    assert [step.paragraphs for step in steps(*shown)] == [("Click New.",)]


def test_the_same_events_give_the_same_steps() -> None:
    shown = click(1000, "Wifi"), window(1100, "Net"), typed(3000, "Name", "Anna", region=FAR), click(9000)
    assert len({steps(*shown) for _ in range(5)}) == 1


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "Run ls -l"), ("de", "ls -l ausführen"), ("nl", "Voer ls -l uit")]
)
@pytest.mark.parametrize(
    "prompt", ["$", ">", "anna@desk:~/notes$", "root@desk:/#", "[anna@desk ~]$", "mysql>", ">>>"]
)
def test_what_is_typed_at_a_prompt_is_to_be_run(prompt: str, language: str, expected: str) -> None:
    assert titles(typed(1000, prompt, "ls -l"), language=language) == [expected]


@pytest.mark.parametrize(("label", "text"), [("Price in $", "twelve"), ("Discount %", "ten"), ("$", "12.50")])
def test_a_field_whose_label_ends_like_a_prompt_is_typed_into(label: str, text: str) -> None:
    assert titles(typed(1000, label, text)) == [f"Type “{text}” in {label}"]


def test_a_long_command_is_cut_in_the_title_and_whole_below_it() -> None:
    text = "convert " + "picture.png " * 20
    (step,) = steps(typed(1000, "$", text.strip()))
    assert step.title.startswith("Run convert picture.png") and len(step.title) <= TITLE_LIMIT
    assert step.paragraphs == (f"Run {text.strip()}.",)


@pytest.mark.parametrize(("confidence", "expected"), [(0.49, []), (0.62, ["Fill in Name"])])
def test_doubtful_typing_that_cannot_be_read_is_no_step(confidence: float, expected: list[str]) -> None:
    assert titles(typed(1000, "Name", confidence=confidence)) == expected


@pytest.mark.parametrize(
    ("at", "is_step"),
    [
        (click(4000, "Harbour Cafel"), False),  # what stands in the field, with the caret behind it
        (click(4000, "Harbour Cafe", region=FAR), True),  # in a list of proposals
        (click(4000, "Clear"), True),
    ],
)
def test_a_click_on_what_was_just_typed_is_no_step(at: ScreenEvent, is_step: bool) -> None:
    expected = ["Type “Harbour Cafe” in Name", *([f"Click {at.label}"] if is_step else [])]
    assert titles(typed(1000, "Name", "Harbour Cafe"), at) == expected


@pytest.mark.parametrize(
    ("at_ms", "more", "is_step"),
    [
        (2500, {"confidence": 0.45}, False),
        (2501, {"confidence": 0.45}, True),
        (2500, {"confidence": 0.5}, True),
        (2500, {"confidence": 0.45, "label": "Save"}, True),
    ],
)
def test_a_page_that_comes_after_a_click_is_no_click(at_ms: int, more: dict[str, Any], is_step: bool) -> None:
    page = click(at_ms, **{"page_share": 0.9, "region": FAR, **more})
    assert len(steps(click(1000, "Send"), page)) == 1 + is_step
    assert len(steps(page)) == 1
