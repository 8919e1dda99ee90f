"""Where steps begin, as it was learnt from marked talks."""

from __future__ import annotations

import json

import pytest

from instructions.language_models.extractive import Extractive
from instructions.language_models.extractive.candidates import find_candidates
from instructions.language_models.extractive.finder import GAP_MS, LIKELY, WEIGHTS
from jobs.media.transcripts import Segment

ENGLISH = (
    "Hi everyone, welcome back to the channel. Today I want to talk about invoices. So first you click on "
    "New invoice in the top right corner. A window opens, and it has three fields. Then you type the name "
    "of the customer. Most of our customers are in there already. Now choose thirty days in the payment "
    "terms. I always forget that one. After that you tick the box that says send a copy. The copy goes to "
    "your own mailbox. Press Save and then wait for a second. It takes a while on a slow line. Open the "
    "list again and check that the invoice is there. Thanks for watching. See you next time."
)
GERMAN = (
    "Hallo zusammen, heute geht es um Rechnungen. Zuerst klicken Sie oben rechts auf Neue Rechnung. Dann "
    "öffnet sich ein Fenster. Jetzt wählen Sie den Kunden aus der Liste. Die meisten stehen schon drin. "
    "Danach geben Sie den Betrag ein und klicken auf Speichern. Das dauert einen Moment."
)


def talk(text: str, *, words: int = 8) -> list[Segment]:
    """A transcript in passages of so many words, three a second."""
    said = text.split()
    return [
        Segment(at * 333, (at + len(said[at : at + words])) * 333, " ".join(said[at : at + words]))
        for at in range(0, len(said), words)
    ]


def begins(text: str, language: str) -> list[str]:
    return [each.text for each in find_candidates(talk(text), language=language) if each.score >= LIKELY]


def test_steps_are_found_and_greetings_are_not() -> None:
    found = " | ".join(begins(ENGLISH, "en"))
    for words in (
        "click on New invoice",
        "choose thirty days",
        "tick the box",
        "Press Save",
    ):
        assert words in found
    for words in ("welcome back", "Thanks for watching", "I always forget", "It takes a while"):
        assert words not in found


def test_german_steps_are_found_too() -> None:
    found = " | ".join(begins(GERMAN, "de"))
    for words in ("klicken Sie oben rechts", "wählen Sie den Kunden", "geben Sie den Betrag"):
        assert words in found
    assert "heute geht es" not in found and "Dann öffnet sich" not in found


def test_without_marks_steps_begin_within_what_is_said() -> None:
    plain = ENGLISH.replace(".", "").replace(",", "").lower()
    assert len(begins(plain, "en")) >= 2


@pytest.mark.parametrize("text", ["", "Click", "\u4fdd\u5b58\u3002", "..."])
def test_little_or_nothing_said_is_no_error(text: str) -> None:
    found = find_candidates([Segment(0, 1000, text)], language="en")
    assert " ".join(each.text for each in found) == text
    assert find_candidates([], language="en") == []


def test_the_stretches_hold_all_words_in_order() -> None:
    found = find_candidates(talk(ENGLISH), language="en")
    assert " ".join(each.text for each in found) == ENGLISH
    assert [each.start_ms for each in found] == sorted(each.start_ms for each in found)
    assert all(each.start_ms <= each.end_ms and each.segments for each in found)


def test_a_step_begins_when_its_first_word_is_said() -> None:
    """By its letters the second sentence would begin after 2.2 seconds of the 4."""
    text, starts = (
        "Click on the Save button. Then open Reports now.",
        (0, 200, 300, 400, 600, 3000, 3200, 3500, 3800),
    )
    known, guessed = (
        [each.start_ms for each in find_candidates([segment], language="en")]
        for segment in (Segment(0, 4000, text, starts), Segment(0, 4000, text))
    )
    assert known == [0, 3000]
    assert guessed == [0, pytest.approx(2200, abs=100)]


def test_no_two_steps_begin_close_together() -> None:
    starts = [each.start_ms for each in find_candidates(talk(ENGLISH), language="en") if each.score >= LIKELY]
    assert all(later - earlier >= GAP_MS - 1 for earlier, later in zip(starts, starts[1:], strict=False))


def test_a_long_talk_is_drafted_by_the_finder() -> None:
    draft = Extractive().draft(talk(ENGLISH), title=None, language="en")
    headings = [step.heading for step in draft.steps]
    assert "Click on New invoice" in " | ".join(headings)
    assert [step.start_ms for step in draft.steps] == sorted(step.start_ms for step in draft.steps)
    assert Extractive().draft(talk(ENGLISH), title=None, language="en") == draft


def test_the_weights_are_numbers_by_name() -> None:
    weights = json.loads(WEIGHTS.read_text())
    assert "bias" in weights and all(isinstance(weight, float) for weight in weights.values())
    assert list(weights) == sorted(weights)
