"""Stretches of speech that may say a step, each with how likely it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from instructions.language_models.extractive.finder import JOINING, LIKELY, borders_of, scores_of, words_of
from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.sentences import clean, split_sentences
from jobs.media.transcripts import Segment

_TOLD, _NOT_TOLD = 0.9, 0.4


@dataclass(frozen=True)
class Candidate:
    """A sentence, or a clause of one: as it was said, when (ms), in which segments (their positions), and the score
    (0..1) that it says something to do."""

    text: str
    start_ms: int
    end_ms: int
    segments: tuple[int, ...]
    score: float


def find_candidates(segments: Sequence[Segment], *, language: str) -> list[Candidate]:
    """Return all of what is said, in order: cut where sentences end, where a speaker pauses, and where a step begins.

    The score is that of the step that a stretch begins with, else the highest of one within.
    """
    words = words_of(segments)
    if not words:
        return []
    borders = borders_of(words)
    scores = scores_of(words, borders, language)
    cuts = [at for at, border in enumerate(borders) if border.kind in "sp" or scores[at] >= LIKELY]
    found = []
    joins = 0  # words such as "So", which go with what they lead to
    for first, end in pairwise([*cuts, len(borders)]):
        begin = borders[first].place - joins
        until = borders[end].place if end < len(borders) else len(words)
        said = words[begin:until]
        joins = len(said) if end < len(borders) and all(word.plain in JOINING for word in said) else 0
        if joins:
            continue
        last = segments[said[-1].segment]
        end_ms = min(last.end_ms, words[until].at_ms if until < len(words) else last.end_ms)
        found.append(
            Candidate(
                text=" ".join(word.raw for word in said),
                start_ms=round(said[0].at_ms),
                end_ms=max(round(said[0].at_ms), round(end_ms)),
                segments=tuple(dict.fromkeys(word.segment for word in said)),
                score=max(scores[first:end]),
            )
        )
    return found


def sentences_by_rules(segments: Sequence[Segment], *, language: str) -> list[Candidate]:
    """Return the sentences of what is said, in order, scored by the rules: those that a model is asked about were
    measured with these. In a language that the rules do not know, nothing is clear."""
    english = language.lower().split("-")[0] == "en"
    return [
        Candidate(each.text, each.start_ms, each.end_ms, each.segments, _score(each.text, english=english))
        for each in split_sentences(segments, english=english)
    ]


def _score(text: str, *, english: bool) -> float:
    told = find_instruction(clean(text)) if english else None
    return _TOLD if told and not told.is_optional else _NOT_TOLD
