"""From words and voices to sentences, passages and windows."""

from __future__ import annotations

from itertools import pairwise

import pytest

from jobs.media.audio import SAMPLE_RATE
from jobs.media.speech.sentences import Span, Word, split_sentences, to_segments
from jobs.media.speech.voice import (
    Voice,
    cut_windows,
    find_passages,
    find_voice,
    longest_pause,
    place_voices,
)


def say(text: str, *, start: int = 0, step: int = 300) -> list[Word]:
    """Words one after the other, each as long as `step`; "+900" is a pause of so many milliseconds."""
    words = []
    for item in text.split():
        if item.startswith("+"):
            start += int(item)
        else:
            words.append(Word(start, start + step, f" {item}"))
            start += step
    return words


def voice_of(words: list[Word]) -> list[Span]:
    """The passages that a perfect voice detector hears."""
    spans: list[Span] = []
    for word in words:
        if spans and word.start_ms == spans[-1][1]:
            spans[-1] = (spans[-1][0], word.end_ms)
        else:
            spans.append((word.start_ms, word.end_ms))
    return spans


def sentences_of(words: list[Word]) -> list[str]:
    return ["".join(word.text for word in part).strip() for part in split_sentences(words, voice_of(words))]


@pytest.mark.parametrize(
    ("spoken", "sentences"),
    [
        ("Click Save. Then wait.", ["Click Save.", "Then wait."]),
        ("Really? Yes! Good…", ["Really?", "Yes!", "Good…"]),
        ('He said "stop." Then more', ['He said "stop."', "Then more"]),
        ("Use version 3.5 of it. npm install runs.", ["Use version 3.5 of it.", "npm install runs."]),
        ("Take a tool, e.g. Excel, or so.", ["Take a tool, e.g. Excel, or so."]),
        ("At 5 p.m. it closes. At 9 a.m. It opens.", ["At 5 p.m. it closes.", "At 9 a.m.", "It opens."]),
        ("Mr. Smith and Dr. Who.", ["Mr. Smith and Dr. Who."]),
        ("choose a +900 name", ["choose a name"]),
        ("click send +2600 turn on the reminder", ["click send", "turn on the reminder"]),
        ("点击。 然后", ["点击。", "然后"]),
    ],
)
def test_words_become_sentences(spoken: str, sentences: list[str]) -> None:
    assert sentences_of(say(spoken)) == sentences


def test_a_run_of_words_without_marks_is_cut_where_the_speaker_pauses() -> None:
    clauses = ["click new invoice in the top right corner", "type the name of the customer and wait a bit"]
    clauses += ["open the menu and choose thirty days", "click send"]
    assert sentences_of(say(" +600 ".join(clauses))) == clauses


def test_a_run_without_pauses_is_cut_at_a_comma_or_after_many_words() -> None:
    found = sentences_of(say(" ".join(["word"] * 60 + ["comma,"] + ["word"] * 100)))
    assert [len(sentence.split()) for sentence in found] == [61, 80, 20]


def test_no_word_is_lost() -> None:
    words = say(" ".join(f"w{number}{'.' if number % 7 == 0 else ''}" for number in range(500)))
    assert [word for sentence in split_sentences(words, voice_of(words)) for word in sentence] == words


@pytest.mark.parametrize(
    ("words", "spoken", "segment"),
    [
        # The first word is early by the pause before it.
        ([Word(2000, 3300, " Check"), Word(3300, 3600, " it.")], [(2800, 3650)], (2800, 3650)),
        # The first word is late.
        ([Word(3200, 3300, " Check"), Word(3300, 3600, " it.")], [(2800, 3580)], (2800, 3580)),
        # A voice far before belongs to something else.
        ([Word(5000, 5300, " Check"), Word(5300, 5600, " it.")], [(2800, 9000)], (5000, 5600)),
        ([Word(5000, 5300, " Check")], [], (5000, 5300)),
    ],
)
def test_a_sentence_takes_its_times_from_the_voice(
    words: list[Word], spoken: list[Span], segment: tuple[int, int]
) -> None:
    (found,) = to_segments([tuple(words)], spoken)
    assert (found.start_ms, found.end_ms) == segment


def test_each_sentence_takes_its_times_from_the_voice() -> None:
    sentences = [(Word(at, at + 900, " Click"), Word(at + 900, at + 1500, " Save.")) for at in (0, 5000)]
    found = list(to_segments(sentences, [(300, 1600), (5400, 6700)]))
    assert [(segment.start_ms, segment.end_ms) for segment in found] == [(300, 1600), (5400, 6700)]


