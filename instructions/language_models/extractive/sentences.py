"""Split a timed transcript into sentences with times, and clean them of fillers.

A recogniser's segment may hold several sentences, half a sentence, or no punctuation at all. The segments'
texts are joined and cut into sentences; a time within a segment is interpolated by the position of the
character. Times are milliseconds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.verbs import HANDS_ON, words
from jobs.media.transcripts import Segment

_PAUSE_MS = 500
_LONG_PAUSE_MS = 1200
_WORDS_PER_MARK = 40  # a text with fewer marks than one in so many words counts as unpunctuated

_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’）]*")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|no|approx|[A-Z])\.$", re.IGNORECASE)
_SPOKEN_NUMBER = re.compile(r"^\W*(?:step |number )*[0-9]{1,3}\.$", re.IGNORECASE)
_UNFINISHED = words(
    """
    a an and are at because but by can could for from go going gonna i i'll i'm i've if in into is it's just
    my next not now of okay on or our should so that the then these this to was we we'll we're when which
    will with would you you'll you're your
    """
)
_LEADS_OVER = re.compile(
    r"\b(?:(?:okay|ok|alright|and|so) ){0,3}"
    r"(?:now|then|next|after that|finally|first|first of all|okay so|alright so|and so"
    r"|so (?=i|we|you|what|the)|and (?=you (?:just |then )?(?:want|need|have)))\b",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\b(?:(?:and|so|now) ){0,3}(?:(?:as|now|here) you (?:can|will) (?:now )?see\b"
    r"|that's (?:basically |pretty much |about )?(?:it|all)\b|thanks for watching\b"
    r"|if you (?:found|liked|enjoyed|have any)\b)",
    re.IGNORECASE,
)
_ACT = re.compile(
    rf"(?<!right )(?<!double )(?<!left )\b(?:{'|'.join(sorted(HANDS_ON))})"
    r"(?= (?:the|a|an|your|on|in|into|to|this|that|it)\b)",
    re.IGNORECASE,
)
_WIDE = r"\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60"  # scripts written without spaces
_NO_SPACE = re.compile(rf"[{_WIDE}] (?=[{_WIDE}])")

_SOUND = re.compile(
    r"[\[(]\s*(?:(?:upbeat|soft|background|outro|intro|gentle) )*"
    r"(?:music|applause|laughter|laughs|silence|blank_audio|inaudible|noise|sighs?|coughs?)(?: playing)?"
    r"\s*[\])]|[♪♫]+",
    re.IGNORECASE,
)
_FILLERS = (
    # Sounds, with the commas around them.
    (
        re.compile(
            r",?\s*\b(?:u+m+|u+h+|uh-huh|erm+|er|h+m+|ah+)\b(?:\.{2,}|,)?(?=\s|$|[.!?])", re.IGNORECASE
        ),
        "",
    ),
    # Phrases that commas mark as thrown in.
    (
        re.compile(
            r",\s*(?:you know|i mean|like|sort of|kind of|basically|actually|honestly|obviously)\s*,",
            re.IGNORECASE,
        ),
        "",
    ),
    (
        re.compile(
            r"^(?:you know|i mean|like|well|basically|actually|honestly|obviously),\s*", re.IGNORECASE
        ),
        "",
    ),
    (
        re.compile(
            r",\s*(?:you know|i mean|right|okay|ok|yeah|basically|i guess)\s*(?=[.!?]|$)\??", re.IGNORECASE
        ),
        "",
    ),
    (
        re.compile(
            r"\b(is|are|was|it's|that's|you|i|we|they|just) (?:kind of|sort of|kinda|sorta) ", re.IGNORECASE
        ),
        r"\1 ",
    ),
    (re.compile(r"\b(?:basically|literally|obviously) ", re.IGNORECASE), ""),
    # Words said twice.
    (
        re.compile(
            r"\b(the|a|an|to|of|in|on|at|and|or|i|we|you|it|is|are|this|so|then|now|my|your|for|with|can|will"
            r"|our|just|we're|i'm|you're|it's|let's)(?:,? \1\b)+",
            re.IGNORECASE,
        ),
        r"\1",
    ),
    (re.compile(r"\bgonna\b", re.IGNORECASE), "going to"),
    (re.compile(r"\bwanna\b", re.IGNORECASE), "want to"),
    (re.compile(r"\bgotta\b", re.IGNORECASE), "have to"),
)
_OPENERS = re.compile(
    r"^(?:(?:okay|ok|alright|all right|so|well|and|yeah|now|then|basically|actually)\b[\s,]*)+", re.IGNORECASE
)
_I = re.compile(r"\bi(?=['’](?:m|ll|ve|d)\b|\s)")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Frequent words: of English alone, and of some languages in which "um" or "er" are words, or that share some of these.
_ENGLISH = words(
    """
    the and you this that of it your with then now what where click clicking press select choose save
    i'm we're you're it's that's i'll we'll you'll let's gonna
    """
)
_OTHERS = words(
    """
    auf aus das dem den der ein eine einen im ist mit nicht oder sie und zu zum zur
    ao da das dos em na os para que seu uma af det en et med og på til är och som
    de een het op van al con del el la las los y au dans du le les pour sur che di il nel
    """
)
_ENGLISH_SHARE = 0.06


@dataclass(frozen=True)
class Sentence:
    """One spoken sentence, its times, and the positions of the segments that it stands in.

    `text` is as the recogniser wrote it.
    """

    text: str
    start_ms: int
    end_ms: int
    segments: tuple[int, ...]


def split_sentences(segments: Sequence[Segment], *, english: bool = True) -> list[Sentence]:
    """Return the sentences of a transcript in order, without segments that hold no words."""
    transcript = _Transcript(segments)
    ends = _marked_ends(transcript.text)
    unpunctuated = len(ends) * _WORDS_PER_MARK < len(transcript.text.split())
    ends |= _pauses(transcript, english=english)
    if unpunctuated and english:
        ends |= _spoken_borders(transcript)
    return transcript.cut(ends)


def sentences_of(text: str) -> list[str]:
    """Return a text's sentences, cut by its punctuation alone."""
    edges = [0, *sorted(_marked_ends(text)), len(text)]
    pieces = (text[begin:end].strip() for begin, end in pairwise(edges))
    return [piece for piece in pieces if piece]


