"""Requests without a valid token: so many an address, then 429 before anything is looked up."""

from __future__ import annotations

import time
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from config.accounts import strangers
from config.accounts.services import create_api_token, revoke_api_token
from tests.errors import assert_shape
from tests.factories import Api, make_token, make_user


@pytest.fixture(autouse=True)
def rate(settings: Any, db: None) -> None:
    settings.UNAUTHENTICATED_RATE = (3, 60)
    if time.time() % 60 > 57:  # not over the end of a window
        time.sleep(60 - time.time() % 60)


def ask(token: str | None, address: str = "192.0.2.1", **headers: str) -> Any:
    sign_in = {} if token is None else {"authorization": f"Bearer {token}"}
    return Client(REMOTE_ADDR=address).get("/api/v1/projects", headers={**sign_in, **headers})


@pytest.mark.parametrize("token", [None, "swt_wrong", "no.jwt.at-all", "x" * 10_000])
def test_beyond_the_limit_a_stranger_is_429_and_costs_no_statement(
    token: str | None, django_assert_num_queries: Any
) -> None:
    answers = [ask(token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0"]
    with django_assert_num_queries(0):
        refused = ask(token)
    assert_shape(refused, 429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"unauthenticated";q=3;w=60'
    assert refused.headers["RateLimit"].startswith('"unauthenticated";r=0;t=')
    assert ask(token, "192.0.2.2").status_code == 401, "another address has its own count"


def test_who_is_signed_in_goes_on_beside_a_flood_from_the_same_address() -> None:
    token = make_token("owner")
    assert ask(token).status_code == 200
    assert [ask("swt_wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert ask(token).status_code == 200
    assert ask(make_token("stranger")).status_code == 429, "a token that was never seen may be a guess"


def test_a_token_that_was_revoked_passes_the_limit_once_at_most() -> None:
    row, value = create_api_token(user=make_user(), name="import")
    assert ask(value).status_code == 200
    for _ in range(3):
        ask("swt_wrong")
    revoke_api_token(token=row)
    assert [ask(value).status_code for _ in range(2)] == [401, 429]


def test_a_valid_token_is_forgotten_after_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    token = make_token("owner", exp=int(time.time()) + 3600)
    assert ask(token).status_code == 200
    later = time.time() + strangers.KNOWN_SECONDS + 1
    monkeypatch.setattr(strangers.time, "time", lambda: later)
    for _ in range(3):
        ask("swt_wrong")
    assert ask(token).status_code == 429


def test_a_header_that_is_made_up_buys_no_more_tries(settings: Any) -> None:
    answers = [ask("swt_wrong", **{"x-forwarded-for": f"203.0.113.{n}"}).status_code for n in range(4)]
    assert answers == [401, 401, 401, 429]
    settings.TRUSTED_PROXIES = [ip_network("192.0.2.1")]
    assert ask("swt_wrong", **{"x-forwarded-for": "203.0.113.1"}).status_code == 401


def test_the_next_window_begins_at_nought(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [ask(None).status_code for _ in range(4)] == [401, 401, 401, 429]
    later = time.time() + 60
    monkeypatch.setattr(strangers.time, "time", lambda: later)
    assert ask(None).status_code == 401


def test_the_tables_of_addresses_and_tokens_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MAX_ADDRESSES", 5)
    monkeypatch.setattr(strangers, "MAX_TOKENS", 5)
    for n in range(12):
        assert ask("swt_wrong", f"192.0.2.{n}").status_code == 401
        assert ask(make_token(f"user{n}"), "198.51.100.1").status_code == 200
        assert len(strangers.STRANGERS.counts) <= 5 and len(strangers.STRANGERS.known) <= 5


def test_no_token_stays_in_memory() -> None:
    token = make_token("owner")
    ask(token)
    assert token not in repr(strangers.STRANGERS.known)


def test_no_rate_is_no_limit(settings: Any, owner: Api) -> None:
    settings.UNAUTHENTICATED_RATE = None
    assert {ask("swt_wrong").status_code for _ in range(10)} == {401}
    assert "RateLimit" not in ask(None).headers