def test_a_segment_tells_when_each_of_its_words_begins() -> None:
    """The model times the parts of a word that has a hyphen; the first word is moved to where the voice begins."""
    parts = [(2000, " Send"), (3300, " an"), (3500, " e"), (3600, "-mail"), (4000, " now."), (4150, "")]
    words = tuple(Word(start, end, text) for (start, text), (end, _) in pairwise(parts))
    (found,) = to_segments([words], [(2800, 4150)])
    assert (found.text, found.word_starts_ms) == ("Send an e-mail now.", (2800, 3300, 3500, 4000))


def test_the_times_of_words_rise_and_stay_in_their_segment() -> None:
    late = (Word(600, 700, " Two"), Word(3000, 3100, " or"), Word(1400, 2600, " four."))
    found = list(to_segments([(Word(0, 1000, " One."),), late], []))
    assert [segment.word_starts_ms for segment in found] == [(0,), (1000, 2600, 2600)]


def test_a_word_of_a_script_without_spaces_is_timed_as_one() -> None:
    (found,) = to_segments([(Word(0, 300, "点"), Word(300, 600, "击。"))], [])
    assert (found.text, found.word_starts_ms) == ("点击。", (0,))


def test_segments_do_not_overlap() -> None:
    sentences = [(Word(0, 1000, " One."),), (Word(600, 1600, " Two."),), (Word(1500, 1550, " Three."),)]
    found = list(to_segments(sentences, []))
    assert [(segment.start_ms, segment.end_ms) for segment in found] == [
        (0, 1000),
        (1000, 1600),
        (1600, 1600),
    ]


@pytest.mark.parametrize(
    ("spoken", "cut"),
    [
        ([], 50),
        ([(0, 100)], 100),
        ([(0, 60), (64, 80), (90, 100)], 85),
        ([(0, 20), (40, 60), (62, 100)], 61),  # the longer pause is in the first half
        ([(0, 60)], 80),
    ],
)
def test_a_block_is_cut_in_the_longest_pause_of_its_second_half(spoken: list[Span], cut: int) -> None:
    assert longest_pause(spoken, 100) == cut


def test_long_silence_is_left_out_and_places_are_kept() -> None:
    spoken = [
        (1 * SAMPLE_RATE, 2 * SAMPLE_RATE),
        (3 * SAMPLE_RATE, 4 * SAMPLE_RATE),
        (10 * SAMPLE_RATE, 11 * SAMPLE_RATE),
    ]
    passages = find_passages(spoken, 11 * SAMPLE_RATE)
    assert passages == [
        (round(0.6 * SAMPLE_RATE), round(4.4 * SAMPLE_RATE)),
        (round(9.6 * SAMPLE_RATE), 11 * SAMPLE_RATE),
    ]
    voices = place_voices(spoken, passages)
    assert [(voice.start + voice.left_out, voice.end + voice.left_out) for voice in voices] == spoken
    assert voices[2].start == round(4.2 * SAMPLE_RATE)
    assert find_passages([], 11 * SAMPLE_RATE) == []


def test_windows_are_cut_in_pauses_and_cover_all() -> None:
    spoken = [(at * SAMPLE_RATE, at * SAMPLE_RATE + SAMPLE_RATE * 9 // 10) for at in range(0, 100)]
    voices = place_voices(spoken, [(0, 100 * SAMPLE_RATE)])
    windows = cut_windows(voices, 100 * SAMPLE_RATE)
    assert windows[0][0] == 0 and windows[-1][1] == 100 * SAMPLE_RATE
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    assert len(windows) == 4
    assert all(27 * SAMPLE_RATE <= end - begin <= 29 * SAMPLE_RATE for begin, end in windows[:-1])
    assert all(not any(start < end < stop for start, stop in spoken) for _, end in windows)


def test_the_voice_after_the_last_word_is_found_with_a_little_before_it() -> None:
    voices = [Voice(0, 16_000, 0), Voice(24_000, 40_000, 0), Voice(48_000, 64_000, 0)]
    assert find_voice(voices, (17_000, 60_000)) == [(22_400, 40_000), (46_400, 60_000)]
    assert find_voice(voices, (30_000, 45_000)) == [(30_000, 40_000)]
    assert find_voice(voices, (41_000, 47_000)) == []
