"""One call of a service with OpenAI's protocol: POST {url}/v1/chat/completions.

Reference: the OpenAI API, "Create chat completion"; vLLM, llama.cpp, Ollama and many others have the same protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from instructions.language_models import LanguageModelError
from instructions.language_models.calls import Tokens

log = logging.getLogger(__name__)

CONNECT_SECONDS = 2.0
MAX_ANSWER_BYTES = 2 * 2**20
MAX_REFUSAL_BYTES = 64 * 2**10
RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0)  # seconds, after 429 and 5xx; spread by a quarter
MAX_RETRY_AFTER = 90.0  # seconds that a service may ask us to wait
_HEARTBEAT = 0.25  # seconds between two looks at whether the work was cancelled

# What a server is asked for, and what instead when it says that it does not know it.
_FORMATS = ("json_schema", "json_object", "")
_NOT_ABOUT_THE_QUESTION = (401, 403, 408, 429)
_ABOUT_FORMAT = re.compile(
    r"response.?format|schema(?!\.org)|grammar|json.?object|structured.?output|guided", re.IGNORECASE
)
# How the end of an answer is named; some servers name none, and Text Generation Inference has its own word.
_ENDED = ("stop", "eos_token", "", None)
_MOST_LIKELY = 20  # tokens of which the likelihood is asked for; more is not allowed
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MAX_COUNT = 2**31 - 1


class BadAnswer(LanguageModelError):
    """The service answered, and that cannot be used. `reason` is a sentence for the model, which quotes nothing."""

    def __init__(self, reason: str, tokens: Tokens | None = None) -> None:
        super().__init__(
            "MODEL_OUTPUT_INVALID", "The language model sent an answer that cannot be used. Try again."
        )
        self.reason, self.tokens = reason, tokens


class AnswerLost(LanguageModelError):
    """The request was sent, and no whole answer came: the service may have done the work all the same."""

    def __init__(self) -> None:
        super().__init__("MODEL_UNAVAILABLE", "The language model did not answer in time. Try again later.")


@dataclass(frozen=True)
class Question:
    """What is asked: messages of `role` and `content`, and the JSON Schema of the answer if it is to be JSON.

    `wants_likelihood` asks how likely each beginning of the answer was.
    """

    messages: Sequence[dict[str, str]]
    max_tokens: int
    temperature: float
    schema: dict[str, Any] | None = None
    wants_likelihood: bool = False


@dataclass(frozen=True)
class Answer:
    """The text of an answer, whether the model did not end it itself (it met the limit of tokens, or a filter), and
    what it took if the service says so.

    `beginnings` are the natural logarithms of the likelihood of what might have been the first token; empty if the
    service does not say.
    """

    text: str
    is_cut: bool
    tokens: Tokens | None
    beginnings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Received:
    status: int
    retry_after: str
    content: bytes


class ChatService:
    """The service at `url`, with or without "/v1" at its end. An empty `api_key` is not sent.

    `timeout_s` is for a whole call, of which connecting may take 2 seconds. What the service does not know is not
    asked for again by the same instance.
    """

    def __init__(self, url: str, api_key: str, model: str, timeout_s: float) -> None:
        self._endpoint = f"{url.rstrip('/').removesuffix('/v1')}/v1/chat/completions"
        # Without compression, as a few bytes could unpack to gigabytes.
        self._headers = {
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "Stepwright",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self.model, self._timeout_s = model, timeout_s
        self._format, self._limit_name, self._has_temperature = 0, "max_tokens", True
        self._has_likelihood = True

    def ask(self, question: Question, check: Callable[[], None]) -> Answer:
        """Return the answer; `check` is called several times a second, and what it raises ends the call.

        Status 429 and 5xx but 501 are tried again, up to four times, when the service says or after 1, 2, 4 and 8 s.
        Raise BadAnswer and AnswerLost after the service may have worked, else LanguageModelError.
        """
        tries = 0
        while True:
            received = self._send(question, check)
            if received.status == 200:
                return _read(received.content)
            if self._ask_for_less(question, received):
                continue
            if received.status == 501 or (received.status != 429 and received.status < 500):
                raise _refused(received.status)
            delay = _delay(tries, received.retry_after)
            if tries >= len(RETRY_DELAYS) or delay > MAX_RETRY_AFTER:
                raise LanguageModelError(
                    "MODEL_UNAVAILABLE",
                    f"The language model is not available now (status {received.status}). Try again later.",
                )
            log.info("language model is busy: status %d, again in %.1f s", received.status, delay)
            _pause(delay, check)
            tries += 1

    def _body(self, question: Question) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(question.messages),
            self._limit_name: question.max_tokens,
        }
        if self._has_temperature:
            body["temperature"] = question.temperature
        if question.wants_likelihood and self._has_likelihood:
            body |= {"logprobs": True, "top_logprobs": _MOST_LIKELY}
        if question.schema and _FORMATS[self._format] == "json_schema":
            described = {"name": "answer", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        elif question.schema and _FORMATS[self._format]:
            body["response_format"] = {"type": "json_object"}
        return body

    def _ask_for_less(self, question: Question, received: _Received) -> bool:
        """Leave out what the service says that it does not know, from now on; return whether there was something.

        A refusal that says nothing of the kind, of a call with a schema, may be meant for the schema too.
        """
        said, status = received.content.decode(errors="replace"), received.status
        is_refused = status == 501 or (400 <= status < 500 and status not in _NOT_ABOUT_THE_QUESTION)
        has_format = bool(question.schema and _FORMATS[self._format])
        if has_format and (is_refused or status >= 500) and _ABOUT_FORMAT.search(said):
            self._format += 1
            log.info(
                "language model does not know response_format; asking for %s",
                _FORMATS[self._format] or "text",
            )
        elif not is_refused:
            return False
        elif self._limit_name == "max_tokens" and "max_completion_tokens" in said:
            self._limit_name = "max_completion_tokens"
        elif self._has_temperature and "temperature" in said:
            self._has_temperature = False
        elif question.wants_likelihood and self._has_likelihood:
            self._has_likelihood = False
            log.info("language model refused a question with logprobs: status %d; asking without", status)
        elif has_format:
            self._format = len(_FORMATS) - 1
            log.info(
                "language model refused a question with response_format: status %d; asking without", status
            )
        else:
            return False
        return True

    def _send(self, question: Question, check: Callable[[], None]) -> _Received:
        # Imported here: it takes 20 ms, and most processes never call the service.
        import httpx

        body = json.dumps(self._body(question), ensure_ascii=False).encode()
        try:
            return self._in_time(body, check)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            raise LanguageModelError(
                "MODEL_UNAVAILABLE",
                "The language model cannot be reached. Try again later, or ask the operator.",
            ) from error
        except (httpx.TransportError, TimeoutError):
            raise AnswerLost from None  # the error may quote a header, and so the key

    def _in_time(self, body: bytes, check: Callable[[], None]) -> _Received:
        """Return what comes back; raise TimeoutError after `timeout_s`, whatever is slow, and what `check` raises.

        The call has a thread of its own: `check` may use a database, which Django forbids inside a running loop, and
        a name look-up cannot be interrupted, only left behind.
        """
        outcome: Future[_Received] = Future()
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._receive(body))

        def run() -> None:
            try:
                outcome.set_result(loop.run_until_complete(asyncio.wait_for(task, self._timeout_s)))
            except BaseException as error:
                outcome.set_exception(error)
            finally:
                loop.close()

        threading.Thread(target=run, name="language-model-call", daemon=True).start()
        try:
            while not outcome.done():
                wait([outcome], timeout=_HEARTBEAT)
                check()
            return outcome.result()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(task.cancel)

    async def _receive(self, body: bytes) -> _Received:
        import httpx

        timeout = httpx.Timeout(self._timeout_s, connect=min(CONNECT_SECONDS, self._timeout_s))
        # A transport of its own takes no proxy from the environment, which would be sent the key and the words.
        transport = httpx.AsyncHTTPTransport()
        async with (
            httpx.AsyncClient(timeout=timeout, transport=transport, follow_redirects=False) as client,
            client.stream("POST", self._endpoint, content=body, headers=self._headers) as response,
        ):
            is_answer = response.status_code == 200
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if is_answer and len(content) > MAX_ANSWER_BYTES:
                    raise BadAnswer("It was far too long.")
                if len(content) > MAX_REFUSAL_BYTES and not is_answer:
                    break
            return _Received(response.status_code, response.headers.get("retry-after", ""), bytes(content))


def _read(content: bytes) -> Answer:
    """Return the answer in a body; raise BadAnswer for one that does not follow the protocol."""
    try:
        answer = json.loads(content)
        choice = answer["choices"][0]
        text = choice["message"]["content"]
        if isinstance(text, list):  # the parts of a message, of which some servers make one
            text = "".join(part["text"] for part in text if part.get("type") == "text")
        tokens = _usage(answer)
        if not isinstance(text, str) or not text.strip():
            raise BadAnswer("It had no text.", tokens)
        is_cut = choice.get("finish_reason") not in _ENDED
        return Answer(_UNSTORABLE.sub("", text), is_cut, tokens, _beginnings(choice))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        # The error may quote the answer, so it is not chained and not logged.
        raise BadAnswer("It did not follow the protocol.") from None


def _beginnings(choice: dict[str, Any]) -> dict[str, float]:
    """Return what might have been the first token; empty for what does not follow the protocol, as many servers have a
    form of their own here."""
    try:
        first = choice["logprobs"]["content"][0]["top_logprobs"][:_MOST_LIKELY]
        likely = {each["token"]: each["logprob"] for each in first}
    except (TypeError, KeyError, IndexError):
        return {}
    is_read = all(type(token) is str and type(log_p) in (int, float) for token, log_p in likely.items())
    return {token: float(log_p) for token, log_p in likely.items() if -1_000 <= log_p <= 0} if is_read else {}


def _usage(answer: dict[str, Any]) -> Tokens | None:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int:
        return None
    return Tokens(prompt, completion) if 0 < prompt <= _MAX_COUNT and 0 <= completion <= _MAX_COUNT else None


def _refused(status: int) -> LanguageModelError:
    if status in (401, 403):
        return LanguageModelError(
            "MODEL_REFUSED_CREDENTIALS", "The language model does not accept our key. Ask the operator."
        )
    return LanguageModelError(
        "MODEL_REFUSED",
        f"The language model refused the request (status {status}). Ask the operator to check address and model.",
    )


def _delay(tries: int, retry_after: str) -> float:
    """Return the seconds until the next try: what the service says (RFC 9110, section 10.2.3), else our own."""
    spread = random.uniform(0.75, 1.25)  # nosec B311
    asked = _seconds(retry_after)
    return RETRY_DELAYS[min(tries, len(RETRY_DELAYS) - 1)] * spread if asked is None else asked


def _seconds(retry_after: str) -> float | None:
    """Return a Retry-After in seconds from now, None for one that is absent or malformed."""
    value = retry_after.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:10])
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return None


def _pause(seconds: float, check: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _HEARTBEAT))
        check()
