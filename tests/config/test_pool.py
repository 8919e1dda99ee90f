"""The pool of connections to the database: bounded, given back, and with the bounds of every connection."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction

from config import embedded, environment
from config.front.bounds import Bounds
from config.locks import MAX_MEDIA_CALLS
from config.work import lease
from config.work.broker import _own_database
from config.work.lease import Lease
from config.work.management.commands.work import require_connections
from config.work.models import WorkRow
from jobs.models import Job
from jobs.services.dispatches import MAX_CALLERS
from tests.errors import assert_shape
from tests.factories import Api, make_run
from tests.pool import pooled
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_pool_is_as_large_as_the_variable_says() -> None:
    entry = embedded.django_database("postgresql://h/d", pool_size=5)
    assert (entry["OPTIONS"]["pool"]["max_size"], entry["CONN_MAX_AGE"]) == (5, 0)
    assert "pool" not in embedded.django_database("postgresql://h/d")["OPTIONS"]


@pytest.mark.parametrize("value", ["-1", "many", "1.5"])
def test_a_size_that_is_no_number_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("STEPWRIGHT_DB_POOL_SIZE", value)
    with pytest.raises(environment.UnknownValue, match="STEPWRIGHT_DB_POOL_SIZE"):
        environment.refuse_unknown_values()


def test_a_connection_of_the_pool_has_the_bounds() -> None:
    with pooled():
        for name, value in (("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "30s")):
            with connection.cursor() as cursor:
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == (value,)


def test_who_gets_no_connection_in_time_is_told_to_come_again(owner: Api) -> None:
    with pooled(max_size=1, timeout=0.3):
        connection.ensure_connection()
        (answer,) = at_once(1, lambda _: owner.get("/projects"))
        assert_shape(answer, 503, "SERVICE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1


def test_many_at_once_share_the_connections_there_are(owner: Api, job: Job) -> None:
    with pooled(max_size=2) as pool:
        answers = at_once(8, lambda _: owner.get(f"/jobs/{job.pk}"))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert pool.get_stats()["pool_size"] <= 2


def test_a_connection_that_the_server_has_ended_is_given_to_nobody(owner: Api, job: Job) -> None:
    """A look at its socket is enough: a server that ends a session says so, or closes it."""
    with pooled(min_size=2) as pool:
        pool.open(wait=True)
        ended = [session_of(pool) for _ in range(2)]
        with psycopg.connect(**own_connection(), autocommit=True) as other:
            for session in ended:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
        answers = [owner.get(f"/jobs/{job.pk}").status_code for _ in range(4)]
        assert answers == [200] * 4
        assert not {session_of(pool) for _ in range(2)} & set(ended)


def test_without_a_pool_a_connection_that_was_ended_is_replaced(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    connection.close()
    assert owner.get(f"/jobs/{job.pk}").status_code == 200
    with psycopg.connect(**own_connection(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    connection.close_if_unusable_or_obsolete()  # as a request that begins does
    assert owner.get(f"/jobs/{job.pk}").status_code == 200


def test_a_connection_with_a_notice_is_still_used() -> None:
    with pooled(max_size=1) as pool:
        with connection.cursor() as cursor:
            cursor.execute("LISTEN news")
        session = connection.connection.info.backend_pid
        connection.close()
        with psycopg.connect(**own_connection(), autocommit=True) as other:
            other.execute("NOTIFY news")
        time.sleep(0.2)
        assert session_of(pool) == session


def session_of(pool: Any) -> int:
    """Return the process of the server that serves the connection which is next."""
    connection.ensure_connection()
    process: int = connection.connection.info.backend_pid
    connection.close()
    return process


def own_connection() -> dict[str, Any]:
    known = connection.settings_dict
    return {
        "dbname": known["NAME"],
        "user": known["USER"],
        "password": known["PASSWORD"],
        "host": known["HOST"],
        "port": known["PORT"] or None,
    }


def test_a_heartbeat_gives_its_connection_back_after_each_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    row: WorkRow = make_run(status="RUNNING", attempt=1)
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)
    with pooled() as pool, Lease(row).beating():
        connection.close()
        deadline = time.monotonic() + 5
        while pool.get_stats().get("requests_num", 0) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pool.get_stats()["requests_num"] >= 4, "each beat asks for one anew"


def test_the_broker_in_the_database_takes_no_pool(settings: Any) -> None:
    with pooled():
        settings.DATABASES["default"]["OPTIONS"] = connection.settings_dict["OPTIONS"]
        assert "pool" not in _own_database()


def test_long_work_gives_its_connection_back_where_it_checks_its_lease() -> None:
    lease_ = Lease(make_run(status="RUNNING", attempt=1))
    with pooled(max_size=1, timeout=1.0):
        connection.ensure_connection()
        lease_.check()
        assert connection.connection is None
        with transaction.atomic():
            lease_.check()
            assert connection.connection is not None, "a transaction keeps it"


def test_a_worker_with_more_threads_than_its_pool_serves_is_refused() -> None:
    with pooled(max_size=8):
        require_connections(5)
        with pytest.raises(
            CommandError, match="6 threads need 9 connections .* STEPWRIGHT_DB_POOL_SIZE to 9"
        ):
            require_connections(6)
    require_connections(64)  # without a pool


def test_each_thread_of_the_web_process_finds_a_connection() -> None:
    """Else calls that hang would keep others from the database."""
    bounds = Bounds()
    threads = sum(pool.threads for pool in (bounds.api, bounds.heavy, bounds.calls, bounds.ready))
    assert threads <= int(environment.DEFAULTS["STEPWRIGHT_DB_POOL_SIZE"])


def test_no_user_has_all_threads_that_wait_or_that_have_media_read() -> None:
    assert Bounds().calls.threads > MAX_CALLERS
    assert Bounds().heavy.threads > MAX_MEDIA_CALLS
