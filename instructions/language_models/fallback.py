"""A model with another in its place when it fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from instructions.language_models import (
    Draft,
    LanguageModel,
    LanguageModelError,
    Rewriting,
    ScreenEvent,
    Segment,
)

log = logging.getLogger(__name__)

FAILED = "model_failed"  # among a draft's counts


class WithFallback:
    """A `LanguageModel` that asks `first`, and `second` when it fails; what is returned says which one made it."""

    def __init__(self, first: LanguageModel, second: LanguageModel) -> None:
        self._first, self._second = first, second

    def draft(
        self,
        segments: Sequence[Segment],
        *,
        title: str | None,
        language: str,
        screen: Sequence[ScreenEvent] = (),
    ) -> Draft:
        """Return a draft, as `LanguageModel.draft` defines it."""
        try:
            return self._first.draft(segments, title=title, language=language, screen=screen)
        except LanguageModelError as error:
            _note(error)
        draft = self._second.draft(segments, title=title, language=language, screen=screen)
        return replace(draft, counts={**draft.counts, FAILED: 1})

    def rewrite(self, text: str, *, context: str | None) -> Rewriting:
        """Return the passage in other words, as `LanguageModel.rewrite` defines it."""
        try:
            return self._first.rewrite(text, context=context)
        except LanguageModelError as error:
            _note(error)
        return self._second.rewrite(text, context=context)


def _note(error: LanguageModelError) -> None:
    """Log that the second takes over; raise the error where it would help nothing."""
    if error.code == "NO_SPEECH":
        raise error
    log.warning("language model failed with %s: its fallback takes over", error.code)
