"""So many requests a user and window, over all processes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config import environment
from config.accounts.models import User
from config.accounts.throttling import UserThrottle
from tests.factories import Api


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    UserThrottle.counts.clear()
    if time.time() % 60 > 57:  # not over the end of a window
        time.sleep(60 - time.time() % 60)
    yield
    UserThrottle.counts.clear()


def test_beyond_the_limit_a_request_is_429_and_says_when_to_come_again(owner: Api, settings: Any) -> None:
    settings.THROTTLE_RATE = (5, 60)
    answers = [owner.get("/projects") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    refused = answers[-1]
    assert refused.json()["code"] == "RATE_LIMITED" and refused.json()["hint"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_answers_say_what_is_left_of_the_limit(owner: Api, settings: Any) -> None:
    settings.THROTTLE_RATE = (2, 60)
    answers = [owner.get("/projects"), owner.get("/jobs/unknown"), owner.get("/projects")]
    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"user";q=2;w=60'}
    left = [re.fullmatch(r'"user";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [found and found[1] for found in left] == ["1", "0", "0"]
    assert all(found and 1 <= int(found[2]) <= 60 for found in left)
    settings.THROTTLE_RATE = None
    assert "RateLimit" not in owner.get("/projects").headers


def test_the_hits_of_other_processes_count(owner: Api, settings: Any) -> None:
    settings.THROTTLE_RATE = (5, 60)
    assert owner.get("/projects").status_code == 200
    window = int(time.time()) // 60 * 60
    assert User.objects.count_requests(owner.user.pk, window=window, hits=4) == 5
    assert owner.get("/projects").status_code == 429


def test_one_users_hits_are_not_anothers(owner: Api, stranger: Api, settings: Any) -> None:
    settings.THROTTLE_RATE = (1, 60)
    assert [owner.get("/projects").status_code, owner.get("/projects").status_code] == [200, 429]
    assert stranger.get("/projects").status_code == 200


def test_the_next_window_begins_at_nought(owner: Api, settings: Any, monkeypatch: Any) -> None:
    settings.THROTTLE_RATE = (1, 60)
    assert [owner.get("/projects").status_code, owner.get("/projects").status_code] == [200, 429]
    later = time.time() + 60
    monkeypatch.setattr("config.accounts.throttling.time.time", lambda: later)
    assert owner.get("/projects").status_code == 200


def test_a_large_limit_costs_a_statement_only_now_and_then(
    owner: Api, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.THROTTLE_RATE = (600, 60)  # a portion is 30
    with django_assert_num_queries(29 * 2):
        for _ in range(29):
            owner.get("/projects")
    with django_assert_num_queries(3):
        owner.get("/projects")
    owner.user.refresh_from_db()
    assert owner.user.throttle_count == 30


def test_no_rate_is_no_limit(owner: Api, settings: Any) -> None:
    settings.THROTTLE_RATE = None
    assert {owner.get("/projects").status_code for _ in range(30)} == {200}


@pytest.mark.parametrize(
    ("value", "rate"), [("600/min", (600, 60)), ("5/sec", (5, 1)), ("9/hour", (9, 3600)), ("", None)]
)
def test_the_variable_says_number_and_period(monkeypatch: Any, value: str, rate: Any) -> None:
    monkeypatch.setenv("STEPWRIGHT_THROTTLE_RATE", value)
    assert environment.read_rate("STEPWRIGHT_THROTTLE_RATE") == rate


@pytest.mark.parametrize("value", ["600", "0/min", "x/min", "5/year", "/min"])
def test_a_rate_that_cannot_be_read_is_refused_at_the_start(monkeypatch: Any, value: str) -> None:
    monkeypatch.setenv("STEPWRIGHT_THROTTLE_RATE", value)
    with pytest.raises(environment.UnknownValue, match="STEPWRIGHT_THROTTLE_RATE"):
        environment.refuse_unknown_values()
