"""Sign-in by bearer tokens: those of an identity provider, and those signed with this service's own secret."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.conf import settings as configured
from django.test import Client

from config.accounts.models import User
from tests.accounts.provider import AUDIENCE, ISSUER, Provider, ask, by_hand, ec_key, rsa_key, sign
from tests.errors import assert_shape
from tests.factories import Api, make_project, make_token


@pytest.mark.parametrize(
    "token",
    [
        lambda: sign(rsa_key("a")),
        lambda: sign(ec_key("a"), "ES256", "ec"),
        lambda: sign(rsa_key("a"), kid=None),
        lambda: sign(ec_key("a"), "ES256", None),
        lambda: sign(rsa_key("a"), aud=["another", AUDIENCE]),
    ],
)
def test_a_token_of_the_provider_signs_in_and_makes_its_user_once(
    db: None, provider: Provider, token: Callable[[], str]
) -> None:
    assert [ask(token()).status_code for _ in range(3)] == [200, 200, 200]
    assert User.objects.filter(issuer=ISSUER, subject="ada").count() == 1
    assert provider.requests == 1


PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
FORGED: dict[str, Callable[[], str]] = {
    "signed by another key": lambda: sign(rsa_key("b")),
    "signed by another EC key": lambda: sign(ec_key("b"), "ES256", "ec"),
    "another issuer": lambda: sign(rsa_key("a"), iss="https://id.example.com/"),
    "another audience": lambda: sign(rsa_key("a"), aud="another"),
    "without expiry": lambda: jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada"}, rsa_key("a"), "RS256", headers={"kid": "rsa"}
    ),
    "of the future": lambda: sign(rsa_key("a"), iat=int(time.time()) + 3600),
    "not signed": lambda: jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "ada"}, "", "none"),
    "not signed, with a key id": lambda: by_hand({"alg": "none", "kid": "rsa"}, b"").rpartition(".")[0] + ".",
    "HMAC by the public key": lambda: by_hand(
        {"alg": "HS256", "kid": "rsa"}, rsa_key("a").public_key().public_bytes(*PEM)
    ),
    "RS256 said, HMAC done": lambda: by_hand(
        {"alg": "RS256", "kid": "rsa"}, rsa_key("a").public_key().public_bytes(*PEM)
    ),
    "HMAC by this machine's secret": lambda: by_hand({"alg": "HS256"}, configured.JWT["SECRET"].encode()),
    "RS256 with the EC key's id": lambda: sign(rsa_key("a"), kid="ec"),
    "ES256 with the RSA key's id": lambda: sign(ec_key("a"), "ES256", "rsa"),
    "RS384 by the right key": lambda: sign(rsa_key("a"), "RS384"),
    "PS256 by the right key": lambda: sign(rsa_key("a"), "PS256"),
    "a key id that is no text": lambda: by_hand({"alg": "RS256", "kid": 7}, b"k"),
    "an algorithm that is no text": lambda: by_hand({"alg": {"a": 1}, "kid": "rsa"}, b"k"),
    "a key by URL": lambda: by_hand({"alg": "RS256", "jku": "http://127.0.0.1:9/"}, b"k"),
    "a subject with a NUL": lambda: sign(rsa_key("a"), sub="a\0"),
    "a subject that is no text in UTF-8": lambda: sign(rsa_key("a"), sub="a\ud800"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_401_in_one_wording(
    db: None, provider: Provider, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = FORGED[name]()
    answer = ask(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.json()["message"] == "The token is not valid."
    assert provider.requests <= 1
    for secret in (token, token.rpartition(".")[2] or token):
        assert secret not in caplog.text and secret not in answer.content.decode()


def test_for_an_algorithm_that_is_not_allowed_nobody_is_asked(db: None, provider: Provider) -> None:
    for header in ({"alg": "HS256"}, {"alg": "none"}, {"alg": "RS384"}, {"kid": "rsa"}):
        assert ask(by_hand({"kid": "new", **header}, b"k")).status_code == 401
    assert provider.requests == 0


@pytest.mark.parametrize(
    ("claim", "seconds", "status"),
    [
        ("exp", -27, 200),
        ("exp", -33, 401),
        ("nbf", 27, 200),
        ("nbf", 33, 401),
        ("iat", 27, 200),
        ("iat", 33, 401),
    ],
)
def test_clocks_may_differ_by_thirty_seconds(
    db: None, provider: Provider, claim: str, seconds: int, status: int
) -> None:
    assert ask(sign(rsa_key("a"), **{claim: int(time.time()) + seconds})).status_code == status


def test_either_kind_of_jwt_costs_one_query(
    db: None, provider: Provider, settings: Any, django_assert_num_queries: Any
) -> None:
    project = make_project(User.objects.provision(issuer=ISSUER, subject="ada"))
    token = sign(rsa_key("a"))
    assert ask(token).status_code == 200
    with django_assert_num_queries(2):
        assert ask(token, f"/projects/{project.pk}").status_code == 200
    settings.JWT = {**settings.JWT, "JWKS_URL": "", "ALGORITHMS": ["HS256"]}
    with django_assert_num_queries(2):
        assert ask(make_token("ada"), f"/projects/{project.pk}").status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        lambda: "",
        lambda: "odd",
        lambda: make_token("owner", secret="another secret of good length, 32 and more"),
        lambda: make_token("owner", exp=datetime.now(UTC) - timedelta(minutes=2)),
        lambda: make_token("owner", nbf=datetime.now(UTC) + timedelta(minutes=2)),
        lambda: make_token("owner", iss="somebody else"),
        lambda: make_token("owner", aud="somebody else"),
        lambda: make_token("owner", exp=None),
        lambda: make_token("owner", aud=None),
        lambda: make_token("", exp=datetime.now(UTC) + timedelta(minutes=2)),
        lambda: make_token("owner", secret="", algorithm="none"),
        lambda: make_token("owner", algorithm="HS512"),
        lambda: "a" * 10_000,
    ],
)
def test_a_bad_token_is_401(db: None, token: Any) -> None:
    response = Client().get("/api/v1/projects", headers={"authorization": f"Bearer {token()}"})
    assert_shape(response, 401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_no_token_is_401_and_a_switched_off_user_too(owner: Api) -> None:
    assert_shape(Client().get("/api/v1/projects"), 401, "UNAUTHENTICATED")
    owner.user.is_active = False
    owner.user.save()
    assert_shape(owner.get("/projects"), 401, "UNAUTHENTICATED")
