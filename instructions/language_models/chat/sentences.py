"""Draft passage by passage: a model is asked about each, and what it says is weighed with the score of the finder.

The passages are those that the finder of steps cuts, so when a step is said is known from the transcript. The model
sees a passage after those before it, with what was decided of them; it only says whether the passage tells
a step, and what it is called. What cannot be used of its answers is made by the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log

from instructions.drafting import Guide, Section, Step, paragraphs, short_title
from instructions.language_models import LanguageModelError, Segment
from instructions.language_models.calls import Calls, estimated_tokens
from instructions.language_models.chat.asking import TOKENS_A_MESSAGE, Asked, ask, key_of
from instructions.language_models.chat.service import Answer, ChatService
from instructions.language_models.chat.turns import (
    NO_STEP,
    Told,
    Turn,
    check_turn,
    odds_of_a_step,
    read_turn,
)
from instructions.language_models.checks.addressed import addressed_to_a_model
from instructions.language_models.checks.written import unstyled
from instructions.language_models.extractive.candidates import Candidate, find_candidates
from instructions.language_models.extractive.finder import GAP_MS
from instructions.language_models.extractive.headlines import guide_title, step_heading
from instructions.language_models.extractive.imperatives import find_instruction
from instructions.language_models.extractive.sentences import clean, without_openers
from instructions.language_models.installed import Profile, Prompt
from jobs.media.screen.events import EventKind, ScreenEvent

_NEAR_MS = 3_000  # between what is done on the screen and the words that say it
_MAX_SHOWN, _MAX_LABEL = 4, 60  # labels a question, characters a label
_PAST, _PAST_KEPT = (
    48,
    16,
)  # passages before it; then the last of them, so that a server's cache serves for long
_SURE = 3.0  # logarithm of odds: an answer of which the service does not say how likely it was
_MOST = 4.0  # of the finder, on the same scale
_Message = dict[str, str]


@dataclass(frozen=True)
class _Passage:
    """A candidate, its text without the marks of subtitles and without fillers, what is said of it, and the evidence
    (logarithm of odds) that it tells a step. Of a clear one the model was not asked."""

    candidate: Candidate
    text: str
    told: Told = Told(is_step=False)
    evidence: float = 0.0
    is_clear: bool = False


@dataclass(frozen=True)
class _Answered:
    command: str
    odds: float | None


class SentenceDrafter:
    """Drafts the guide of a talk. `counts`: `passages_withheld` (they spoke to a model), `sentences` (passages),
    `sentences_asked`, `sentences_unanswered` (the finder decided), `titles_replaced`, `steps_to_review`."""

    def __init__(self, service: ChatService, profile: Profile, prompt: Prompt, calls: Calls) -> None:
        self._service, self._profile, self._prompt, self._calls = service, profile, prompt, calls
        self._examples = _examples(prompt)
        self._is_budgeted = False
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
        passages = [
            _Passage(each, text)
            for each in find_candidates(heard, language=language)
            if (text := clean(each.text, english=english))
        ]
        if not passages:
            raise LanguageModelError(
                "NO_SPEECH", "Nothing is said in this recording that a guide could be written from."
            )
        self.counts.update(passages_withheld=len(withheld), sentences=len(passages))
        decided = self._decided(passages, self._turns(passages, self._labels(screen)), withheld)
        return self._guide(decided, title)

    def _decided(
        self, passages: Sequence[_Passage], turns: Sequence[Turn], withheld: Sequence[str]
    ) -> list[_Passage]:
        """Return the passages with what is said of each."""
        decided: list[_Passage] = []
        past: list[_Message] = []
        for at, (passage, turn) in enumerate(zip(passages, turns, strict=True)):
            if self._profile.clear_below <= passage.candidate.score <= self._profile.clear_above:
                answered = self._answer(turn, past, turns[at:])
                one = self._weighed(passage, turn, answered, withheld)
                self.counts["sentences_asked"] += 1
                self.counts["sentences_unanswered"] += answered is None
            else:
                one = self._clear(passage)
            decided.append(one)
            past = _with(past, one, turn)
            self._calls.report((at + 1) / len(turns))
        kept = _apart(decided)
        self.counts["titles_replaced"] += sum(each.told.is_step and not each.told.title for each in kept)
        return kept

    def _clear(self, passage: _Passage) -> _Passage:
        """Return a passage of which the finder is sure."""
        evidence = _log_odds(passage.candidate.score)
        told = Told(is_step=evidence >= 0, title=_rule_title(passage.text))
        return replace(passage, told=told, evidence=evidence, is_clear=True)

    def _weighed(
        self, passage: _Passage, turn: Turn, answered: _Answered | None, withheld: Sequence[str]
    ) -> _Passage:
        """Return a passage with the evidence of the finder and of the answer, if there is one."""
        evidence = _log_odds(passage.candidate.score)
        if answered is None:
            return replace(passage, told=Told(is_step=evidence >= 0), evidence=evidence)
        told = check_turn(answered.command, turn, withheld=withheld)
        of_answer = answered.odds
        is_foreign = bool(answered.command) and not told.is_step  # which says nothing of this passage
        if of_answer is None or is_foreign:
            of_answer = _SURE if told.is_step else -_SURE
        evidence += of_answer
        return replace(passage, told=replace(told, is_step=evidence >= 0), evidence=evidence)

    def _turns(self, passages: Sequence[_Passage], labels: Sequence[tuple[int, str]]) -> list[Turn]:
        turns = []
        for passage in passages:
            earliest, latest = passage.candidate.start_ms - _NEAR_MS, passage.candidate.end_ms + _NEAR_MS
            near = dict.fromkeys(label for at_ms, label in labels if earliest <= at_ms <= latest)
            turns.append(Turn(passage.text, tuple(near)[:_MAX_SHOWN]))
        return turns

    def _labels(self, screen: Sequence[ScreenEvent]) -> list[tuple[int, str]]:
        """Return when which control is acted on; labels that speak to a model are left out."""
        used = [
            (event.at_ms, event.label[:_MAX_LABEL])
            for event in screen
            if event.label and event.kind in (EventKind.CLICK, EventKind.TYPE)
        ]
        addressed = addressed_to_a_model([label for _, label in used], self._calls.check)
        return [each for at, each in enumerate(used) if at not in addressed]

    def _answer(self, turn: Turn, past: Sequence[_Message], ahead: Sequence[Turn]) -> _Answered | None:
        """Return the model's answer, None after two that cannot be used; one that is kept is not asked for again."""
        contents = [message["content"] for message in past]
        key = key_of(model=self._service.model, prompt=self._prompt.id, past=contents, turn=turn.written())
        kept = self._calls.answer_to(key)
        if kept is not None:
            return _Answered(**kept)
        self._require_budget(ahead)
        asked = Asked(
            key,
            self._prompt,
            {"turn": turn.written()},
            examples=(*self._examples, *past),
            max_tokens=self._profile.title_tokens,
            wants_likelihood=True,
        )
        try:
            return ask(asked, _read, service=self._service, profile=self._profile, calls=self._calls)
        except LanguageModelError as error:
            if error.code != "MODEL_OUTPUT_INVALID":
                raise
            return None

    def _require_budget(self, ahead: Sequence[Turn]) -> None:
        """Raise MODEL_BUDGET_EXCEEDED before the first question if the budget would not do for all that are left."""
        if self._is_budgeted:
            return
        self._is_budgeted = True
        contents = [self._prompt.system, *(message["content"] for message in self._examples)]
        always, total = sum(estimated_tokens(each) + TOKENS_A_MESSAGE for each in contents), 0
        past: list[int] = []
        for turn in ahead:
            past.append(estimated_tokens(turn.written()) + TOKENS_A_MESSAGE)
            total += always + sum(past)
            past = past if len(past) < _PAST else past[-_PAST_KEPT:]
        self._calls.require(total)

    def _guide(self, passages: Sequence[_Passage], title: str) -> Guide:
        """Return the guide: what is said after a step, up to the next one, belongs to it."""
        begins = [at for at, each in enumerate(passages) if each.told.is_step]
        if not begins:
            raise LanguageModelError(
                "MODEL_OUTPUT_INVALID", "The language model found no steps in what is said. Try again."
            )
        steps = tuple(_step(passages[begin:end]) for begin, end in pairwise([*begins, len(passages)]))
        self.counts["steps_to_review"] += sum(step.needs_review for step in steps)
        introduction = [each.text for each in passages[: begins[0]]]
        titles = (title, *map(guide_title, introduction[:3]), steps[0].title)
        return Guide(next(filter(None, titles)), (Section("", steps),), paragraphs(introduction))


