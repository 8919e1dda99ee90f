"""Draft and rewrite by rules alone: deterministic, without network or model files.

The rules for words are English. Speech in other languages is cut at the speaker's pauses into steps that are to be
reviewed, and of passages in other languages only the white space is tidied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from instructions.drafting import (
    UNTITLED,
    Guide,
    Section,
    Step,
    assemble,
    draft_steps,
    paragraphs,
    short_title,
)
from instructions.language_models import Draft, LanguageModelError, Rewriting, ScreenEvent, Segment
from instructions.language_models.extractive import sections
from instructions.language_models.extractive.commands import with_commands
from instructions.language_models.extractive.found import found_guide
from instructions.language_models.extractive.headlines import guide_title, step_heading, without_greeting
from instructions.language_models.extractive.on_screen import with_screen
from instructions.language_models.extractive.rewriting import rewrite_markdown
from instructions.language_models.extractive.segmentation import (
    SpokenGuide,
    SpokenStep,
    Utterance,
    in_groups,
    parse_sentences,
    segment_talk,
)
from instructions.language_models.extractive.sentences import sounds_english, without_openers
from instructions.language_models.extractive.shown import shown_steps

MODEL_PROFILE_ID = "extractive"
PROMPT_TEMPLATE_ID = "rules-1"

_INTRODUCTION_WORDS = 120
_LONG_TALK = 15
"""Sentences, from which it shows how a speaker talks, which the finder of steps goes by."""


class Extractive:
    """A `LanguageModel` made of rules, for installations without a model."""

    def draft(
        self,
        segments: Sequence[Segment],
        *,
        title: str | None,
        language: str,
        screen: Sequence[ScreenEvent] = (),
    ) -> Draft:
        """Return a draft, as `LanguageModel.draft` defines it."""
        english = _is_english(language, segments)
        utterances = parse_sentences(segments, english=english)
        if utterances:
            spoken = _spoken_guide(utterances, segments, title or "", language if not english else "en")
            guide = with_screen(with_commands(spoken) if english else spoken, screen, language=language)
        else:
            guide = _shown_guide(screen, title or "", language)
        return Draft(
            markdown=assemble(guide),
            title=guide.title,
            model_profile_id=MODEL_PROFILE_ID,
            prompt_template_id=PROMPT_TEMPLATE_ID,
            steps=draft_steps(guide),
        )

    def rewrite(self, text: str, *, context: str | None) -> Rewriting:
        """Return the passage rewritten, as `LanguageModel.rewrite` defines it; `context` is not used."""
        return Rewriting(
            rewrite_markdown(text, english=sounds_english(text)), MODEL_PROFILE_ID, PROMPT_TEMPLATE_ID
        )


def _spoken_guide(
    utterances: Sequence[Utterance], segments: Sequence[Segment], title: str, language: str
) -> Guide:
    """Return the guide of speech: of a long talk by what was learnt of talks, of a short one by the rules for words."""
    english = language == "en"
    spoken = segment_talk(utterances)
    if len(utterances) >= _LONG_TALK and (found := found_guide(segments, title, language)):
        return found
    if spoken.steps:
        return _guide(spoken, title)
    return _guide_without_instructions(utterances, title, english=english)


def _shown_guide(screen: Sequence[ScreenEvent], title: str, language: str) -> Guide:
    """Return the guide of a recording in which nothing is said; raise LanguageModelError if nothing is done either."""
    steps = shown_steps(screen, language=language)
    if not steps:
        raise LanguageModelError(
            "NO_SPEECH",
            "Nothing is said in this recording and nothing is done on its screen, so there is nothing to write a guide"
            " from.",
        )
    return Guide(title=title or UNTITLED, sections=(Section("", steps),))


def _is_english(language: str, segments: Sequence[Segment]) -> bool:
    """Return whether speech is English: by the tag, or by its frequent words without one."""
    primary = language.lower().split("-")[0]
    if primary not in ("", "und"):
        return primary == "en"
    return sounds_english(" ".join(segment.text for segment in segments))


def _guide(spoken_guide: SpokenGuide, title: str) -> Guide:
    """Return the guide for speech that gives instructions."""
    steps = spoken_guide.steps
    introduction, early = _introduction(spoken_guide)
    topics = _topics(steps)
    borders = sections.borders(topics)
    made = []
    for begin, end in zip([0, *borders], [*borders, len(topics)], strict=True):
        opening = steps[begin].opening if borders else None
        name = _section_name(steps[begin], topics[begin:end], [*topics[:begin], *topics[end:]])
        made.append(Section(name, tuple(_step(step, told_above=opening) for step in steps[begin:end])))
    if early:
        made = [Section("Overview", early), *made] if borders else [Section("", (*early, *made[0].steps))]
    introduced = (guide_title(utterance.text) for utterance in spoken_guide.introduction)
    return Guide(
        title=_first((title, *introduced, sections.name(topics, []))),
        sections=tuple(made),
        introduction=introduction,
        closing=paragraphs([without_openers(utterance.text) for utterance in spoken_guide.closing]),
    )


def _guide_without_instructions(utterances: Sequence[Utterance], title: str, *, english: bool) -> Guide:
    """Return the guide for speech that gives no instructions: a step for each stretch between pauses."""
    steps = tuple(_told_step(group, english=english) for group in in_groups(utterances))
    titles = (title, *(guide_title(utterance.text) for utterance in utterances[:3]), steps[0].title)
    return Guide(title=_first(titles), sections=(Section("", steps),))


def _introduction(spoken_guide: SpokenGuide) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Return the introduction's paragraphs; of a long one the first sentences, and the rest as steps."""
    utterances = spoken_guide.introduction
    if sum(len(utterance.text.split()) for utterance in utterances) > _INTRODUCTION_WORDS:
        utterances, rest = utterances[:3], utterances[3:]
        early = tuple(_told_step(group, english=True) for group in in_groups(rest))
    else:
        early = ()
    texts = (without_openers(without_greeting(utterance.text)) for utterance in utterances)
    return paragraphs([text for text in texts if text]), early


