"""Stretches of speech that may say a step, each with how likely it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """Return all of what is said, in order. In a language that the rules do not know, nothing is clear."""
    english = language.lower().split("-")[0] == "en"
    return [
        Candidate(each.text, each.start_ms, each.end_ms, each.segments, _score(each.text, english=english))
        for each in split_sentences(segments, english=english)
    ]


def _score(text: str, *, english: bool) -> float:
    told = find_instruction(clean(text)) if english else None
    return _TOLD if told and not told.is_optional else _NOT_TOLD
