"""The message broker, chosen by STEPWRIGHT_BROKER_URL: PostgreSQL (the default), Redis or RabbitMQ.

A message contains only the id of a row, and may be lost. So Dramatiq's own retries, age limits and results are off.
It applies the time limit, and closes database connections.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
from django.conf import settings
from dramatiq.broker import Broker, Consumer
from dramatiq.middleware import Middleware, ShutdownNotifications, SkipMessage, TimeLimit
from dramatiq_postgres import PostgresBroker
from dramatiq_postgres.broker import QUERIES
from dramatiq_postgres.django.middleware import DbConnectionsMiddleware
from dramatiq_postgres.utils import make_pool, tidy4json
from psycopg.types.json import Json
from psycopg_pool import ConnectionPool

from config.embedded import POOL
from config.work.lanes import Lane

# With PostgreSQL as the broker: a worker keeps one for each of its lanes, and one to be notified. Others come and go.
MAX_CONNECTIONS = len(Lane) + 2
# Seconds after which a server that hangs is given up, as redis-py does by itself.
AMQP_BOUNDS = {"socket_timeout": 5, "stack_timeout": 5, "blocked_connection_timeout": 5}


def set_up() -> None:
    """Make the broker and set it as Dramatiq's. This works without a connection to it."""
    dramatiq.set_broker(make_broker(settings.BROKER_URL))


class StopOnce(ShutdownNotifications):
    """Interrupts running work when the first lane of a process is stopped, for all of them: a second interrupt would
    meet work that is just going back. What comes after that is not begun; its row waits."""

    def __init__(self) -> None:
        super().__init__()
        self._stopping = threading.Lock()
        self._is_stopped = False

    def before_worker_shutdown(self, broker: Broker, worker: dramatiq.Worker) -> None:
        with self._stopping:
            if not self._is_stopped:
                self._is_stopped = True
                super().before_worker_shutdown(broker, worker)

    def before_process_message(self, broker: Broker, message: dramatiq.MessageProxy) -> None:
        super().before_process_message(broker, message)
        if self._is_stopped:
            raise SkipMessage


class TimeLimitWithPauses(TimeLimit):
    """The time limit of the work that a thread performs, but for what has a limit of its own (`own_time_limit`)."""

    @contextmanager
    def paused(self, seconds: float) -> Iterator[None]:
        begun = time.monotonic()
        self._move(seconds)
        try:
            yield
        finally:
            self._move(min(0.0, time.monotonic() - begun - seconds))

    def _move(self, seconds: float) -> None:
        """Move the end of this thread's time, if it has one that has not come."""
        manager: Any = self.manager  # that of threads; our workers do not run on gevent
        thread = threading.get_ident()
        with manager.mu:
            if (end := manager.deadlines.get(thread)) is not None:
                manager.deadlines[thread] = end + seconds


@contextmanager
def own_time_limit(seconds: float) -> Iterator[None]:
    """Do not count what the block takes, up to `seconds`, into the time that the work of this thread may take.

    For a part of the work that is ended after so long by itself.
    """
    with ExitStack() as paused:
        for middleware in dramatiq.get_broker().middleware:
            if isinstance(middleware, TimeLimitWithPauses):
                paused.enter_context(middleware.paused(seconds))
        yield


def make_broker(url: str) -> Broker:
    middleware: list[Middleware] = [TimeLimitWithPauses(), StopOnce(), DbConnectionsMiddleware()]
    if url.startswith(("redis://", "rediss://")):
        from config.work.redis_broker import PromptRedisBroker

        return PromptRedisBroker(url=url, middleware=middleware, namespace="stepwright")
    if url.startswith(("amqp://", "amqps://")):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=_with(url, AMQP_BOUNDS), middleware=middleware, confirm_delivery=True)
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("STEPWRIGHT_BROKER_URL must start with postgresql://, redis:// or amqp://")
    return DatabaseBroker(pool=_pool(url or _own_database()), results=False, middleware=middleware)


class AutoResetEvent(threading.Event):
    """An event that only `wait` clears: what is set before the wait, and after the look for which one waits, counts."""

    def clear(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool:
        is_set = super().wait(timeout)
        super().clear()
        return is_set


class DatabaseBroker(PostgresBroker):
    """PostgreSQL as the broker. A message is sent once: its own `enqueue` would try again for minutes, in the thread
    that sends for all of this process, and sleep on when the database is back. Messages have no delay."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        """Return a consumer that is woken also by what comes between its look at the queue and its wait; its own
        event would have it wait for half a second then."""
        consumer = super().consume(queue_name, prefetch, timeout)
        self.notifier.unsubscribe(consumer.channel, consumer.wakeup)
        consumer.wakeup = AutoResetEvent()
        self.notifier.subscribe(consumer.channel, consumer.wakeup)
        return consumer

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        self.emit_before("enqueue", message, delay)
        values = (message.queue_name, message.message_id, Json(tidy4json(message)), 0)
        with self.pool.connection() as connection:
            connection.execute(QUERIES.ENQUEUE, values)
        self.emit_after("enqueue", message, delay)
        return message

    def close(self) -> None:
        super().close()
        self.pool.close()


def _pool(url: str | dict[str, str]) -> ConnectionPool:
    pool = make_pool(url, maxconn=MAX_CONNECTIONS)
    # As in the pool of rows (`embedded.POOL`): a database that comes back is found at once.
    pool.timeout, pool.reconnect_timeout = POOL["timeout"], POOL["reconnect_timeout"]
    # A message that a crash takes is sent again by the sweep, so nobody waits for the disk to have it.
    pool.kwargs["options"] = f"{pool.kwargs.get('options', '')} -c synchronous_commit=off".strip()
    return pool


def _with(url: str, bounds: dict[str, int]) -> str:
    """Return the URL with these parameters; those that it has win."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode(bounds | dict(parse_qsl(parts.query)))))


def _own_database() -> dict[str, str]:
    database = settings.DATABASES["default"]
    names = (
        ("NAME", "dbname"),
        ("USER", "user"),
        ("PASSWORD", "password"),
        ("HOST", "host"),
        ("PORT", "port"),
    )
    own = {libpq: str(database[django]) for django, libpq in names if database.get(django)}
    return own | {name: str(value) for name, value in database["OPTIONS"].items() if name != "pool"}


def ping() -> None:
    """Raise when the broker does not answer. PostgreSQL as the broker is checked as the database."""
    broker = dramatiq.get_broker()
    if (client := getattr(broker, "client", None)) is not None:  # Redis
        client.ping()
    elif hasattr(broker, "connection"):  # RabbitMQ: connects on first use
        try:
            broker.connection.process_data_events()
        except Exception:
            del broker.connection  # the next ping makes another
            raise
