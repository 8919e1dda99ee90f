"""Leases in tests whose rows nobody else sees."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from unittest import mock

from django.db import connection

from config.work import lease


def let_no_lease_go() -> AbstractContextManager[object]:
    """In a test's transaction the heartbeat, which has a connection of its own, sees no row: it is left out."""
    if connection.in_atomic_block:
        return mock.patch.object(lease, "HEARTBEAT_SECONDS", 3600.0)
    return nullcontext()
