"""Sign-in by JWTs of an identity provider, whose keys come from a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings as configured
from django.test import Client
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from config import environment
from config.accounts import jwks
from config.accounts.models import User
from tests.factories import make_project, make_token

ISSUER, AUDIENCE = "https://id.example.com", "guides"


@cache
def rsa_key(name: str, bits: int = 2048) -> Any:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Any:
    return ec.generate_private_key(curve())


def jwk(key: Any, kid: str | None, **members: Any) -> dict[str, Any]:
    """The public half as a provider publishes it."""
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    found = {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **members}
    found.pop("key_ops", None) if "key_ops" not in members else None
    return {name: value for name, value in found.items() if value is not None}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def sign(key: Any, algorithm: str = "RS256", kid: str | None = "rsa", **claims: Any) -> str:
    content = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 300, **claims}
    return jwt.encode(content, key, algorithm, headers={"kid": kid} if kid else None)


def by_hand(header: dict[str, Any], key: bytes) -> str:
    """An HMAC token whose key may be anything; PyJWT refuses to make such a one."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 300}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def ask(token: str, path: str = "/projects") -> Any:
    return Client().get(f"/api/v1{path}", headers={"authorization": f"Bearer {token}"})


@dataclass
class Provider:
    """What the key server answers, and how often it was asked."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    pause_s: float = 0  # between the bytes of the answer
    url: str = ""
    requests: int = 0

    def serve(self, *keys: dict[str, Any]) -> None:
        self.body = key_set(*keys)


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        provider = self.provider
        provider.requests += 1
        time.sleep(provider.delay_s)
        try:
            self.send_response(provider.status)
            for name, value in {"Content-Length": str(len(provider.body)), **provider.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            step = 1 if provider.pause_s else 65_536
            for begin in range(0, len(provider.body), step):
                self.wfile.write(provider.body[begin : begin + step])
                self.wfile.flush()
                time.sleep(provider.pause_s)
        except OSError:
            self.close_connection = True  # the client had enough

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests' output is read."""


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """An identity provider with one RSA and one EC key, which the service trusts."""
    found = Provider()
    found.serve(jwk(rsa_key("a"), "rsa", alg="RS256"), jwk(ec_key("a"), "ec"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"provider": found}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/keys"
    trust(settings, found.url)
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def trust(settings: Any, url: str) -> None:
    settings.JWT = {
        **settings.JWT,
        "JWKS_URL": url,
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "ALGORITHMS": ["RS256", "ES256"],
    }


class Clock:
    """Stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(jwks, "monotonic", found)
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


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
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(jwks.key_set(provider.url).find("rsa", "RS256").algorithm)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
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


@pytest.mark.parametrize(
    ("url", "algorithms", "fault"),
    [
        ("", "HS256", None),
        ("https://id.example.com/keys", "RS256", None),
        ("https://id.example.com/keys", "ES256, RS256", None),
        ("http://127.0.0.1:9/keys", "RS256", None),
        ("http://localhost/keys", "RS256", None),
        ("", "none", "ALGORITHMS"),
        ("", "HS512", "ALGORITHMS"),
        ("", "RS256", "ALGORITHMS"),
        ("", "HS256,RS256", "ALGORITHMS"),
        ("", ",", "ALGORITHMS"),
        ("https://id.example.com/keys", "HS256", "ALGORITHMS"),
        ("https://id.example.com/keys", "RS256,HS256", "ALGORITHMS"),
        ("https://id.example.com/keys", "RS256,none", "ALGORITHMS"),
        ("http://id.example.com/keys", "RS256", "JWKS_URL"),
        ("http://127.0.0.1.example.com/keys", "RS256", "JWKS_URL"),
        ("http://127.0.0.1@id.example.com/keys", "RS256", "JWKS_URL"),
        ("ftp://127.0.0.1/keys", "RS256", "JWKS_URL"),
        ("https:///keys", "RS256", "JWKS_URL"),
        ("file:///etc/passwd", "RS256", "JWKS_URL"),
    ],
)
def test_algorithms_and_key_url_must_fit_at_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, algorithms: str, fault: str | None
) -> None:
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", url)
    monkeypatch.setenv("STEPWRIGHT_JWT_ALGORITHMS", algorithms)
    if fault is None:
        environment.refuse_unknown_values()
    else:
        with pytest.raises(environment.UnknownValue, match=f"STEPWRIGHT_JWT_{fault} must be"):
            environment.refuse_unknown_values()


def test_production_takes_https_only_and_with_a_provider_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENV": "production",
        "DEBUG": "",
        "ALLOWED_HOSTS": "guides.example.com",
        "SECRET_KEY": "s" * 32,
        "CALLBACK_SECRET": "c" * 32,
        "JWT_SECRET": "",
        "JWT_ALGORITHMS": "RS256",
    }.items():
        monkeypatch.setenv(f"STEPWRIGHT_{name}", value)
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "https://id.example.com/keys")
    environment.refuse_unsafe_production()
    environment.refuse_unknown_values()
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "http://127.0.0.1/keys")
    with pytest.raises(environment.UnknownValue, match="JWKS_URL"):
        environment.refuse_unknown_values()
    monkeypatch.setenv("STEPWRIGHT_JWT_JWKS_URL", "")
    with pytest.raises(environment.UnsafeConfiguration, match="STEPWRIGHT_JWT_SECRET"):
        environment.refuse_unsafe_production()


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
