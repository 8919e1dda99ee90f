"""Places that few may hold at once, over all processes."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from django.db import connection

from config.locks import place
from tests.front.server import database_url
from tests.pool import pooled
from tests.races import at_once, beside

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_hold_a_place_than_there_are() -> None:
    barrier = threading.Barrier(5)

    def hold(_: int) -> bool:
        with place("of these", places=3) as has_place:
            barrier.wait(20)
            return has_place

    assert sorted(at_once(5, hold)) == [False] * 2 + [True] * 3
    barrier.reset()
    assert sorted(at_once(5, hold)) == [False] * 2 + [True] * 3, "they were given back"


def test_a_place_of_another_name_is_free() -> None:
    def others(_: int) -> list[bool]:
        with place("a") as same, place("b") as another:
            return [same, another]

    with place("a"):
        assert at_once(1, others) == [[False, True]]


def test_a_place_is_given_back_when_the_block_fails() -> None:
    with pytest.raises(ValueError, match="odd"), place("a"):
        raise ValueError("odd")

    def take(_: int) -> bool:
        with place("a") as has_place:
            return has_place

    assert at_once(1, take) == [True]


def test_who_waits_gets_the_place_that_becomes_free() -> None:
    held, found = threading.Event(), list[bool]()

    def wait() -> None:
        assert held.wait(20)
        with place("a", seconds=20) as has_place:
            found.append(has_place)

    with beside(wait), place("a"):
        held.set()
        threading.Event().wait(0.3)
        assert not found
    assert found == [True]


def test_the_place_of_a_process_that_died_is_free() -> None:
    """Its session ends with it, however it died."""
    with psycopg.connect(database_url(), autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(hashtextextended('a 0', 0))")
        with place("a") as has_place:
            assert not has_place
    with place("a", seconds=5) as has_place:
        assert has_place
    assert held_locks() == 0


def test_a_place_whose_session_went_back_to_the_pool_is_given_back() -> None:
    """Whoever closes the connection in between leaves the lock with a session that others go on to use."""
    with pooled(max_size=1) as pool:
        with place("a"):
            session = connection.connection
            connection.close()
            others = pool.getconn()
            assert others is session
        pool.putconn(others)
        until = time.monotonic() + 5
        while held_locks():
            assert time.monotonic() < until
            time.sleep(0.05)


def held_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])
