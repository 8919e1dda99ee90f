"""The guide of a talk whose steps the finder found: their wording, and what is said around them."""

from __future__ import annotations

from collections.abc import Sequence

from instructions.drafting import UNTITLED, Guide, Section, Step, paragraphs, short_title
from instructions.language_models.extractive.candidates import Candidate, find_candidates
from instructions.language_models.extractive.finder import LIKELY
from instructions.language_models.extractive.headlines import guide_title, step_heading, without_greeting
from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.sentences import clean, without_openers
from jobs.media.transcripts import Segment

_TITLED = 3  # first sentences, in which a title is looked for


def found_guide(segments: Sequence[Segment], title: str, language: str) -> Guide | None:
    """Return the guide of a talk; None if no step is found. `language` is a BCP 47 tag.

    What is said after a step, up to the next one, belongs to it. Words of languages other than English stay untouched
    but for marks and spaces.
    """
    english = language == "en"
    said = [
        (each, text)
        for each in find_candidates(segments, language=language)
        if (text := clean(each.text, english=english))
    ]
    begins = [at for at, (each, _) in enumerate(said) if each.score >= LIKELY]
    if not begins:
        return None
    ends = [*begins[1:], len(said)]
    steps = tuple(_step(said[begin:end], english=english) for begin, end in zip(begins, ends, strict=True))
    before = [text for _, text in said[: begins[0]]]
    if english:
        before = list(filter(None, (without_openers(without_greeting(text)) for text in before)))
    titles = (title, *map(guide_title, before[:_TITLED]), UNTITLED)
    return Guide(
        title=next(filter(None, (" ".join(each.split()) for each in titles))),
        sections=(Section("", steps),),
        introduction=paragraphs(before),
    )


def _step(said: Sequence[tuple[Candidate, str]], *, english: bool) -> Step:
    first, text = said[0]
    told = find_instruction(text) if english else None
    sentences = [told.sentence() if told else without_openers(text) if english else text]
    sentences += [without_openers(each) if english else each for _, each in said[1:]]
    return Step(
        step_heading(told.clause) if told else short_title(sentences[0]),
        paragraphs(sentences),
        start_ms=first.start_ms,
        end_ms=max(each.end_ms for each, _ in said),
        segments=tuple(sorted({at for each, _ in said for at in each.segments})),
        needs_review=told is None and english,
    )
