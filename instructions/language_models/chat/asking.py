"""Ask a model for an answer that can be used: calls are counted, and a bad answer is asked for once more."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from string import Template
from typing import Any, TypeVar

from instructions.language_models import LanguageModelError
from instructions.language_models.calls import Call, Calls, Tokens, estimated_tokens
from instructions.language_models.chat.service import Answer, AnswerLost, BadAnswer, ChatService, Question
from instructions.language_models.checks.drafts import AnswerInvalid
from instructions.language_models.installed import Profile, Prompt

log = logging.getLogger(__name__)

Found = TypeVar("Found")
# Returns what was found in an answer, and JSON to keep for the key; raises AnswerInvalid.
Read = Callable[[Answer], tuple[Found, Any]]
TRIES = 2
_MAX_LONGER = 4  # times what was asked for, by estimate: the tokens of some scripts have many bytes
TOKENS_A_MESSAGE = 4  # that a message takes beside its text


@dataclass(frozen=True)
class Asked:
    """What is asked for: the prompt with what is put in.

    `examples` are messages that go before the question, `max_tokens` is the limit of an answer that shall have
    fewer tokens than the profile's. `wants_likelihood` asks how likely each beginning of the answer was.
    """

    key: str
    prompt: Prompt
    values: dict[str, str]
    schema: dict[str, Any] | None = None
    examples: tuple[dict[str, str], ...] = ()
    max_tokens: int = 0
    wants_likelihood: bool = False


def key_of(**asked: Any) -> str:
    """Return the SHA-256 of what an answer depends on, as canonical JSON: keys in order, no white space, UTF-8."""
    canonical = json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def ask(
    asked: Asked,
    read: Read[Found],
    *,
    service: ChatService,
    profile: Profile,
    calls: Calls,
) -> Found:
    """Return what `read` finds in the answer. After one that cannot be used the model is told why, and asked again.

    Raise LanguageModelError; MODEL_OUTPUT_INVALID after the second answer.
    """
    reason = ""
    for _ in range(TRIES):
        calls.check()
        opened = begin(asked, reason, profile, calls)
        try:
            return opened.finish(partial(service.ask, opened.question, calls.check), read)
        except AnswerInvalid as error:
            reason = str(error)
        log.info("answer of a language model cannot be used: prompt %s, %s", asked.prompt.id, reason)
    raise unusable()


def unusable() -> LanguageModelError:
    return LanguageModelError(
        "MODEL_OUTPUT_INVALID", "The language model sent no answer that can be used, asked twice. Try again."
    )


@dataclass(frozen=True)
class Opened:
    """A question that is about to be sent, and the call that counts it."""

    asked: Asked
    question: Question
    call: Call
    most: Tokens

    def finish(self, answered: Callable[[], Answer], read: Read[Found]) -> Found:
        """Return what is found in the answer, and count the call, however it ends. Raise AnswerInvalid."""
        try:
            answer = answered()
        except BadAnswer as error:
            self.call.end(error.tokens or self.most, None)
            raise AnswerInvalid(error.reason) from None
        except AnswerLost:
            self.call.end(self.most, None)
            raise
        except LanguageModelError:
            self.call.cancel()
            raise
        spent = answer.tokens or Tokens(self.most.prompt, estimated_tokens(answer.text))
        is_json = self.asked.schema is not None
        try:
            found, kept = _read(answer, read, is_json=is_json, max_tokens=self.question.max_tokens)
        except AnswerInvalid:
            self.call.end(spent, None)
            raise
        self.call.end(spent, kept)
        return found


def begin(asked: Asked, reason: str, profile: Profile, calls: Calls) -> Opened:
    """Begin a call; `reason` says why the answer before could not be used. Raise LanguageModelError."""
    question = _question(asked, profile, reason)
    most = Tokens(
        sum(estimated_tokens(each["content"]) + TOKENS_A_MESSAGE for each in question.messages),
        question.max_tokens,
    )
    return Opened(asked, question, calls.begin(asked.key, most), most)


def _question(asked: Asked, profile: Profile, reason: str) -> Question:
    prompt = asked.prompt
    user = Template(prompt.user).substitute(asked.values).strip()
    if reason:
        user = f"{user}\n\n{Template(prompt.again).substitute(reason=reason)}"
    messages = (
        {"role": "system", "content": Template(prompt.system).substitute(asked.values).strip()},
        *asked.examples,
        {"role": "user", "content": user},
    )
    return Question(
        messages,
        asked.max_tokens or profile.max_tokens,
        profile.temperature,
        asked.schema,
        asked.wants_likelihood,
    )


def _read(answer: Answer, read: Read[Found], *, is_json: bool, max_tokens: int) -> tuple[Found, Any]:
    """Return what is found. Raise AnswerInvalid for an answer that no service makes of so few tokens, or that is cut
    off, unless it is JSON and whole."""
    if estimated_tokens(answer.text) > _MAX_LONGER * max_tokens:
        raise AnswerInvalid("It was far too long.")
    cut = AnswerInvalid("It was cut off at its limit. Write less.")
    if answer.is_cut and not is_json:
        raise cut
    try:
        return read(answer)
    except AnswerInvalid:
        if answer.is_cut:
            raise cut from None
        raise
