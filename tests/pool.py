"""This process's connections from a pool, as the service has them; the tests themselves use none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from config.embedded import POOL


@contextmanager
def pooled(**changed: Any) -> Iterator[Any]:
    """Take connections from a pool of 2 during the block; yield the pool."""
    known = connection.settings_dict
    connection.close()
    before = {name: known[name] for name in ("OPTIONS", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS")}
    known |= {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {**known["OPTIONS"], "pool": {**POOL, "max_size": 2, **changed}},
    }
    try:
        yield connection.pool  # type: ignore[attr-defined]
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        known |= before
