"""One call of a chat service, against a real server that is slow, busy, broken or hostile."""

from __future__ import annotations

import json
import logging
import socket
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from instructions.language_models import LanguageModelError
from instructions.language_models.calls import Tokens
from instructions.language_models.chat import service as module
from instructions.language_models.chat.service import AnswerLost, BadAnswer, ChatService, Question
from tests.chat_server import ChatServer, Reply, completion, running_chat_server
from tests.proxies import through_a_proxy

KEY = "sk-a-secret-of-the-operator"
ASKED = Question(({"role": "user", "content": "Say hello."},), 64, 0.2)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with running_chat_server() as running:
        running.otherwise = completion("hello")
        yield running


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_DELAYS", (0.01, 0.02, 0.04, 0.08))


def ask(
    url: str, question: Question = ASKED, *, check: Callable[[], None] = lambda: None, seconds: float = 5.0
) -> str:
    return ChatService(url, KEY, "a-model", seconds).ask(question, check).text


def error_of(url: str, **how: Any) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as raised:
        ask(url, **how)
    return raised.value


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
def test_a_question_goes_to_the_protocols_path_with_the_key(server: ChatServer, end: str) -> None:
    assert ask(server.url + end) == "hello"
    (asked,) = server.asked
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.body == {
        "model": "a-model",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 64,
        "temperature": 0.2,
    }


def test_without_a_key_none_is_sent(server: ChatServer) -> None:
    ChatService(server.url, "", "a-model", 5.0).ask(ASKED, lambda: None)
    assert "authorization" not in server.asked[0].headers


def test_the_tokens_are_those_that_the_service_says(server: ChatServer) -> None:
    answer = ChatService(server.url, KEY, "m", 5.0).ask(ASKED, lambda: None)
    assert (answer.tokens, answer.is_cut) == (Tokens(100, 50), False)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "many",
        {},
        {"prompt_tokens": "7", "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": 0, "completion_tokens": 1},
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": 2**40},
    ],
)
def test_tokens_that_cannot_be_believed_are_not_known(server: ChatServer, usage: Any) -> None:
    server.otherwise = completion("hello", usage=usage)
    assert ChatService(server.url, KEY, "m", 5.0).ask(ASKED, lambda: None).tokens is None


@pytest.mark.parametrize(
    ("finish", "is_cut"),
    [
        *((name, True) for name in ("length", "content_filter", "tool_calls", "error", 7, ["stop"])),
        *((name, False) for name in ("stop", "eos_token", "", None)),
    ],
)
def test_an_answer_that_the_model_did_not_end_says_so(server: ChatServer, finish: Any, is_cut: bool) -> None:
    server.otherwise = completion("hel", finish=finish)
    assert ChatService(server.url, KEY, "m", 5.0).ask(ASKED, lambda: None).is_cut is is_cut
    server.otherwise = Reply(body=b'{"choices": [{"message": {"content": "hello"}}]}')
    assert not ChatService(server.url, KEY, "m", 5.0).ask(ASKED, lambda: None).is_cut


def test_an_answer_in_parts_is_one_text_without_what_cannot_be_stored(server: ChatServer) -> None:
    parts = [{"type": "text", "text": "he\x00l"}, {"type": "image_url"}, {"type": "text", "text": "lo\ud800"}]
    server.otherwise = Reply(body=json.dumps({"choices": [{"message": {"content": parts}}]}).encode())
    assert ask(server.url) == "hello"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_service_is_asked_again(server: ChatServer, status: int) -> None:
    server.answers = [Reply(status), Reply(status)]
    assert ask(server.url) == "hello"
    assert len(server.asked) == 3


def test_a_service_that_stays_busy_is_given_up_after_five_tries(server: ChatServer) -> None:
    server.otherwise = Reply(503, b"secret details")
    error = error_of(server.url)
    assert error.code == "MODEL_UNAVAILABLE"
    assert error.message == "The language model is not available now (status 503). Try again later."
    assert len(server.asked) == 5


def test_the_seconds_that_a_service_asks_for_are_waited(server: ChatServer) -> None:
    server.answers = [Reply(429, headers={"Retry-After": "1"})]
    begun = time.monotonic()
    assert ask(server.url) == "hello"
    assert 1.0 <= time.monotonic() - begun < 5.0


def test_the_moment_that_a_service_names_is_waited_for(server: ChatServer) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=2)  # whole seconds: one to two from now
    server.answers = [Reply(503, headers={"Retry-After": format_datetime(moment, usegmt=True)})]
    begun = time.monotonic()
    assert ask(server.url) == "hello"
    assert 0.9 <= time.monotonic() - begun < 6.0