def sounds_english(text: str) -> bool:
    """Return whether a text is English, as far as its frequent words say; a name in English is not enough."""
    spoken = _WORD.findall(text.lower().replace("’", "'"))
    english = sum(word in _ENGLISH for word in spoken)
    others = sum(word in _OTHERS for word in spoken)
    return english > others and english >= _ENGLISH_SHARE * len(spoken)


def clean(sentence: str, *, english: bool = True) -> str:
    """Return a sentence without fillers and doubled words, with a capital and a mark at its end.

    Spacing is corrected too. The result is empty when no words are left.
    """
    text = " ".join(_SOUND.sub(" ", sentence).split())
    if english:
        for pattern, replacement in _FILLERS:
            text = pattern.sub(replacement, text)
        text = _I.sub("I", text)
    text = re.sub(r"\s+([,.;:!?])(?=\s|$)", r"\1", " ".join(text.split()))
    text = re.sub(r"^[\s,.;:!?…-]+", "", text).rstrip(" ,;:-–")
    if not re.search(r"\w", text):
        return ""
    if not re.search(r"[.!?…。！？][\"'”’)\]」』）]*$", text):
        text += "。" if re.search(rf"[{_WIDE}]$", text) else "."
    return text[:1].upper() + text[1:]


def without_openers(sentence: str) -> str:
    """Return a clean sentence without the words that lead over to it ("Okay, so", "And").

    A sentence of which fewer than two words would be left is returned as it is.
    """
    rest = _OPENERS.sub("", sentence)
    return rest[:1].upper() + rest[1:] if len(rest.split()) > 1 else sentence


