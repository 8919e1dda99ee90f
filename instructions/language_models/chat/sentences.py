"""Draft sentence by sentence: the rules find the steps of which they are sure, a model is asked about the others.

When a step is said is known from the transcript; the model only says whether a sentence tells one, and what it is
called. What cannot be used of its answers is made by the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from instructions.drafting import Guide, Section, Step, paragraphs, short_title
from instructions.language_models import LanguageModelError, Segment
from instructions.language_models.calls import Calls, estimated_tokens
from instructions.language_models.chat.asking import Asked, key_of
from instructions.language_models.chat.service import ChatService
from instructions.language_models.chat.together import ask_together
from instructions.language_models.chat.turns import Told, Turn, check_turn, read_turn
from instructions.language_models.checks.addressed import addressed_to_a_model
from instructions.language_models.checks.written import unstyled
from instructions.language_models.extractive.candidates import Candidate, sentences_by_rules
from instructions.language_models.extractive.headlines import guide_title, step_heading
from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.sentences import clean, without_openers
from instructions.language_models.installed import Profile, Prompt
from jobs.media.screen.events import EventKind, ScreenEvent

_NEAR_MS = 3_000  # between what is done on the screen and the words that say it
_MAX_SHOWN, _MAX_LABEL = 4, 60  # labels a question, characters a label
_LIKELY = 0.5  # the score from which the rules take a sentence for a step


@dataclass(frozen=True)
class _Sentence:
    """A candidate, its text without the marks of subtitles and without fillers, and what is said of it."""

    candidate: Candidate
    text: str
    told: Told | None = None


class SentenceDrafter:
    """Drafts the guide of a talk. `counts`: `passages_withheld` (they spoke to a model), `sentences`,
    `sentences_asked`, `sentences_unanswered` (the rules decided), `titles_replaced`, `steps_to_review`."""

    def __init__(self, service: ChatService, profile: Profile, prompt: Prompt, calls: Calls) -> None:
        self._service, self._profile, self._prompt, self._calls = service, profile, prompt, calls
        self.counts = Counter[str]()

    def draft(
        self, segments: Sequence[Segment], *, title: str, language: str, screen: Sequence[ScreenEvent]
    ) -> Guide:
        """Return the guide; raise LanguageModelError."""
        texts = [" ".join(unstyled(segment.text).split()) for segment in segments]
        addressed = addressed_to_a_model(texts, self._calls.check)
        withheld = [texts[position] for position in addressed]
        heard = [
            replace(segment, text="" if at in addressed else texts[at], word_starts_ms=())
            for at, segment in enumerate(segments)
        ]
        english = language.lower().split("-")[0] in ("", "und", "en")
        sentences = [
            _Sentence(each, text)
            for each in sentences_by_rules(heard, language=language)
            if (text := clean(each.text, english=english))
        ]
        if not sentences:
            raise LanguageModelError(
                "NO_SPEECH", "Nothing is said in this recording that a guide could be written from."
            )
        self.counts.update(passages_withheld=len(withheld), sentences=len(sentences))
        decided = self._decided(sentences, self._labels(screen), withheld)
        return self._guide(decided, title)

    def _decided(
        self, sentences: Sequence[_Sentence], labels: Sequence[tuple[int, str]], withheld: Sequence[str]
    ) -> list[_Sentence]:
        """Return the sentences with what is said of each: by its score when that is clear, else by the model."""
        decided = [self._by_score(each) for each in sentences]
        open_turns = {
            at: self._turn(each, labels)
            for at, each in enumerate(sentences)
            if self._profile.clear_below <= each.candidate.score <= self._profile.clear_above
        }
        answers = self._answers(list(open_turns.values()))
        self.counts["sentences_asked"] += len(open_turns)
        for (at, turn), answer in zip(open_turns.items(), answers, strict=True):
            if answer is None:
                self.counts["sentences_unanswered"] += 1
            else:
                told = check_turn(answer, turn, withheld=withheld)
                self.counts["titles_replaced"] += told.is_step and not told.title
                decided[at] = replace(sentences[at], told=told)
        return decided

    def _by_score(self, sentence: _Sentence) -> _Sentence:
        told = Told(is_step=True, title=_rule_title(sentence.text))
        return replace(sentence, told=told) if sentence.candidate.score >= _LIKELY else sentence

    def _turn(self, sentence: _Sentence, labels: Sequence[tuple[int, str]]) -> Turn:
        earliest, latest = sentence.candidate.start_ms - _NEAR_MS, sentence.candidate.end_ms + _NEAR_MS
        near = dict.fromkeys(label for at_ms, label in labels if earliest <= at_ms <= latest)
        return Turn(sentence.text, tuple(near)[:_MAX_SHOWN])

    def _labels(self, screen: Sequence[ScreenEvent]) -> list[tuple[int, str]]:
        """Return when which control is acted on; labels that speak to a model are left out."""
        used = [
            (event.at_ms, event.label[:_MAX_LABEL])
            for event in screen
            if event.label and event.kind in (EventKind.CLICK, EventKind.TYPE)
        ]
        addressed = addressed_to_a_model([label for _, label in used], self._calls.check)
        return [each for at, each in enumerate(used) if at not in addressed]

    def _answers(self, turns: Sequence[Turn]) -> list[str | None]:
        """Return the model's answers; those that are kept are not asked for again."""
        asked = [self._asked(turn) for turn in turns]
        kept = [self._calls.answer_to(each.key) for each in asked]
        fresh = [each for each, answer in zip(asked, kept, strict=True) if answer is None]
        repeated = [
            self._prompt.system,
            *(message["content"] for message in _messages(self._prompt.examples)),
        ]
        own = sum(estimated_tokens(each.values["turn"]) for each in fresh)
        self._calls.require(own + len(fresh) * sum(map(estimated_tokens, repeated)))
        found = iter(
            ask_together(
                fresh,
                lambda text: (command := read_turn(text), {"step": command}),
                service=self._service,
                profile=self._profile,
                calls=self._calls,
            )
        )
        return [next(found) if answer is None else str(answer["step"]) for answer in kept]

    def _asked(self, turn: Turn) -> Asked:
        written = turn.written()
        key = key_of(model=self._service.model, prompt=self._prompt.id, turn=written)
        return Asked(
            key,
            self._prompt,
            {"turn": written},
            examples=_messages(self._prompt.examples),
            max_tokens=self._profile.title_tokens,
        )

    def _guide(self, sentences: Sequence[_Sentence], title: str) -> Guide:
        """Return the guide: what is said after a step, up to the next one, belongs to it."""
        begins = [at for at, each in enumerate(sentences) if each.told and each.told.is_step]
        if not begins:
            raise LanguageModelError(
                "MODEL_OUTPUT_INVALID", "The language model found no steps in what is said. Try again."
            )
        ends = [*begins[1:], len(sentences)]
        steps = tuple(_step(sentences[begin:end]) for begin, end in zip(begins, ends, strict=True))
        self.counts["steps_to_review"] += sum(step.needs_review for step in steps)
        introduction = [each.text for each in sentences[: begins[0]]]
        titles = (title, *map(guide_title, introduction[:3]), steps[0].title)
        return Guide(next(filter(None, titles)), (Section("", steps),), paragraphs(introduction))


def _step(sentences: Sequence[_Sentence]) -> Step:
    first, told = sentences[0].candidate, sentences[0].told
    title = told.title if told else ""
    return Step(
        title or _rule_title(sentences[0].text),
        paragraphs([without_openers(each.text) for each in sentences]),
        start_ms=first.start_ms,
        end_ms=max(each.candidate.end_ms for each in sentences),
        segments=tuple(sorted({at for each in sentences for at in each.candidate.segments})),
        needs_review=not title,
    )


def _rule_title(text: str) -> str:
    found = find_instruction(text)
    return (step_heading(found.clause) if found else "") or short_title(without_openers(text))


def _messages(examples: Sequence[dict[str, str]]) -> tuple[dict[str, str], ...]:
    pairs = [
        (Turn(each["sentence"], tuple(each[name] for name in ("shown",) if name in each)), each["answer"])
        for each in examples
    ]
    return tuple(
        message
        for turn, answer in pairs
        for message in ({"role": "user", "content": turn.written()}, {"role": "assistant", "content": answer})
    )
