"""The limit of requests without a valid token, by client address, so that guessing tokens costs us little.

Each process counts for itself, in memory, in fixed windows that are aligned to the clock. Beyond the limit a request
is refused before its token is looked at, unless this process has found the same token valid in the last minutes: one
who floods from an address that others share (an office, a proxy that is not named in STEPWRIGHT_TRUSTED_PROXIES)
does not shut out those who are signed in.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from config.accounts.addresses import client_address
from config.accounts.rate_limit import RateLimit, note

MAX_ADDRESSES, MAX_TOKENS = 10_000, 10_000  # of each a process keeps so many; beyond this it drops them all
KNOWN_SECONDS = 600  # how long a token that was valid passes the limit


@dataclass
class Count:
    window: int
    refused: int = 0

    def limit(self, rate: tuple[int, int]) -> RateLimit:
        most, seconds = rate
        return RateLimit("unauthenticated", most, seconds, most - self.refused, self.window + seconds)


class Strangers:
    def __init__(self) -> None:
        self.counts: dict[str | None, Count] = {}
        self.known: dict[bytes, float] = {}  # hashes of valid tokens, and when they were seen
        self.lock = threading.Lock()

    def check(self, request: Request, token: str) -> None:
        """Raise Throttled when the address has no more tries and the token is not known to be valid."""
        if (rate := settings.UNAUTHENTICATED_RATE) is None:
            return
        if self.known.get(_digest(token), 0.0) > time.time() - KNOWN_SECONDS:
            return
        with self.lock:
            limit = self._count(request, rate).limit(rate)
        if limit.remaining <= 0:
            note(request, limit)
            raise Throttled(wait=limit.wait())

    def count(self, request: Request, token: str) -> None:
        """Count a request whose token is missing or not valid."""
        if (rate := settings.UNAUTHENTICATED_RATE) is None:
            return
        with self.lock:
            self.known.pop(_digest(token), None)
            count = self._count(request, rate)
            count.refused += 1
            limit = count.limit(rate)
        note(request, limit)

    def remember(self, token: str) -> None:
        """Remember a token that is valid."""
        digest, now = _digest(token), time.time()
        with self.lock:
            if len(self.known) >= MAX_TOKENS and digest not in self.known:
                self.known.clear()
            self.known[digest] = now

    def _count(self, request: Request, rate: tuple[int, int]) -> Count:
        """Return the count of the request's address in the current window; a row is kept for each address."""
        address, window = client_address(request), int(time.time()) // rate[1] * rate[1]
        count = self.counts.get(address)
        if count is None or count.window != window:
            if len(self.counts) >= MAX_ADDRESSES and address not in self.counts:
                self.counts.clear()
            count = self.counts[address] = Count(window)
        return count


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


STRANGERS = Strangers()