def test_a_moment_that_has_passed_is_not_waited_for(server: ChatServer) -> None:
    server.answers = [Reply(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})]
    begun = time.monotonic()
    assert ask(server.url) == "hello"
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize(
    "odd",
    [
        *("soon", "-1", "1.5", "9" * 400, "\u0661"),
        "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ],
)
def test_an_odd_retry_after_ends_no_worker(server: ChatServer, odd: str) -> None:
    server.answers = [Reply(429, headers={"Retry-After": odd.encode().decode("latin-1")})]
    try:
        assert ask(server.url) == "hello"
    except LanguageModelError as error:
        assert (error.code, odd[0]) == ("MODEL_UNAVAILABLE", "9")


def test_a_service_that_wants_a_long_rest_is_given_up_at_once(server: ChatServer) -> None:
    server.otherwise = Reply(429, headers={"Retry-After": "3600"})
    begun = time.monotonic()
    assert error_of(server.url).code == "MODEL_UNAVAILABLE"
    assert time.monotonic() - begun < 2.0 and len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "MODEL_REFUSED_CREDENTIALS"),
        (403, "MODEL_REFUSED_CREDENTIALS"),
        (400, "MODEL_REFUSED"),
        (404, "MODEL_REFUSED"),
        (413, "MODEL_REFUSED"),
        (204, "MODEL_REFUSED"),
        (501, "MODEL_REFUSED"),
    ],
)
def test_a_refusal_is_not_tried_again(server: ChatServer, status: int, code: str) -> None:
    server.otherwise = Reply(status, b"" if status == 204 else b"a secret of the service")
    error = error_of(server.url)
    assert error.code == code
    assert "secret" not in error.message and error.message.endswith(".")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: ChatServer, status: int) -> None:
    with running_chat_server() as other:
        server.otherwise = Reply(status, headers={"Location": f"{other.url}/v1/chat/completions"})
        assert error_of(server.url).code == "MODEL_REFUSED"
        assert other.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"choices": [',
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": "  "}}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": [{"type": "text"}]}}]}',
        b'{"choices": {"message": 1}}',
        b"[" * 100_000,
        b'{"choices": [{"message": {"content": "' + b"\xff" + b'"}}]}',
    ],
    ids=range(13),
)
def test_a_body_that_breaks_the_protocol_is_a_bad_answer(server: ChatServer, body: bytes) -> None:
    server.otherwise = Reply(body=body)
    error = error_of(server.url)
    assert isinstance(error, BadAnswer) and error.code == "MODEL_OUTPUT_INVALID"
    assert len(server.asked) == 1


def test_ten_megabytes_are_refused_and_not_loaded(server: ChatServer) -> None:
    server.otherwise = completion("x" * 10_000_000)
    tracemalloc.start()
    try:
        assert isinstance(error_of(server.url, seconds=30.0), BadAnswer)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000, "which the server of the test has, twice"
    finally:
        tracemalloc.stop()
    assert server.hung_up.wait(10), "the rest is not read"


def test_an_endless_refusal_is_not_read_to_its_end(server: ChatServer) -> None:
    server.otherwise = Reply(400, b"x" * 10_000_000)
    assert error_of(server.url).code == "MODEL_REFUSED"
    assert server.hung_up.wait(10)


def test_an_answer_that_is_cut_off_is_lost_and_not_asked_for_again(server: ChatServer) -> None:
    server.otherwise = Reply(body=completion("hello " * 100).body, cut_off=True)
    error = error_of(server.url)
    assert isinstance(error, AnswerLost) and error.code == "MODEL_UNAVAILABLE"
    assert len(server.asked) == 1


def test_a_call_takes_no_longer_than_it_may(server: ChatServer) -> None:
    server.otherwise = Reply(seconds=4.0)
    begun = time.monotonic()
    assert isinstance(error_of(server.url, seconds=0.5), AnswerLost)
    assert time.monotonic() - begun < 3.0


def test_proxies_of_the_environment_are_not_used(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_chat_server() as proxy:
        through_a_proxy(proxy.url, monkeypatch)
        assert ask(server.url) == "hello"
        assert proxy.asked == []


def test_a_service_that_is_not_there_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    error = error_of(url)
    assert not isinstance(error, AnswerLost)
    assert error.message == "The language model cannot be reached. Try again later, or ask the operator."


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("reply", [Reply(seconds=20.0), Reply(429, headers={"Retry-After": "60"})])
def test_work_that_is_cancelled_stops_within_a_second(server: ChatServer, reply: Reply) -> None:
    server.otherwise = reply
    begun = time.monotonic()

    def check() -> None:
        if time.monotonic() - begun > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        ask(server.url, check=check, seconds=60.0)
    assert time.monotonic() - begun < 2.0


def test_a_key_that_no_header_can_hold_is_in_no_error(server: ChatServer) -> None:
    with pytest.raises(LanguageModelError) as raised:
        ChatService(server.url, f"{KEY}\n", "m", 5.0).ask(ASKED, lambda: None)
    assert KEY not in "".join(traceback.format_exception(raised.value))


def test_the_key_and_the_words_are_in_no_log(server: ChatServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    server.answers = [Reply(429), Reply(500, KEY.encode())]
    assert ask(server.url) == "hello"
    server.otherwise = Reply(401, KEY.encode())
    error = error_of(server.url)
    shown = "\n".join(
        f"{record.getMessage()} {record.exc_info} {record.__dict__}" for record in caplog.records
    )
    assert "httpcore" in shown, "they do write, at this level"
    assert KEY not in shown and "Say hello" not in shown and KEY not in repr((error, error.__cause__))