def _topics(steps: Sequence[SpokenStep]) -> list[sections.Topic]:
    topics = []
    end_ms = steps[0].utterances[0].start_ms
    for step in steps:
        topics.append(
            sections.Topic(
                clause=step.instruction.clause,
                text=" ".join(utterance.text for utterance in step.utterances),
                pause_ms=max(0, step.utterances[0].start_ms - end_ms),
                cue=(step.task.cue if step.task else "") or step.instruction.cue,
            )
        )
        end_ms = step.utterances[-1].end_ms
    return topics


def _section_name(
    first: SpokenStep, topics: Sequence[sections.Topic], others: Sequence[sections.Topic]
) -> str:
    announced = step_heading(first.task.clause) if first.task else ""
    return announced or sections.name(topics, others) or step_heading(first.instruction.clause)


def _step(step: SpokenStep, told_above: Utterance | None) -> Step:
    """Return a step of the guide, without the utterance that the section's heading repeats."""
    sentences = []
    for utterance in step.utterances:
        told = utterance.instruction
        is_rhetorical = utterance.text.endswith("?") and len(utterance.text.split()) <= 5
        if utterance is told_above or is_rhetorical:
            continue
        if told and (utterance is step.main or (told.voice != "addressed" and not told.is_optional)):
            sentences.append(told.sentence())
        else:
            sentences.append(without_openers(utterance.text))
    return _made_step(step_heading(step.instruction.clause), sentences, step.utterances)


def _told_step(utterances: Sequence[Utterance], *, english: bool) -> Step:
    """Return a step in the speaker's own words, titled by its first sentence; of a language that the rules do not know
    it is to be reviewed."""
    texts = [utterance.text for utterance in utterances]
    if english:
        texts = list(filter(None, (without_openers(without_greeting(text)) for text in texts))) or texts
    return replace(_made_step(short_title(texts[0]), texts, utterances), needs_review=not english)


def _made_step(title: str, sentences: Sequence[str], utterances: Sequence[Utterance]) -> Step:
    start_ms, end_ms = utterances[0].start_ms, utterances[-1].end_ms
    segments = sorted({position for utterance in utterances for position in utterance.segments})
    return Step(title, paragraphs(sentences), start_ms, end_ms, tuple(segments))


def _first(titles: Sequence[str]) -> str:
    return next(filter(None, (" ".join(title.split()) for title in titles)), UNTITLED)
