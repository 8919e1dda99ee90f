"""Read what a model has written of one window of a transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructions.language_models.chat.windows import Passage
from instructions.language_models.checks.drafts import (
    AnswerInvalid,
    CheckedPart,
    WrittenPart,
    check_part,
    read_answer,
    read_part,
)

MIN_STEPS = 10  # that a window may have, however few passages it has


class PartReader:
    """Reads answers about the passages of a window; `withheld` is what the model has not seen of the transcript.

    A window that shows nothing has no steps, which is believed the second time, and never of the only window.
    """

    def __init__(self, window: Sequence[Passage], withheld: Sequence[str], *, is_only: bool) -> None:
        self._sent = {passage.position: passage.text for passage in window}
        self._withheld, self._is_only = withheld, is_only
        self._max_steps = max(MIN_STEPS, len(window))
        self._was_empty = False

    def read(self, text: str) -> tuple[CheckedPart, Any]:
        """Return what is left of an answer, and JSON to keep of it; raise AnswerInvalid."""
        written = read_answer(text, max_steps=self._max_steps)
        return self._checked(written), written.to_json()

    def read_kept(self, kept: Any) -> CheckedPart:
        """Return what is left of an answer that was kept; raise AnswerInvalid if it is not taken any more."""
        self._was_empty = True
        return self._checked(read_part(kept, max_steps=self._max_steps))

    def _checked(self, written: WrittenPart) -> CheckedPart:
        part = check_part(written, sent=self._sent, withheld=self._withheld)
        if written.steps and not part.steps:
            raise AnswerInvalid("None of its steps rests on the passages.")
        if not part.steps and (self._is_only or not self._was_empty):
            self._was_empty = True
            raise AnswerInvalid("It had no steps.")
        part.counts["windows_without_steps"] = int(not part.steps)
        return part