class _Transcript:
    """The segments' texts joined to one string, and the time of each character in it."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        ordered = sorted(range(len(segments)), key=lambda position: segments[position].start_ms)
        pieces = [(" ".join(segments[position].text.split()), position) for position in ordered]
        spoken = [(piece, at) for piece, at in pieces if re.search(r"\w", _SOUND.sub("", piece))]
        self.pieces = [(piece, segments[position]) for piece, position in spoken]
        self.positions = [position for _, position in spoken]
        self.starts: list[int] = []
        at = 0
        for piece, _ in self.pieces:
            self.starts.append(at)
            at += len(piece) + 1
        self.text = " ".join(piece for piece, _ in self.pieces)

    def time_ms(self, position: int, *, is_end: bool = False) -> int:
        """Return when the character at `position` begins, or the one before it ends."""
        number = self._piece_at(position - is_end)
        piece, segment = self.pieces[number]
        share = min(1.0, (position - self.starts[number]) / max(1, len(piece)))
        return round(segment.start_ms + share * max(0, segment.end_ms - segment.start_ms))

    def _piece_at(self, position: int) -> int:
        return max(0, bisect_right(self.starts, position) - 1)

    def cut(self, ends: set[int]) -> list[Sentence]:
        """Return the sentences that end at these positions."""
        sentences: list[Sentence] = []
        begin = 0
        for end in sorted({*ends, len(self.text)}):
            piece = self.text[begin:end]
            text = _NO_SPACE.sub(lambda wide: wide[0][0], piece.strip())
            if text:
                first = begin + len(piece) - len(piece.lstrip())
                last = begin + len(piece.rstrip())
                start_ms = self.time_ms(first)
                end_ms = max(start_ms, self.time_ms(last, is_end=True))
                held = self.positions[self._piece_at(first) : self._piece_at(last - 1) + 1]
                sentences.append(Sentence(text, start_ms, end_ms, tuple(sorted(held))))
            begin = end
        return sentences


def _marked_ends(text: str) -> set[int]:
    ends = (found.end() for found in _SENTENCE_END.finditer(text))
    return {end for end in ends if not _is_abbreviation(text, end)}


def _is_abbreviation(text: str, end: int) -> bool:
    before = text[max(0, end - 12) : end]
    if _ABBREVIATION.search(before) or _SPOKEN_NUMBER.match(re.split(r"[.!?]\s", before)[-1]):
        return True
    # Recognisers write "..." where a speaker stops to think.
    return before.endswith(("...", "…")) and text[end : end + 2].lstrip()[:1].islower()


def _pauses(transcript: _Transcript, *, english: bool) -> set[int]:
    """Return where segments begin after a pause long enough to end a sentence."""
    ends = set()
    for number in range(1, len(transcript.pieces)):
        (before, earlier), (after, later) = transcript.pieces[number - 1], transcript.pieces[number]
        pause_ms = later.start_ms - earlier.end_ms
        if pause_ms < _PAUSE_MS or (english and _last_word(before) in _UNFINISHED):
            continue
        if pause_ms >= _LONG_PAUSE_MS or not english or find_instruction(after):
            ends.add(transcript.starts[number])
    return ends


def _spoken_borders(transcript: _Transcript) -> set[int]:
    """Return where a new instruction begins in text without punctuation."""
    text = transcript.text
    candidates = [(start, True) for start in transcript.starts[1:]]
    candidates += [(found.start(), False) for found in _LEADS_OVER.finditer(text) if found.start()]
    candidates += [(found.start(), True) for found in _ACT.finditer(text) if found.start()]
    borders = {found.start() for found in _TELLS.finditer(text)}
    for start, needs_finished in sorted(candidates):
        if needs_finished and _last_word(text[max(0, start - 30) : start]) in _UNFINISHED:
            continue
        told = find_instruction(text[start : start + 80])
        if told and not (needs_finished and told.lead.lower().startswith(("to ", "if ", "for "))):
            borders.add(start)
    return borders


def _last_word(text: str) -> str:
    found = re.findall(r"[A-Za-z']+", text)
    return found[-1].lower() if found and text.rstrip()[-1:].isalpha() else ""