def _log_odds(score: float) -> float:
    score = min(max(score, 1e-6), 1 - 1e-6)
    return min(max(log(score / (1 - score)), -_MOST), _MOST)


def _with(past: list[_Message], one: _Passage, turn: Turn) -> list[_Message]:
    """Return what the model is told of the talk so far, with one more passage, but for those that clearly are none."""
    if one.is_clear and not one.told.is_step:
        return past
    answer = (one.told.title or _rule_title(one.text)) if one.told.is_step else NO_STEP
    past = [*past, _asks(turn), {"role": "assistant", "content": answer}]
    return past if len(past) < 2 * _PAST else past[-2 * _PAST_KEPT :]


def _apart(passages: Sequence[_Passage]) -> list[_Passage]:
    """Return the passages; of steps that begin closer than `GAP_MS` only that with the most evidence stays one."""
    kept: list[int] = []
    for each in sorted((each for each in passages if each.told.is_step), key=lambda each: -each.evidence):
        if all(abs(each.candidate.start_ms - other) >= GAP_MS for other in kept):
            kept.append(each.candidate.start_ms)
    return [
        each if each.candidate.start_ms in kept else replace(each, told=Told(is_step=False))
        for each in passages
    ]


def _step(passages: Sequence[_Passage]) -> Step:
    first, title = passages[0].candidate, passages[0].told.title
    return Step(
        title or _rule_title(passages[0].text),
        paragraphs([without_openers(each.text) for each in passages]),
        start_ms=first.start_ms,
        end_ms=max(each.candidate.end_ms for each in passages),
        segments=tuple(sorted({at for each in passages for at in each.candidate.segments})),
        needs_review=not title,
    )


def _rule_title(text: str) -> str:
    found = find_instruction(text)
    return (step_heading(found.clause) if found else "") or short_title(without_openers(text))


def _read(answer: Answer) -> tuple[_Answered, dict[str, str | float | None]]:
    command, odds = read_turn(answer.text), odds_of_a_step(answer.beginnings)
    return _Answered(command, odds), {"command": command, "odds": odds}


def _asks(turn: Turn) -> _Message:
    return {"role": "user", "content": turn.written()}


def _examples(prompt: Prompt) -> tuple[_Message, ...]:
    messages = []
    for one in prompt.examples:
        shown = tuple(one[name] for name in ("shown",) if name in one)
        messages.append(_asks(Turn(one["passage"], shown)))
        messages.append({"role": "assistant", "content": one["answer"]})
    return tuple(messages)
