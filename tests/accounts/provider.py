"""An identity provider: a real HTTP server with keys, and tokens signed by them, well and badly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://id.example.com", "guides"


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


def trust(settings: Any, url: str) -> None:
    settings.JWT = {
        **settings.JWT,
        "JWKS_URL": url,
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "ALGORITHMS": ["RS256", "ES256"],
    }


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


class Clock:
    """Stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now
