"""Sections of a guide: where they begin, and what they are called."""

from __future__ import annotations

import pytest

from instructions.language_models.extractive.sections import Topic, borders, name


def topics(*pauses_ms: int, cues: dict[int, str] | None = None, text: str = "open the menu") -> list[Topic]:
    return [
        Topic("open the menu", text, pause, (cues or {}).get(at, "")) for at, pause in enumerate(pauses_ms)
    ]


@pytest.mark.parametrize(
    ("pauses_ms", "expected"),
    [
        ((0, 700, 1900, 750), [2]),
        ((0, 750, 750, 1900, 750, 850, 1800, 750, 750), [3, 6]),
        ((0, 700, 800, 750, 900), []),
        ((0, 1900, 700, 700, 700, 700, 1900), []),  # a section has two steps at least
        ((0, 700, 1900), []),
        ((0, 0, 0, 0, 0, 0), []),
        ((0, 0, 2000, 0), [2]),
        ((0,), []),
        ((), []),
    ],
)
def test_a_section_begins_after_a_clearly_longer_pause(
    pauses_ms: tuple[int, ...], expected: list[int]
) -> None:
    assert borders(topics(*pauses_ms)) == expected


def test_a_word_that_leads_over_makes_up_for_a_shorter_pause() -> None:
    pauses = (0, 700, 1000, 750)
    assert borders(topics(*pauses, cues={2: "finally"})) == [2]
    assert borders(topics(*pauses)) == borders(topics(*pauses, cues={2: "then"})) == []


def test_without_pauses_a_word_and_other_things_make_a_section() -> None:
    steps = [
        Topic(text, text, 0, cue)
        for text, cue in [("open the invoice", ""), ("type the invoice date", "")] * 2
    ]
    moved = [
        *steps,
        Topic("pick a color", "pick a color", 0, "next"),
        Topic("drop the color", "drop the color", 0),
    ]
    assert borders(moved) == [4]
    assert borders([*moved[:4], *topics(0, 0, cues={0: "next"}, text="open the invoice")]) == []


@pytest.mark.parametrize(
    ("clauses", "title"),
    [
        (
            ("click New invoice", "open the payment terms menu and choose 30 days"),
            "Invoice and payment terms",
        ),
        (("click Save", "press it again"), ""),
        (("type the customer's name", "check the customer"), "Customer"),
        (("open a private window",), "Private window"),
        (("log in", "enter ten o'clock", "it's the 3 PM one"), ""),
    ],
)
def test_a_section_is_called_after_what_its_steps_are_done_to(clauses: tuple[str, ...], title: str) -> None:
    assert name([Topic(clause, clause, 0) for clause in clauses], []) == title


def test_what_other_sections_speak_of_too_is_no_good_name() -> None:
    clauses = ("open the invoice", "add the discount", "print the ticket")
    here = [Topic(clause, clause, 0) for clause in clauses]
    assert name(here, []) == "Invoice and discount"
    assert name(here, [Topic("", "the invoice", 0)] * 9) == "Discount and ticket"
