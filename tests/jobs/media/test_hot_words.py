"""Which names of a screen a recogniser is told, and what it makes of them."""

from __future__ import annotations

import pytest

from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from jobs.media.speech.hot_words import MAX_HOT_WORDS, as_sentences, choose_hot_words, is_any_said


def click(at_ms: int, label: str | None, text: str | None = None) -> ScreenEvent:
    kind = EventKind.TYPE if text else EventKind.CLICK
    return ScreenEvent(at_ms, kind, Region(0, 0, 1, 1), 1.0, label=label, text=text)


def test_names_that_are_acted_on_come_first_the_most_frequent_before() -> None:
    events = (click(0, "Bill to", text="Acme"), click(1, None), click(2, "Save"), click(3, "Save"))
    screen = Screen(events, ("Customers", "bill to", "Outbox"))
    assert choose_hot_words(screen) == ("Save", "Bill to", "Customers", "Outbox")


def test_without_a_reading_of_the_screen_there_are_none() -> None:
    assert choose_hot_words(Screen()) == ()


@pytest.mark.parametrize(
    "name", ["New invoice", "Compare & pull request", "SSID", "Neue Rechnung", "新建发票", "E-mail"]
)
def test_names_of_controls_are_told(name: str) -> None:
    assert choose_hot_words(Screen(words=(name,))) == (name,)


@pytest.mark.parametrize(
    "text",
    [
        "1,234.00",
        "12:30 PM",
        "x",
        "The invoice was sent to the customer yesterday",
        "Supercalifragilisticexpialidocious",
        "anna@example.com",
        "sk-a1b2c3d4e5f6",
        "C:\\Users\\anna",
        "/home/anna",
        "www.example.com",
        "user_id",
        "Room 4711",
    ],
)
def test_numbers_prose_addresses_and_keys_are_not(text: str) -> None:
    assert choose_hot_words(Screen((click(0, text),), (text,))) == ()


def test_they_are_few_and_short() -> None:
    many = Screen(words=tuple(f"Name {chr(65 + at % 26)}{chr(97 + at // 26)}" for at in range(100)))
    assert choose_hot_words(many) == many.words[:MAX_HOT_WORDS]
    long = Screen(words=tuple(chr(65 + at) * 30 for at in range(26)))
    assert choose_hot_words(long) == long.words[:16]


def test_each_name_is_a_sentence_of_the_prompt() -> None:
    assert as_sentences(["New invoice", "Save as"]) == "New invoice. Save as."
    assert as_sentences(["New invoice", "Save as"], "There is ") == "There is New invoice. There is Save as."
    assert as_sentences([]) == ""


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        (" Click on new invoice.", True),
        (" Click on New. Invoice", True),
        (" Look at the book.", False),
        (" OK, then", True),
        ("\u70b9\u51fb\u4fdd\u5b58\u3002", True),
        ("", False),
    ],
)
def test_a_name_is_said_with_any_marks_and_capitals_but_whole(text: str, is_said: bool) -> None:
    assert is_any_said(("New invoice", "OK", "\u4fdd\u5b58", "\u2026"), text) is is_said
