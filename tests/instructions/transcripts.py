"""Transcripts for tests of drafting, and what is drafted from them."""

from __future__ import annotations

from collections.abc import Sequence

from instructions.language_models import Draft, LanguageModel
from instructions.language_models.extractive import Extractive
from instructions.validation import validate
from jobs.media.transcripts import Segment
from tests.instructions.steps import step_blocks

MODEL: LanguageModel = Extractive()


def segments(transcript: str) -> list[Segment]:
    """One segment a line: start and end in ms, then the text."""
    parts = (line.split(" ", 2) for line in transcript.strip().splitlines())
    return [Segment(int(start), int(end), text) for start, end, text in parts]


def drafted(spoken: Sequence[Segment], *, title: str | None = None, language: str = "en") -> Draft:
    """A draft whose text is valid and has the steps that it says it has."""
    made = MODEL.draft(spoken, title=title, language=language)
    assert validate(made.markdown) == []
    assert [step.title for step in step_blocks(made.markdown)] == [step.heading for step in made.steps]
    return made


def draft(spoken: Sequence[Segment], *, title: str | None = None, language: str = "en") -> str:
    return drafted(spoken, title=title, language=language).markdown


def titles(markdown: str) -> list[str | None]:
    return [step.title for step in step_blocks(markdown)]
