"""Drafting and rewriting by rules alone: deterministic, with no network and no model.

The rules for words are English; speech in other languages is cut into steps at the speaker's pauses.
"""

from __future__ import annotations

from collections.abc import Sequence

from instructions import sections
from instructions.drafting import UNTITLED, Guide, Section, Step, assemble, paragraphs, short_title
from instructions.headlines import guide_title, step_heading, without_greeting
from instructions.language_models import Draft, LanguageModelError, Segment
from instructions.rewriting import rewrite_markdown
from instructions.spoken import without_openers
from instructions.talk import Said, StepSaid, Talk, follow, in_groups, listen
from instructions.verbs import words

MODEL_PROFILE_ID = "extractive"
PROMPT_TEMPLATE_ID = "rules-1"

_INTRODUCTION_WORDS = 120
_ENGLISH = words("the and you this of to it your")


class Extractive:
    """The language model of an installation that has none."""

    def draft(self, segments: Sequence[Segment], *, title: str | None, language: str) -> Draft:
        """See `LanguageModel.draft`."""
        english = _is_english(language, segments)
        said = listen(segments, english=english)
        if not said:
            raise LanguageModelError(
                "NO_SPEECH", "Nothing is said in this recording, so there is nothing to write a guide from."
            )
        talk = follow(said)
        guide = _guide(talk, title or "") if talk.steps else _retell(said, title or "", english=english)
        return Draft(
            markdown=assemble(guide),
            title=guide.title,
            model_profile_id=MODEL_PROFILE_ID,
            prompt_template_id=PROMPT_TEMPLATE_ID,
        )

    def rewrite(self, text: str, *, context: str | None) -> str:
        """See `LanguageModel.rewrite`; rules have no use for `context`."""
        return rewrite_markdown(text)


def _is_english(language: str, segments: Sequence[Segment]) -> bool:
    """By the tag; when nobody knows, by the share of words that every English talk is full of."""
    primary = language.lower().split("-")[0]
    if primary not in ("", "und"):
        return primary == "en"
    said = [word for segment in segments for word in segment.text.lower().split()]
    return sum(word in _ENGLISH for word in said) >= 0.06 * len(said)


def _guide(talk: Talk, title: str) -> Guide:
    """A guide from a talk that gives instructions."""
    introduction, early = _introduction(talk)
    topics = _topics(talk.steps)
    borders = sections.borders(topics)
    made = []
    for begin, end in zip([0, *borders], [*borders, len(topics)], strict=True):
        opening = talk.steps[begin].opening if borders else None
        name = _section_name(talk.steps[begin], topics[begin:end], [*topics[:begin], *topics[end:]])
        made.append(Section(name, tuple(_step(step, told_above=opening) for step in talk.steps[begin:end])))
    if early:
        made = [Section("Overview", early), *made] if borders else [Section("", (*early, *made[0].steps))]
    titles = (title, *(guide_title(item.text) for item in talk.introduction), sections.name(topics, []))
    return Guide(
        title=_first(titles),
        sections=tuple(made),
        introduction=introduction,
        closing=paragraphs([without_openers(item.text) for item in talk.closing]),
    )


def _retell(said: Sequence[Said], title: str, *, english: bool) -> Guide:
    """A guide from a talk that tells nothing to do: a step for each stretch between pauses."""
    steps = tuple(_told_step(group, english=english) for group in in_groups(said))
    titles = (title, *(guide_title(item.text) for item in said[:3]), steps[0].title)
    return Guide(title=_first(titles), sections=(Section("", steps),))


def _introduction(talk: Talk) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """The opening words; of a long opening the first sentences, and the rest as steps of its own."""
    said = talk.introduction
    if sum(len(item.text.split()) for item in said) > _INTRODUCTION_WORDS:
        said, rest = said[:3], said[3:]
        early = tuple(_told_step(group, english=True) for group in in_groups(rest))
    else:
        early = ()
    texts = (without_openers(without_greeting(item.text)) for item in said)
    return paragraphs([text for text in texts if text]), early


def _topics(steps: Sequence[StepSaid]) -> list[sections.Topic]:
    topics = []
    end_ms = steps[0].said[0].start_ms
    for step in steps:
        topics.append(
            sections.Topic(
                clause=step.instruction.clause,
                text=" ".join(item.text for item in step.said),
                pause_ms=max(0, step.said[0].start_ms - end_ms),
                cue=(step.task.cue if step.task else "") or step.instruction.cue,
            )
        )
        end_ms = step.said[-1].end_ms
    return topics


def _section_name(first: StepSaid, topics: Sequence[sections.Topic], others: Sequence[sections.Topic]) -> str:
    announced = step_heading(first.task.clause) if first.task else ""
    return announced or sections.name(topics, others) or step_heading(first.instruction.clause)


def _step(step: StepSaid, told_above: Said | None) -> Step:
    """A step of the guide; what the section's heading says already is left out."""
    sentences = []
    for item in step.said:
        told = item.instruction
        is_rhetorical = item.text.endswith("?") and len(item.text.split()) <= 5
        if item is told_above or is_rhetorical:
            continue
        if told and (item is step.main or (told.voice != "addressed" and not told.is_optional)):
            sentences.append(told.sentence())
        else:
            sentences.append(without_openers(item.text))
    return _made_step(step_heading(step.instruction.clause), sentences, step.said)


def _told_step(said: Sequence[Said], *, english: bool) -> Step:
    texts = [item.text for item in said]
    if english:
        texts = list(filter(None, (without_openers(without_greeting(text)) for text in texts))) or texts
    return _made_step(short_title(texts[0]), texts, said)


def _made_step(title: str, sentences: Sequence[str], said: Sequence[Said]) -> Step:
    return Step(title, paragraphs(sentences), start_ms=said[0].start_ms, end_ms=said[-1].end_ms)


def _first(titles: Sequence[str]) -> str:
    return next(filter(None, (" ".join(title.split()) for title in titles)), UNTITLED)
