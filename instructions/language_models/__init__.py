"""The interface of language models, which draft a guide from a transcript and rewrite passages of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from instructions.evidence import DraftStep
from jobs.media.screen import ScreenEvent
from jobs.media.transcripts import Segment

__all__ = ["Draft", "DraftStep", "LanguageModel", "LanguageModelError", "Rewriting", "ScreenEvent", "Segment"]


@dataclass(frozen=True)
class Draft:
    """A guide as Markdown without block markers, and the ids of the model and the prompt that made it.

    `steps` are those of the Markdown in its order, each with what it rests on; headings have no times.
    """

    markdown: str
    title: str
    model_profile_id: str
    prompt_template_id: str
    steps: tuple[DraftStep, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    """What was left out or marked, by name; see `language_models.chat`."""


@dataclass(frozen=True)
class Rewriting:
    """A passage of Markdown in other words, and the ids of the model and the prompt that made it."""

    markdown: str
    model_profile_id: str
    prompt_template_id: str


class LanguageModelError(Exception):
    """Drafting or rewriting failed. `message` is a sentence that a user may read: no secret, no prompt.

    The codes: NO_SPEECH; MODEL_UNAVAILABLE (not reached, overloaded, too slow, or a profile that is not here);
    MODEL_REFUSED_CREDENTIALS; MODEL_REFUSED (the request, for another reason); MODEL_OUTPUT_INVALID;
    MODEL_BUDGET_EXCEEDED; PASSAGE_TOO_LONG.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LanguageModel(Protocol):
    """A model that drafts guides and rewrites passages."""

    def draft(
        self,
        segments: Sequence[Segment],
        *,
        title: str | None,
        language: str,
        screen: Sequence[ScreenEvent] = (),
    ) -> Draft:
        """Return a guide of numbered steps, each with its span and the positions of the segments that it rests on,
        which are their indices in `segments`. `language` is a BCP 47 tag, "und" when unknown. `screen` is what the
        screen shows being done, by time; a model may pass over it.

        Raise LanguageModelError, with code NO_SPEECH when the segments hold no words.
        """
        ...

    def rewrite(self, text: str, *, context: str | None) -> Rewriting:
        """Return the passage of Markdown in better words, its structure kept.

        `context` tells the model what to pay attention to. Raise LanguageModelError.
        """
        ...
