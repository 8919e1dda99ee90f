"""Ask a model for an answer that can be used: calls are counted, and a bad answer is asked for once more."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any, TypeVar

from instructions.language_models import LanguageModelError
from instructions.language_models.calls import Calls, Tokens, estimated_tokens
from instructions.language_models.chat.service import Answer, AnswerLost, BadAnswer, ChatService, Question
from instructions.language_models.checks.drafts import AnswerInvalid
from instructions.language_models.installed import Profile, Prompt

log = logging.getLogger(__name__)

Found = TypeVar("Found")
_TRIES = 2
_MAX_LONGER = 4  # times what was asked for, by estimate: the tokens of some scripts have many bytes
_TOKENS_A_MESSAGE = 4  # that a message takes beside its text


@dataclass(frozen=True)
class Asked:
    """What is asked for: the prompt with what is put in, and how the text of an answer is read.

    `read` returns what was found, and JSON to keep for the key; it raises AnswerInvalid.
    """

    key: str
    prompt: Prompt
    values: dict[str, str]
    schema: dict[str, Any] | None = None


def key_of(**asked: Any) -> str:
    """Return the SHA-256 of what an answer depends on, as canonical JSON: keys in order, no white space, UTF-8."""
    canonical = json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def ask(
    asked: Asked,
    read: Callable[[str], tuple[Found, Any]],
    *,
    service: ChatService,
    profile: Profile,
    calls: Calls,
) -> Found:
    """Return what `read` finds in the answer. After one that cannot be used the model is told why, and asked again.

    Raise LanguageModelError; MODEL_OUTPUT_INVALID after the second answer.
    """
    reason = ""
    for _ in range(_TRIES):
        calls.check()
        try:
            return _ask_once(asked, reason, read, service=service, profile=profile, calls=calls)
        except AnswerInvalid as error:
            reason = str(error)
        log.info("answer of a language model cannot be used: prompt %s, %s", asked.prompt.id, reason)
    raise LanguageModelError(
        "MODEL_OUTPUT_INVALID", "The language model sent no answer that can be used, asked twice. Try again."
    )


def _ask_once(
    asked: Asked,
    reason: str,
    read: Callable[[str], tuple[Found, Any]],
    *,
    service: ChatService,
    profile: Profile,
    calls: Calls,
) -> Found:
    """Return what is found in one answer, and count the call, however it ends. Raise AnswerInvalid."""
    question = _question(asked, profile, reason)
    most = Tokens(
        sum(estimated_tokens(each["content"]) + _TOKENS_A_MESSAGE for each in question.messages),
        profile.max_tokens,
    )
    call = calls.begin(asked.key, most)
    try:
        answer = service.ask(question, calls.check)
    except BadAnswer as error:
        call.end(error.tokens or most, None)
        raise AnswerInvalid(error.reason) from None
    except AnswerLost:
        call.end(most, None)
        raise
    except LanguageModelError:
        call.cancel()
        raise
    spent = answer.tokens or Tokens(most.prompt, estimated_tokens(answer.text))
    try:
        found, kept = _read(answer, read, is_json=asked.schema is not None, max_tokens=profile.max_tokens)
    except AnswerInvalid:
        call.end(spent, None)
        raise
    call.end(spent, kept)
    return found


def _question(asked: Asked, profile: Profile, reason: str) -> Question:
    prompt = asked.prompt
    user = Template(prompt.user).substitute(asked.values).strip()
    if reason:
        user = f"{user}\n\n{Template(prompt.again).substitute(reason=reason)}"
    messages = (
        {"role": "system", "content": Template(prompt.system).substitute(asked.values).strip()},
        {"role": "user", "content": user},
    )
    return Question(messages, profile.max_tokens, profile.temperature, asked.schema)


def _read(
    answer: Answer, read: Callable[[str], tuple[Found, Any]], *, is_json: bool, max_tokens: int
) -> tuple[Found, Any]:
    """Return what is found. Raise AnswerInvalid for an answer that no service makes of so few tokens, or that is cut
    off, unless it is JSON and whole."""
    if estimated_tokens(answer.text) > _MAX_LONGER * max_tokens:
        raise AnswerInvalid("It was far too long.")
    cut = AnswerInvalid("It was cut off at its limit. Write less.")
    if answer.is_cut and not is_json:
        raise cut
    try:
        return read(answer.text)
    except AnswerInvalid:
        if answer.is_cut:
            raise cut from None
        raise
