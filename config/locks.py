"""Places of which few may be held at once, over all processes: advisory locks of the session, which end with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from config.api import errors

POLL_SECONDS = 0.05
MAX_MEDIA_CALLS = (
    2  # of an owner, over all processes: less than the `heavy` threads of one (config.front.bounds)
)


@contextmanager
def place(name: str, *, places: int = 1, seconds: float = 0, max_idle_ms: int = 0) -> Iterator[bool]:
    """Hold one of so many places of this name while the block runs; give False when none gets free within `seconds`.

    It may be entered inside a transaction, but must be left outside: a transaction that failed takes no statement.
    With `max_idle_ms` the database takes the place back, by ending the session, from a process that asks nothing for
    so long: one that was stopped, or whose machine is gone, would keep it for ever.
    """
    until = time.monotonic() + seconds
    while not (held := _take(name, places)) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    session = connection.connection
    try:
        if held and max_idle_ms:
            _set_idle_timeout(max_idle_ms)
        yield bool(held)
    finally:
        if held and connection.connection is session:
            _ask("pg_advisory_unlock", held)
            if max_idle_ms:
                _set_idle_timeout(0)
        elif held:  # it was closed: it may be another's, from the pool, and would keep the lock for ever
            session.close()


@contextmanager
def media_place(owner_id: UUID) -> Iterator[None]:
    """Hold a place of those who have media read or drawn while they wait. Raise 429 at once when the owner has no
    more: who waited for one would hold a thread, which is what others need."""
    with place(f"media of {owner_id}", places=MAX_MEDIA_CALLS) as has_place:
        if not has_place:
            raise errors.rate_limited(
                "Other calls of yours are having media read or drawn.",
                hint="Wait until one is done.",
                seconds=2,
            )
        yield


def _take(name: str, places: int) -> str:
    """Return the name of the lock that was free, or an empty text."""
    locks = (f"{name} {number}" for number in range(places))
    return next((lock for lock in locks if _ask("pg_try_advisory_lock", lock)), "")


def _ask(function: str, lock: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [lock])
        return bool(cursor.fetchone()[0])


def _set_idle_timeout(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", [str(milliseconds)])
