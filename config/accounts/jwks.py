"""The identity provider's public keys: a JWK Set (RFC 7517) by URL, for tokens signed with RS256 or ES256.

Each process has one set. It is fetched at first use, every few hours (to drop withdrawn keys), and when a token
names a key that is not in it, but at most once a minute, even after an error.
"""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from config.api.errors import ApiError

log = logging.getLogger(__name__)

CONNECT_S, WHOLE_S = 2.0, 5.0
MAX_BYTES, MAX_KEYS = 2**20, 100
PAUSE_S = 60  # at least, between two fetches
REFRESH_S = 4 * 3600
KEEP_S = 24 * 3600  # how long keys are used while the provider cannot be reached
MIN_RSA_BITS = 2048  # RFC 7518, section 3.3
# The members that are read of a key, by its type: only the public half, and no shared secrets (`oct`).
PUBLIC_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}


class UnknownKey(jwt.InvalidTokenError):
    """No key of the set fits the token."""


class UnusableAnswer(Exception):
    """The provider's answer is not a key set. The message says why, and quotes nothing of the answer."""


@dataclass(frozen=True)
class Key:
    """A public key and the one algorithm that it is used for."""

    kid: str | None
    algorithm: str
    public: RSAPublicKey | EllipticCurvePublicKey


class KeySet:
    """The keys behind one URL, for all threads. One thread of its own fetches them, so that a token with a known
    key never waits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jwks")
        self._question: Future[None] | None = None
        self._asked_at = self._answered_at = float("-inf")
        self._keys: tuple[Key, ...] = ()

    def find(self, kid: str | None, algorithm: str | None) -> Key:
        """Return the one key that fits; without `kid`, the only key for the algorithm.

        Raise UnknownKey, or ApiError 503 when the last fetch failed, so that the key may exist.
        """
        key = self._match(kid, algorithm)
        if key is None:
            wait([self._ask()], timeout=WHOLE_S + 1)
            key = self._match(kid, algorithm)
        elif monotonic() - self._answered_at > REFRESH_S:
            self._ask()
        if key is not None:
            return key
        if self._answered_at < self._asked_at:
            raise _provider_away()
        raise UnknownKey

    def _match(self, kid: str | None, algorithm: str | None) -> Key | None:
        if monotonic() - self._answered_at > KEEP_S:
            return None
        fitting = [key for key in self._keys if key.algorithm == algorithm and kid in (None, key.kid)]
        return fitting[0] if len(fitting) == 1 else None

    def _ask(self) -> Future[None]:
        """Return the question that is under way or was answered within the last minute, else a new one."""
        with self._lock:
            running = self._question is not None and not self._question.done()
            if self._question is None or (not running and monotonic() - self._asked_at >= PAUSE_S):
                self._asked_at = monotonic()
                self._question = self._thread.submit(self._load)
            return self._question

    def _load(self) -> None:
        try:
            keys = read_keys(asyncio.run(_fetch(self._url)))
        except Exception:  # the old keys are used for their time, and `find` raises the 503
            log.warning("the identity provider's keys cannot be read", exc_info=True)
            return
        self._keys, self._answered_at = keys, monotonic()


_making = Lock()


def key_set(url: str) -> KeySet:
    """Return this process's key set."""
    with _making:  # otherwise two first requests would fetch twice
        return _key_set(url)


_key_set = lru_cache(maxsize=1)(KeySet)


async def _fetch(url: str) -> bytes:
    # Imported here: it takes 20 ms, and most processes never fetch keys.
    import httpx

    limits = httpx.Timeout(WHOLE_S, connect=CONNECT_S)
    # Without compression, as a few bytes could unpack to gigabytes.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(WHOLE_S),  # httpx's own timeouts start again with each byte
        httpx.AsyncClient(timeout=limits, follow_redirects=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code != 200:
            raise UnusableAnswer(f"status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise UnusableAnswer(f"more than {MAX_BYTES} bytes")
        return bytes(body)


def read_keys(body: bytes) -> tuple[Key, ...]:
    """Return the keys of a JWK Set that can verify RS256 or ES256, without others (RFC 7517, section 5).

    Raise UnusableAnswer.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnusableAnswer("not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise UnusableAnswer(f"not a set of at most {MAX_KEYS} keys")
    return tuple(key for entry in entries if (key := _read_key(entry)) is not None)


def _read_key(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC"):
        return None
    algorithm, kid = ALGORITHMS[entry["kty"]], entry.get("kid")
    if entry.get("alg", algorithm) != algorithm or entry.get("use", "sig") != "sig":
        return None
    if not isinstance(kid, str | None):
        return None
    try:
        if "verify" not in entry.get("key_ops", ["verify"]):
            return None
        members = {name: entry[name] for name in PUBLIC_MEMBERS[entry["kty"]]}
        public = jwt.PyJWK(members, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        return None
    if isinstance(public, EllipticCurvePublicKey) and public.curve.name != "secp256r1":
        return None
    return Key(kid, algorithm, public)


def _provider_away() -> ApiError:
    return ApiError(
        503,
        "SERVICE_UNAVAILABLE",
        "The identity provider cannot be reached to check the token.",
        hint="Try again in a minute.",
        headers={"Retry-After": str(PAUSE_S)},
    )
