"""Language models: who drafts a guide from a transcript and rewrites passages of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.speech import Segment

__all__ = ["Draft", "LanguageModel", "LanguageModelError", "Segment"]


@dataclass(frozen=True)
class Draft:
    """A guide as Markdown without block markers, and what made it (ids only, never prompt text)."""

    markdown: str
    title: str
    model_profile_id: str
    prompt_template_id: str


class LanguageModelError(Exception):
    """Drafting or rewriting failed. `message` is a sentence that a user may read: no secret, no prompt."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LanguageModel(Protocol):
    """Turns speech into a guide, and passages into better ones."""

    def draft(self, segments: Sequence[Segment], *, title: str | None, language: str) -> Draft:
        """A guide of numbered, timed steps. `language` is a BCP 47 tag, "und" when unknown.

        Raises LanguageModelError, with code NO_SPEECH when the segments hold no words.
        """
        ...

    def rewrite(self, text: str, *, context: str | None) -> str:
        """The passage of Markdown in better words, its structure kept. `context` says what to look out for.

        Raises LanguageModelError.
        """
        ...
