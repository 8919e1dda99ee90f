"""Rewriting a passage by a chat service, against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from instructions.language_models import LanguageModelError
from tests.chat_server import ChatServer, completion, running_chat_server, same_words
from tests.instructions.language_models.chatting import Noted, chat


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with running_chat_server() as running:
        yield running


PASSAGE = "So you click on [the page](https://app.example.com) and then you wait."


def test_a_passage_is_rewritten_with_the_editors_wish(server: ChatServer) -> None:
    server.otherwise = completion("Click on [the page](https://app.example.com) and wait.")
    rewriting = chat(server).rewrite(f"  {PASSAGE}\n", context="Make it\nshort.")
    assert rewriting.markdown == "  Click on [the page](https://app.example.com) and wait.\n"
    assert (rewriting.model_profile_id, rewriting.prompt_template_id) == ("chat", "rewrite-1")
    (asked,) = server.asked
    assert asked.user.startswith("The editor wishes: Make it short.\n")
    assert asked.selection == PASSAGE and "response_format" not in asked.body


def test_a_rewriting_with_a_new_link_is_refused_twice(server: ChatServer) -> None:
    server.otherwise = completion(PASSAGE.replace("app.example.com", "evil.example"))
    with pytest.raises(LanguageModelError) as raised:
        chat(server).rewrite(PASSAGE, context=None)
    assert (raised.value.code, len(server.asked)) == ("MODEL_OUTPUT_INVALID", 2)
    assert server.asked[0].user.startswith(server.asked[0].user.split("\n")[0]), "no wish, no line"
    assert "The editor wishes" not in server.asked[0].user


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_a_rewriting_that_is_cut_off_is_asked_for_again(server: ChatServer, finish: str) -> None:
    half = PASSAGE.split(" and then")[0]
    server.answers = [completion(half, finish=finish)]
    server.otherwise = same_words
    assert chat(server).rewrite(PASSAGE, context=None).markdown == PASSAGE
    assert "It was cut off at its limit. Write less." in server.asked[1].user
    server.otherwise = completion(half, finish=finish)
    with pytest.raises(LanguageModelError) as raised:
        chat(server).rewrite(PASSAGE, context=None)
    assert raised.value.code == "MODEL_OUTPUT_INVALID"
    server.otherwise = completion(half)
    assert chat(server).rewrite(PASSAGE, context=None).markdown == half, "the checks alone let it pass"


def test_a_rewriting_is_kept_for_its_own_work_alone(server: ChatServer) -> None:
    server.otherwise = same_words
    calls = Noted()
    for work, requests in (("one", 1), ("one", 1), ("another", 2)):
        calls.work = work
        assert chat(server, calls=calls).rewrite(PASSAGE, context="x").markdown == PASSAGE
        assert len(server.asked) == requests


def test_a_passage_without_words_is_not_sent(server: ChatServer) -> None:
    code = "```sh\ngit status\n```\n"
    assert chat(server).rewrite(code, context=None).markdown == code
    assert server.asked == []


def test_a_passage_that_is_too_long_is_not_sent(server: ChatServer) -> None:
    with pytest.raises(LanguageModelError) as raised:
        chat(server).rewrite("Click on it. " * 2000, context=None)
    assert raised.value.code == "PASSAGE_TOO_LONG" and server.asked == []
