"""Sentences with times out of what recognisers write, and without the words that nobody writes."""

from __future__ import annotations

import pytest

from instructions.language_models.extractive.sentences import (
    clean,
    sounds_english,
    split_sentences,
    without_openers,
)
from jobs.media.transcripts import Segment


def texts(*segments: Segment, english: bool = True) -> list[str]:
    return [sentence.text for sentence in split_sentences(segments, english=english)]


def test_sentences_within_a_segment_get_times_by_their_place_in_it() -> None:
    first, second = split_sentences([Segment(1000, 5000, "Click on it now. Then wait here.")])
    assert (first.text, first.start_ms) == ("Click on it now.", 1000)
    assert (second.text, second.end_ms) == ("Then wait here.", 5000)
    assert first.end_ms == pytest.approx(3000, abs=100) == pytest.approx(second.start_ms, abs=200)


def test_a_sentence_over_several_segments_is_one() -> None:
    (sentence,) = split_sentences([Segment(0, 900, "Click on the"), Segment(900, 2000, "save button.")])
    assert (sentence.text, sentence.start_ms, sentence.end_ms) == ("Click on the save button.", 0, 2000)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Really? Yes! Go on. now.", ["Really?", "Yes!", "Go on.", "now."]),
        ("Use e.g. the menu, i.e. this one.", ["Use e.g. the menu, i.e. this one."]),
        ("Open invoice.pdf or version 3.5 now.", ["Open invoice.pdf or version 3.5 now."]),
        ("Step 1. Open it. Step 2. Close it.", ["Step 1. Open it.", "Step 2. Close it."]),
        ("So... well... wait. Go.", ["So... well... wait.", "Go."]),
        ("打开菜单。点击保存！", ["打开菜单。", "点击保存！"]),
        ("[Music]", []),
        (" \n ", []),
        ("...", []),
    ],
)
def test_sentences_end_at_their_marks(text: str, sentences: list[str]) -> None:
    assert texts(Segment(0, 1000, text)) == sentences


def test_a_pause_ends_a_sentence_only_when_a_new_one_can_begin() -> None:
    assert texts(Segment(0, 900, "Select the table,"), Segment(1500, 2000, "drag the field.")) == [
        *("Select the table,", "drag the field.")
    ]
    assert texts(Segment(0, 900, "Select the"), Segment(1500, 2000, "drag field.")) == [
        "Select the drag field."
    ]
    assert texts(Segment(0, 900, "It is here"), Segment(2500, 3000, "in the list")) == [
        "It is here",
        "in the list",
    ]


def test_speech_without_punctuation_is_cut_where_instructions_begin() -> None:
    talk = (
        "so first we go to file and then we click on new project next you want to select the folder where it is going "
        "to be saved and then click create now you can see it that's it thanks for watching"
    )
    words = talk.split()
    captions = [
        Segment(at * 400, at * 400 + 3200, " ".join(words[at : at + 8])) for at in range(0, len(words), 8)
    ]
    assert texts(*captions) == [
        "so first we go to file",
        "and then we click on new project",
        "next you want to select the folder where it is going to be saved",
        "and then click create",
        "now you can see it",
        "that's it",
        "thanks for watching",
    ]


def test_segments_come_in_any_order_and_overlap() -> None:
    sentences = split_sentences([Segment(4000, 3000, "Second one."), Segment(0, 5000, "First one.")])
    assert [(sentence.text, sentence.start_ms) for sentence in sentences] == [
        ("First one.", 0),
        ("Second one.", 4000),
    ]
    assert all(sentence.end_ms >= sentence.start_ms for sentence in sentences)


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("Um, so, uh, click the, you know, the the button", "So click the button."),
        ("i think i'm done", "I think I'm done."),
        ("Click save , please", "Click save, please."),
        ("It's kind of like a a list, right?", "It's like a list."),
        ("What kind of file is this?", "What kind of file is this?"),
        ("You know the password.", "You know the password."),
        ("It is 5 mm, e.g. this", "It is 5 mm, e.g. this."),
        ("we're gonna wait [Music] (applause)", "We're going to wait."),
        ("打开菜单", "打开菜单。"),
        ("uh", ""),
        ("[Music]", ""),
    ],
)
def test_fillers_go_and_the_rest_is_written_well(spoken: str, written: str) -> None:
    assert clean(spoken) == written
    assert clean(written) == written


def test_words_of_other_languages_are_no_fillers() -> None:
    assert clean("um vier Uhr kommt er", english=False) == "Um vier Uhr kommt er."


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [("Okay, so now it opens.", "It opens."), ("And.", "And."), ("Soap is here.", "Soap is here.")],
)
def test_words_that_only_lead_over_are_taken_off(sentence: str, rest: str) -> None:
    assert without_openers(sentence) == rest


@pytest.mark.parametrize(
    "text",
    ["Um, click on it.", "Now open the file.", "That's what we’re going to do.", "You choose Das Auto."],
)
def test_english_is_known_by_its_frequent_words(text: str) -> None:
    assert sounds_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8:30",
        "Um 8 Uhr öffnet er die Datei.",
        "Klicken Sie auf Save and Close.",
        "Klik op de knop Save and Close of sluit het.",
        "To jest ważne.",
        "Clique em um botão e salve o arquivo.",
        "Han er på siden.",
        "クリックして保存します。",
    ],
)
def test_other_languages_are_not_english(text: str) -> None:
    assert not sounds_english(text)
