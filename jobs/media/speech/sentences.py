"""Make segments of one sentence each from recognised words, timed by where the voice is heard.

Times are whole milliseconds from the start of the video.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from jobs.media.transcripts import MAX_TEXT_CHARACTERS, Segment

_END = re.compile(r"[.?!…。！？][\"'”’)\]」』]*$")
_CLAUSE_END = re.compile(r"[,;:，、；：][\"'”’)\]]*$")
# These never end a sentence; "p.m.", an initial or "etc." end one when a capital follows.
_NEVER_END = frozenset(("e.g.", "i.e.", "mr.", "mrs.", "ms.", "dr.", "vs.", "approx.", "incl."))
_MAY_END = re.compile(r"(?:[^\W\d_]\.)+|etc\.")

# A pause of this length ends a sentence, with or without punctuation.
_LONG_PAUSE_MS = 2500
# The model sometimes joins sentences with commas or without punctuation. Such a run is cut at pauses or, if there
# are none, at a comma after `_MANY_WORDS` or in any place after `_TOO_MANY_WORDS`.
_RUN_WORDS = 25
_RUN_PAUSE_MS = 500
_MANY_WORDS = 50
_TOO_MANY_WORDS = 80

# How far the voice may be heard before the first word of a sentence, or after its last, as the model times them.
# Measured on sentences read with pauses: the model is up to 800 ms early (it counts a pause as a part of the word
# after it) and up to 450 ms late, the voice detector is within 100 ms.
_VOICE_BEFORE_MS = 1000
_VOICE_AFTER_MS = 350

Span = tuple[int, int]  # start and end, in milliseconds


@dataclass(frozen=True)
class Word:
    """A recognised word. `text` includes its punctuation, and the space before it in languages that have one."""

    start_ms: int
    end_ms: int
    text: str


def split_sentences(words: Iterable[Word], spoken: Sequence[Span]) -> Iterator[tuple[Word, ...]]:
    """Yield the sentences in a run of words, cut by punctuation, then by pauses and length. No word is lost.

    `spoken` are the passages in which a voice is heard, in order of time.
    """

    def is_end(part: Sequence[Word], following: Word) -> bool:
        return _is_end(part, following, _pause_ms(part[-1], following, spoken))

    def is_run_end(part: Sequence[Word], following: Word) -> bool:
        return _is_run_end(part, _pause_ms(part[-1], following, spoken))

    for sentence in _cut(words, is_end):
        if len(sentence) <= _RUN_WORDS:
            yield sentence
        else:
            yield from _cut(sentence, is_run_end)


def to_segments(sentences: Iterable[tuple[Word, ...]], spoken: Sequence[Span]) -> Iterator[Segment]:
    """Yield segments without overlap, in order of time.

    A sentence that starts or ends near an edge of `spoken` gets that time, which is more exact than the words'.
    """
    starts = [start for start, _ in spoken]
    ends = [end for _, end in spoken]
    free_from = 0
    for words in sentences:
        text = "".join(word.text for word in words).strip()[:MAX_TEXT_CHARACTERS]
        if not text:
            continue
        first, last = words[0], words[-1]
        voice_from = max(free_from, first.start_ms - _VOICE_BEFORE_MS)
        start = _nearest(starts, first.start_ms, low=voice_from, high=first.end_ms)
        end = _nearest(ends, last.end_ms, low=last.start_ms, high=last.end_ms + _VOICE_AFTER_MS)
        start = max(start, free_from)
        end = max(end, start)
        free_from = end
        said_at = [min(max(at, start), end) for at in _word_starts(words)][: len(text.split())]
        yield Segment(start_ms=start, end_ms=end, text=text, word_starts_ms=tuple(accumulate(said_at, max)))


def _word_starts(words: Sequence[Word]) -> Iterator[int]:
    """Yield when each word between white space begins: the model may time parts of one, such as "e" and "-mail"."""
    is_new = True
    for word in words:
        for part in re.findall(r"\s+|\S+", word.text):
            if is_new and not part.isspace():
                yield word.start_ms
            is_new = part.isspace()


def _cut(words: Iterable[Word], is_end: Callable[[Sequence[Word], Word], bool]) -> Iterator[tuple[Word, ...]]:
    """Yield the parts of a run of words. `is_end` is called with a part so far and the word that follows it."""
    part: list[Word] = []
    for word in words:
        if part and is_end(part, word):
            yield tuple(part)
            part = []
        part.append(word)
    if part:
        yield tuple(part)


def _is_end(sentence: Sequence[Word], following: Word, pause_ms: int) -> bool:
    if pause_ms >= _LONG_PAUSE_MS:
        return True
    text = sentence[-1].text.strip().lower()
    if text in _NEVER_END:
        return False
    if _MAY_END.fullmatch(text):
        return following.text.strip()[:1].isupper()
    return bool(_END.search(text))


def _is_run_end(part: Sequence[Word], pause_ms: int) -> bool:
    if pause_ms >= _RUN_PAUSE_MS or len(part) >= _TOO_MANY_WORDS:
        return True
    return len(part) >= _MANY_WORDS and bool(_CLAUSE_END.search(part[-1].text))


def _pause_ms(word: Word, following: Word, spoken: Sequence[Span]) -> int:
    """Return how long no voice is heard between two words: the model's own times have no pauses between them."""
    before, after = _passage_of(word, spoken), _passage_of(following, spoken)
    if before is None or after is None:
        return max(0, following.start_ms - word.end_ms)
    return max((spoken[at + 1][0] - spoken[at][1] for at in range(before, after)), default=0)


def _passage_of(word: Word, spoken: Sequence[Span]) -> int | None:
    """Return the index of the passage that overlaps most with the word, or is nearest to it."""
    after = bisect_right(spoken, word.end_ms, key=lambda passage: passage[0])
    near = range(max(0, after - 3), min(len(spoken), after + 1))
    return max(
        near,
        key=lambda at: min(word.end_ms, spoken[at][1]) - max(word.start_ms, spoken[at][0]),
        default=None,
    )


def _nearest(edges: Sequence[int], at: int, *, low: int, high: int) -> int:
    """Return the edge between `low` and `high` that is nearest to `at`, or `at` itself."""
    found = bisect_left(edges, at)
    candidates = [edge for edge in edges[max(0, found - 1) : found + 1] if low <= edge <= high]
    return min(candidates, key=lambda edge: abs(edge - at), default=at)
