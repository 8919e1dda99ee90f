"""The message broker, chosen by STEPWRIGHT_BROKER_URL: PostgreSQL (the default), Redis or RabbitMQ.

A message contains only the id of a row, and may be lost. So Dramatiq's own retries, age limits and results are off.
It applies the time limit, and closes database connections.
"""

from __future__ import annotations

import dramatiq
from django.conf import settings
from dramatiq.broker import Broker
from dramatiq.middleware import Middleware, ShutdownNotifications, TimeLimit
from dramatiq_postgres import PostgresBroker
from dramatiq_postgres.django.middleware import DbConnectionsMiddleware


def set_up() -> None:
    """Make the broker and set it as Dramatiq's. This works without a connection to it."""
    dramatiq.set_broker(make_broker(settings.BROKER_URL))


def make_broker(url: str) -> Broker:
    middleware: list[Middleware] = [TimeLimit(), ShutdownNotifications(), DbConnectionsMiddleware()]
    if url.startswith(("redis://", "rediss://")):
        from dramatiq.brokers.redis import RedisBroker

        return RedisBroker(url=url, middleware=middleware, namespace="stepwright")
    if url.startswith(("amqp://", "amqps://")):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url, middleware=middleware, confirm_delivery=True)
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("STEPWRIGHT_BROKER_URL must start with postgresql://, redis:// or amqp://")
    return PostgresBroker(url=url or _own_database(), results=False, middleware=middleware)


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
    return own | {name: str(value) for name, value in database["OPTIONS"].items()}
