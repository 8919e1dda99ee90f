"""What stands around the calls of a model: the work that they belong to, and who counts and keeps them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

# Of UTF-8. English has about four characters a token, other languages in Latin letters three; of other scripts a
# character, which has two to four bytes, may be a token or a little more (Hindi, Thai), with older tokenizers.
_BYTES_PER_TOKEN, _BYTES_PER_TOKEN_ELSEWHERE = 3.5, 2
_LAST_LATIN = "\u024f"


@dataclass(frozen=True)
class Tokens:
    """How much was sent to a model, and how much came back."""

    prompt: int
    completion: int


class Call(Protocol):
    """A call that has begun, counted in full until it ends."""

    def end(self, spent: Tokens, answer: Any | None) -> None:
        """Count what it took, and keep an answer that can be used; None for one that cannot."""
        ...

    def cancel(self) -> None:
        """Count nothing: the service did not do it."""
        ...


class Calls(Protocol):
    """The calls of one piece of work. `work` names it: of rewriting, whose answer is kept for this work alone."""

    work: str

    def check(self) -> None:
        """Raise what ends the work when it was cancelled. This is cheap enough to be called several times a second."""
        ...

    def report(self, share: float) -> None:
        """Report the progress (0..1); raise as `check` does."""
        ...

    def answer_to(self, key: str) -> Any | None:
        """Return the answer that is kept for a key, which says all that it depends on; None without one."""
        ...

    def require(self, tokens: int) -> None:
        """Raise LanguageModelError, MODEL_BUDGET_EXCEEDED, if so many more tokens cannot be had."""
        ...

    def begin(self, key: str, most: Tokens) -> Call:
        """Begin a call that takes `most` tokens; raise LanguageModelError, MODEL_BUDGET_EXCEEDED."""
        ...


class _Uncounted:
    def end(self, spent: Tokens, answer: Any | None) -> None:
        return None

    def cancel(self) -> None:
        return None


class UncountedCalls:
    """`Calls` that belong to no work: nothing ends them, counts them or keeps their answers."""

    work = ""

    def check(self) -> None:
        return None

    def report(self, share: float) -> None:
        return None

    def answer_to(self, key: str) -> Any | None:
        return None

    def require(self, tokens: int) -> None:
        return None

    def begin(self, key: str, most: Tokens) -> Call:
        return _Uncounted()


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few: a token for 3.5 bytes of UTF-8, and for
    two of what is not Latin."""
    latin = len("".join(sign for sign in text if sign <= _LAST_LATIN).encode())
    others = len(text.encode()) - latin
    return math.ceil(latin / _BYTES_PER_TOKEN + others / _BYTES_PER_TOKEN_ELSEWHERE)
