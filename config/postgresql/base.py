"""Django's PostgreSQL backend: times are read faster, and a pool looks at a connection before it gives it away."""

from __future__ import annotations

import select
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Wants CONN_HEALTH_CHECKS to be false where there is a pool: else it asks the server something for each request,
    a third of what the database costs a small one."""

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if self.timezone is UTC:
            parameters["context"] = _with_utc_loader(parameters["context"])
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            connection = super().get_new_connection(conn_params)
            if not self.pool or is_usable(connection):
                return connection
            connection.close()
            self.pool.putconn(connection)  # which opens another in its place


@cache
def _with_utc_loader(adapters: AdaptersMap) -> AdaptersMap:
    copied = AdaptersMap(adapters)
    copied.register_loader("timestamptz", UtcLoader)
    return copied


class UtcLoader(TimestamptzLoader):
    """Reads the times of a session in UTC in a fifth of the time. Those that ISO 8601 does not have are psycopg's."""

    timezone = UTC  # as Django's loaders have it

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            return super().load(data)


def is_usable(connection: psycopg.Connection[Any]) -> bool:
    """Return whether an idle connection can be used. One that has something to read was ended by the server, or has
    a notice: those are asked."""
    ready = select.poll()
    ready.register(connection.fileno(), select.POLLIN)
    if not ready.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True
