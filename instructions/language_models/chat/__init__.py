"""Draft and rewrite by a model behind /v1/chat/completions.

What was said, and what is rewritten, is data: it stands between two lines with a random word, and the model is told so.
That alone protects from nothing. What speaks to a model is kept out of the prompt (`checks.addressed`), and of an
answer remains what the passages bear out (`checks.drafts`, `checks.rewritings`).
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from string import Template
from typing import Any

from instructions.complexity import DocumentTooComplex
from instructions.drafting import Guide, Section, Step, assemble, draft_steps
from instructions.language_models import Draft, LanguageModelError, Rewriting, ScreenEvent, Segment
from instructions.language_models.calls import Calls, estimated_tokens
from instructions.language_models.chat.asking import Asked, ask, key_of
from instructions.language_models.chat.parts import PartReader
from instructions.language_models.chat.sentences import SentenceDrafter
from instructions.language_models.chat.service import Answer, ChatService
from instructions.language_models.chat.windows import Passage, cut_windows, join_steps
from instructions.language_models.checks.addressed import addressed_to_a_model
from instructions.language_models.checks.drafts import SCHEMA, AnswerInvalid, CheckedPart, CheckedStep
from instructions.language_models.checks.rewritings import (
    check_rewriting,
    has_words,
    with_markers_of,
    without_markers,
)
from instructions.language_models.checks.written import unstyled
from instructions.language_models.fitting import require_fit
from instructions.language_models.installed import Profile, Prompt

log = logging.getLogger(__name__)

_UNKNOWN = "und"


class Chat:
    """A `LanguageModel` that asks a chat service, by the numbers of a profile and with two prompts.

    `calls` counts and keeps what is asked. The profile's form says how a talk is asked about: by `SentenceDrafter`, or
    in windows. A draft's `counts` with windows: `passages_withheld` (they spoke to a model),
    `steps_dropped` (they rested on nothing, or nothing was left of them), `steps_to_review`, `sentences_removed`,
    `windows`, `windows_without_steps`.
    """

    def __init__(
        self,
        service: ChatService,
        profile: Profile,
        draft_prompt: Prompt,
        rewrite_prompt: Prompt,
        calls: Calls,
    ):
        self._service, self._profile, self._calls = service, profile, calls
        self._draft_prompt, self._rewrite_prompt = draft_prompt, rewrite_prompt

    def draft(
        self,
        segments: Sequence[Segment],
        *,
        title: str | None,
        language: str,
        screen: Sequence[ScreenEvent] = (),
    ) -> Draft:
        """Return a draft, as `LanguageModel.draft` defines it."""
        if self._profile.form == "sentences":
            drafter = SentenceDrafter(self._service, self._profile, self._draft_prompt, self._calls)
            guide = drafter.draft(segments, title=title or "", language=language, screen=screen)
            return self._assembled(guide, drafter.counts)
        return self._draft_windows(segments, title, language)

    def _draft_windows(self, segments: Sequence[Segment], title: str | None, language: str) -> Draft:
        said = [Passage(at, " ".join(unstyled(segment.text).split())) for at, segment in enumerate(segments)]
        said = [passage for passage in said if any(map(str.isalnum, passage.text))]
        addressed = addressed_to_a_model([passage.text for passage in said], self._calls.check)
        withheld = [passage.text for index, passage in enumerate(said) if index in addressed]
        passages = [passage for index, passage in enumerate(said) if index not in addressed]
        if not passages:
            raise LanguageModelError(
                "NO_SPEECH", "Nothing is said in this recording that a guide could be written from."
            )
        windows = cut_windows(
            passages, window_tokens=self._profile.window_tokens, overlap_tokens=self._profile.overlap_tokens
        )
        self._require_budget(windows, language)
        parts = []
        for index, window in enumerate(windows):
            self._calls.report(index / len(windows))
            parts.append(self._part(window, index, len(windows), withheld, language))
        steps = join_steps([part.steps for part in parts])
        if not steps:
            raise LanguageModelError(
                "MODEL_OUTPUT_INVALID", "The language model found no steps in what is said. Try again."
            )
        counts = sum((part.counts for part in parts), Counter[str]())
        counts |= Counter(passages_withheld=len(withheld), windows=len(windows))
        timed = tuple(_timed(step, segments) for step in steps)
        of_model = next((part.title for part in parts if part.title), "")
        return self._assembled(Guide(title or of_model or steps[0].title, (Section("", timed),)), counts)

    def rewrite(self, text: str, *, context: str | None) -> Rewriting:
        """Return the passage in other words, as `LanguageModel.rewrite` defines it."""
        prompt = self._rewrite_prompt
        passage = without_markers(text)
        rewritten = text
        if estimated_tokens(passage) > self._profile.window_tokens:
            raise LanguageModelError(
                "PASSAGE_TOO_LONG", "This passage is too long to be rewritten at once. Choose a shorter one."
            )
        if has_words(passage):
            rewritten = with_markers_of(text, self._rewritten(passage, context or ""))
        return Rewriting(rewritten, self._profile.id, prompt.id)

    def _part(
        self, window: Sequence[Passage], index: int, windows: int, withheld: Sequence[str], language: str
    ) -> CheckedPart:
        """Return what was written of a window; an answer that is kept is not asked for again."""
        reader = PartReader(window, withheld, is_only=windows == 1)
        key = self._key(window, language)
        kept = self._calls.answer_to(key)
        if kept is not None:
            with suppress(AnswerInvalid):  # it was kept when the checks let more pass
                return reader.read_kept(kept)
        values = {
            "fence": secrets.token_hex(8),
            "part": str(index + 1),
            "parts": str(windows),
            "language": "that they are in" if language == _UNKNOWN else language,
            "passages": "\n".join(passage.line for passage in window),
        }
        return self._ask(
            Asked(key, self._draft_prompt, values, SCHEMA), lambda answer: reader.read(answer.text)
        )

    def _key(self, window: Sequence[Passage], language: str) -> str:
        return key_of(
            model=self._service.model,
            prompt=self._draft_prompt.id,
            language=language,
            passages=[[passage.position, passage.text] for passage in window],
        )

    def _require_budget(self, windows: Sequence[Sequence[Passage]], language: str) -> None:
        """Raise MODEL_BUDGET_EXCEEDED before the first call, if the budget would not even do for the questions."""
        open_windows = [each for each in windows if self._calls.answer_to(self._key(each, language)) is None]
        self._calls.require(sum(estimated_tokens(passage.line) for each in open_windows for passage in each))

    def _rewritten(self, passage: str, context: str) -> str:
        prompt = self._rewrite_prompt
        asked = {"model": self._service.model, "prompt": prompt.id, "passage": passage, "context": context}
        key = key_of(work=self._calls.work, **asked)
        kept = self._calls.answer_to(key)
        if kept is not None:
            return str(kept["markdown"])

        def read(answer: Answer) -> tuple[str, Any]:
            markdown = check_rewriting(answer.text, passage)
            return markdown, {"markdown": markdown}

        wish = Template(prompt.wish).substitute(context=" ".join(context.split()))
        values = {
            "fence": secrets.token_hex(8),
            "wish": f"{wish}\n" if context.strip() else "",
            "passage": passage,
        }
        return self._ask(Asked(key, prompt, values), read)

    def _ask(self, asked: Asked, read: Any) -> Any:
        return ask(asked, read, service=self._service, profile=self._profile, calls=self._calls)

    def _assembled(self, guide: Guide, counts: Counter[str]) -> Draft:
        log.info(
            "language model drafted: %s",
            ", ".join(f"{name} {count}" for name, count in sorted(counts.items())),
        )
        draft = Draft(
            assemble(guide),
            guide.title,
            self._profile.id,
            self._draft_prompt.id,
            steps=draft_steps(guide),
            counts=dict(counts),
        )
        try:
            require_fit(draft)
        except DocumentTooComplex:
            raise LanguageModelError(
                "MODEL_OUTPUT_INVALID", "The language model wrote more than a document may have. Try again."
            ) from None
        return draft


def _timed(step: CheckedStep, segments: Sequence[Segment]) -> Step:
    return Step(
        step.title,
        step.paragraphs,
        start_ms=min(segments[position].start_ms for position in step.segments),
        end_ms=max(segments[position].end_ms for position in step.segments),
        segments=step.segments,
        needs_review=step.needs_review,
    )
