"""The keys of an identity provider: fetched, believed for a while, and refused when they do not fit."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import RSAAlgorithm

from config.accounts import jwks
from tests.accounts.provider import (
    Clock,
    Provider,
    ask,
    ec_key,
    eventually,
    jwk,
    key_set,
    rsa_key,
    sign,
    trust,
)
from tests.races import at_once

pytestmark = pytest.mark.slow


def test_unknown_key_ids_ask_the_provider_once_a_minute(db: None, provider: Provider, clock: Clock) -> None:
    assert ask(sign(rsa_key("a"))).status_code == 200
    assert [ask(sign(rsa_key("b"), kid=f"odd{n}")).status_code for n in range(3)] == [401] * 3
    assert provider.requests == 1, "the set is fresh"
    clock.now += 61
    assert [ask(sign(rsa_key("b"), kid=f"odd{n}")).status_code for n in range(3)] == [401] * 3
    assert provider.requests == 2
    clock.now += 59
    assert ask(sign(rsa_key("b"), kid="odd")).status_code == 401
    assert provider.requests == 2


def test_a_new_key_is_found_and_a_withdrawn_one_goes(db: None, provider: Provider, clock: Clock) -> None:
    old, new = sign(rsa_key("a")), sign(rsa_key("b"), kid="new")
    assert (ask(old).status_code, ask(new).status_code) == (200, 401)
    provider.serve(jwk(rsa_key("a"), "rsa"), jwk(rsa_key("b"), "new"))
    clock.now += 61
    assert (ask(new).status_code, ask(old).status_code) == (200, 200)
    provider.serve(jwk(rsa_key("b"), "new"))
    clock.now += jwks.REFRESH_S - 1
    assert (ask(old).status_code, provider.requests) == (200, 2)
    clock.now += 2
    assert ask(old).status_code == 200, "it starts the refresh and does not wait for it"
    assert eventually(lambda: ask(old).status_code == 401)
    assert provider.requests == 3


def test_keys_are_believed_for_a_day_while_the_provider_is_away(
    db: None, provider: Provider, clock: Clock
) -> None:
    token = sign(rsa_key("a"))
    assert ask(token).status_code == 200
    provider.status = 500
    clock.now += jwks.KEEP_S - 1
    assert ask(token).status_code == 200
    assert eventually(lambda: provider.requests == 2)
    assert eventually(lambda: ask(sign(rsa_key("b"), kid="new")).status_code == 503), (
        "nobody knows of this key"
    )
    clock.now += 2
    assert ask(token).status_code == 503
    clock.now += 61
    provider.status = 200
    assert ask(token).status_code == 200


def assert_away(answer: Any) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "identity provider" in answer.json()["message"]
    assert int(answer.headers["Retry-After"]) > 0


AWAY: dict[str, dict[str, Any]] = {
    "it fails": {"status": 500},
    "it is somewhere else": {"status": 302},
    "it is slow": {"delay_s": 1.5},
    "it drips": {"pause_s": 0.05},
    "its answer is huge": {"body": key_set(jwk(rsa_key("a"), "rsa")) + b" " * jwks.MAX_BYTES},
    "its answer is a page": {"body": b"<html>"},
    "its answer is nested": {"body": b"[" * 100_000},
    "its answer is null": {"body": b"null"},
    "its answer is a list": {"body": b"[]"},
    "its keys are none": {"body": b'{"keys": {}}'},
    "its keys are many": {"body": key_set(*[{"kty": "RSA"}] * (jwks.MAX_KEYS + 1))},
    "its answer is cut off": {"headers": {"Content-Length": "100000"}},
}


@pytest.mark.parametrize("name", AWAY)
def test_without_keys_the_answer_is_503_and_the_provider_is_left_in_peace(
    db: None,
    provider: Provider,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    monkeypatch.setattr(jwks, "WHOLE_S", 0.5)
    good, token = provider.body, sign(rsa_key("a"))
    provider.headers = {"Location": f"{provider.url}/elsewhere"}
    for attribute, value in AWAY[name].items():
        setattr(provider, attribute, value)
    begin = time.monotonic()
    assert_away(ask(token))
    assert time.monotonic() - begin < 1.4
    assert_away(ask(token))
    assert provider.requests == 1
    assert token not in caplog.text and "elsewhere" not in caplog.text
    assert any(record.levelno == logging.WARNING for record in caplog.records), "the operator is told"
    provider.body, provider.status, provider.headers, provider.delay_s, provider.pause_s = good, 200, {}, 0, 0
    clock.now += 61
    assert ask(token).status_code == 200
    assert provider.requests == 2


def test_a_provider_that_is_not_there_is_503_and_not_401(db: None, settings: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        trust(settings, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        assert_away(ask(sign(rsa_key("a"))))


def test_first_requests_at_once_ask_once(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    make = jwks.KeySet.__init__

    def make_slowly(self: jwks.KeySet, url: str) -> None:
        time.sleep(0.1)
        make(self, url)

    monkeypatch.setattr(jwks.KeySet, "__init__", make_slowly)
    provider.delay_s = 0.3
    found = at_once(8, lambda _: jwks.key_set(provider.url).find("rsa", "RS256").algorithm)
    assert (found, provider.requests) == (["RS256"] * 8, 1)


def test_a_known_key_waits_for_no_refresh(provider: Provider, clock: Clock) -> None:
    keys = jwks.key_set(provider.url)
    keys.find("rsa", "RS256")
    clock.now += jwks.REFRESH_S + 1
    provider.delay_s = 2
    begin = time.monotonic()
    keys.find("rsa", "RS256")
    assert time.monotonic() - begin < 1
    assert eventually(lambda: provider.requests == 2)


def test_of_two_keys_a_token_without_a_key_id_gets_neither(provider: Provider) -> None:
    provider.serve(jwk(rsa_key("a"), "rsa"), jwk(rsa_key("b"), "new"), jwk(ec_key("a"), None))
    keys = jwks.key_set(provider.url)
    with pytest.raises(jwks.UnknownKey):
        keys.find(None, "RS256")
    assert keys.find(None, "ES256").public == ec_key("a").public_key()


PRIVATE = RSAAlgorithm.to_jwk(rsa_key("a"), as_dict=True)


@pytest.mark.parametrize(
    ("entry", "taken"),
    [
        (lambda: jwk(rsa_key("a"), "k"), "RS256"),
        (lambda: jwk(rsa_key("a"), "k", use=None, key_ops=["verify"]), "RS256"),
        (lambda: jwk(ec_key("a"), "k", alg="ES256"), "ES256"),
        (lambda: {**PRIVATE, "key_ops": ["verify"]}, "RS256"),
        (lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "RS256"}, None),
        (lambda: {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, None),
        (lambda: jwk(rsa_key("a"), "k", use="enc"), None),
        (lambda: jwk(rsa_key("a"), "k", alg="RS512"), None),
        (lambda: jwk(rsa_key("a"), "k", alg="HS256"), None),
        (lambda: jwk(rsa_key("a"), "k", key_ops=["encrypt"]), None),
        (lambda: jwk(rsa_key("a"), "k", key_ops=7), None),
        (lambda: jwk(rsa_key("short", 1024), "k"), None),
        (lambda: jwk(ec_key("wide", ec.SECP384R1), "k"), None),
        (lambda: jwk(rsa_key("a"), "k", n=7), None),
        (lambda: jwk(rsa_key("a"), "k", e="AQ"), None),
        (lambda: jwk(ec_key("a"), "k", x="AA"), None),
        (lambda: {"kty": "RSA", "kid": "k"}, None),
        (lambda: {**jwk(rsa_key("a"), "k"), "kid": 7}, None),
        (lambda: {"kty": ["RSA"]}, None),
        (lambda: "text", None),
    ],
)
def test_only_keys_fit_to_verify_are_taken_and_others_passed_over(
    entry: Callable[[], Any], taken: str | None
) -> None:
    keys = jwks.read_keys(key_set(entry(), jwk(ec_key("b"), "good")))
    assert [key.algorithm for key in keys] == ([taken, "ES256"] if taken else ["ES256"])
    assert not any(hasattr(key.public, "private_numbers") for key in keys)
