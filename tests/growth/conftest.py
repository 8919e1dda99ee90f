"""200,000 jobs, or as many as JOBS of a module says, made once for the module that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.many import TABLES, Many, make_many

JOBS = 200_000


@pytest.fixture(scope="module")
def many(request: pytest.FixtureRequest, django_db_setup: Any, django_db_blocker: Any) -> Iterator[Many]:
    """Committed, as ANALYZE keeps what it found even where the rows are rolled back; and gone with the module."""
    with django_db_blocker.unblock():
        yield make_many(getattr(request.module, "JOBS", JOBS))
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in TABLES)} CASCADE")
