"""What a chat service does not know is left out: the form of an answer, and names of newer or older models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from instructions.language_models import LanguageModelError
from instructions.language_models.chat import service as module
from instructions.language_models.chat.service import ChatService, Question
from tests.chat_server import ChatServer, Reply, completion, running_chat_server

WITHOUT_SCHEMA = Question(({"role": "user", "content": "Say hello."},), 64, 0.2)
WITH_LIKELIHOOD = Question(WITHOUT_SCHEMA.messages, 64, 0.2, wants_likelihood=True)
WITH_SCHEMA = Question(WITHOUT_SCHEMA.messages, 64, 0.2, {"type": "object"})


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with running_chat_server() as running:
        running.otherwise = completion("hello")
        yield running


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_DELAYS", (0.01, 0.02, 0.04, 0.08))


def ask(server: ChatServer, question: Question = WITH_SCHEMA) -> str:
    return ChatService(server.url, "", "a-model", 5.0).ask(question, lambda: None).text


def error_of(server: ChatServer) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as raised:
        ask(server)
    return raised.value


def test_structure_that_a_service_does_not_know_is_not_asked_for_again(server: ChatServer) -> None:
    refusal = Reply(400, b'{"error": {"message": "response_format json_schema is not supported"}}')
    server.answers = [refusal, refusal]
    service = ChatService(server.url, "", "m", 5.0)
    assert service.ask(WITH_SCHEMA, lambda: None).text == "hello"
    assert service.ask(WITH_SCHEMA, lambda: None).text == "hello"
    formats = [asked.body.get("response_format", {}).get("type") for asked in server.asked]
    assert formats == ["json_schema", "json_object", None, None]


@pytest.mark.parametrize(
    ("refusal", "formats"),
    [
        *((Reply(status, b"no"), ["json_schema", None]) for status in (400, 404, 413, 415, 422, 501)),
        (Reply(500, b"Failed to compile the grammar"), ["json_schema", "json_object"]),
        (Reply(500, b"Invalid JSON Schema"), ["json_schema", "json_object"]),
        (Reply(500, b"see https://schema.org/"), ["json_schema", "json_schema"]),
        (Reply(429, b"response_format"), ["json_schema", "json_schema"]),
    ],
)
def test_a_question_that_is_refused_with_a_schema_is_asked_without(
    server: ChatServer, refusal: Reply, formats: list[str | None]
) -> None:
    server.answers = [refusal]
    assert ask(server) == "hello"
    assert [asked.body.get("response_format", {}).get("type") for asked in server.asked] == formats


@pytest.mark.parametrize(("status", "requests"), [(404, 2), (501, 2), (401, 1), (403, 1), (408, 1), (302, 1)])
def test_a_question_that_is_refused_without_a_schema_is_given_up(
    server: ChatServer, status: int, requests: int
) -> None:
    server.otherwise = Reply(status, b"response_format" if status == 401 else b"no")
    assert error_of(server).code.startswith("MODEL_REFUSED")
    assert len(server.asked) == requests


def test_names_of_newer_and_older_models_are_both_spoken(server: ChatServer) -> None:
    server.answers = [
        Reply(400, b"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        Reply(400, b"Unsupported value: 'temperature' does not support 0.2."),
    ]
    assert ask(server, WITHOUT_SCHEMA) == "hello"
    assert server.asked[2].body.keys() == {"model", "messages", "max_completion_tokens"}


def test_a_service_that_complains_of_everything_is_given_up(server: ChatServer) -> None:
    server.otherwise = Reply(400, b"response_format, max_completion_tokens, temperature: all wrong")
    assert error_of(server).code == "MODEL_REFUSED"
    assert len(server.asked) == 5


def first_token(*likely: object) -> dict[str, object]:
    return {"content": [{"token": "a", "logprob": -0.1, "top_logprobs": list(likely)}]}


def test_how_likely_each_beginning_was_is_read(server: ChatServer) -> None:
    told = first_token({"token": "a", "logprob": -0.1}, {"token": "-", "logprob": -3})
    server.answers = [completion("hello", logprobs=told)]
    service = ChatService(server.url, "", "m", 5.0)
    assert service.ask(WITH_LIKELIHOOD, lambda: None).beginnings == {"a": -0.1, "-": -3.0}
    assert service.ask(WITHOUT_SCHEMA, lambda: None).beginnings == {}
    assert ["top_logprobs" in asked.body for asked in server.asked] == [True, False]


def test_a_service_that_does_not_know_likelihoods_is_asked_without(server: ChatServer) -> None:
    server.answers = [Reply(400, b'{"error": {"message": "logprobs is not supported by this model"}}')]
    service = ChatService(server.url, "", "m", 5.0)
    for _ in range(2):
        answer = service.ask(WITH_LIKELIHOOD, lambda: None)
        assert (answer.text, answer.beginnings) == ("hello", {})
    assert ["logprobs" in asked.body for asked in server.asked] == [True, False, False]


@pytest.mark.parametrize(
    "told",
    [
        *(None, [], "no", {"content": []}, {"content": None}, {"tokens": ["a"], "token_logprobs": [-0.1]}),
        *(
            first_token(),
            first_token("a"),
            first_token({"token": "a"}),
            first_token({"token": "a", "logprob": "x"}),
        ),
        *(first_token({"token": ["a"], "logprob": -1}), first_token({"token": "a", "logprob": 0.5})),
        first_token({"token": "a", "logprob": -(10**400)}),
    ],
    ids=range(13),
)
def test_likelihoods_in_another_form_are_none(server: ChatServer, told: object) -> None:
    server.otherwise = completion("hello", logprobs=told)
    answer = ChatService(server.url, "", "m", 5.0).ask(WITH_LIKELIHOOD, lambda: None)
    assert (answer.text, answer.beginnings) == ("hello", {})
