"""Numbers of rows and bytes of tables of any size, in a time that does not grow with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from config.admin.lists import MAX_COUNTED

MAX_PAGES = 128  # of a table that are read to estimate a sum


@dataclass(frozen=True)
class Counted:
    """A number of rows. `manner` is empty if it is exact, or says what it is: "about" or "over"."""

    number: int
    manner: str = ""

    def __str__(self) -> str:
        return f"{self.manner} {self.number:,}".strip()

    @classmethod
    def of(cls, found: int, estimate: float = 0, *, most: int = MAX_COUNTED) -> Counted:
        """Return the number of rows that were counted to `most` + 1; beyond, an estimate if there is one."""
        if found <= most:
            return cls(found)
        if estimate <= most:
            return cls(most, "over")
        return cls(round(int(estimate), 3 - len(str(int(estimate)))), "about")


def count(rows: QuerySet[Any]) -> Counted:
    """Count rows that an index finds, to MAX_COUNTED."""
    return Counted.of(rows.order_by()[: MAX_COUNTED + 1].count())


def estimate_by_value(model: type[Model], column: str) -> dict[str, float]:
    """Return about how many rows have each of a column's most common values, by PostgreSQL's statistics; empty if it
    has not looked at the table yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT value, freq * greatest(c.reltuples, 0) FROM pg_class c JOIN pg_stats s"
            " ON s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname,"
            " unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS common (value, freq)"
            " WHERE c.oid = %s::regclass AND s.attname = %s",
            [model._meta.db_table, column],
        )
        return dict(cursor.fetchall())


def estimate_sum(model: type[Model], column: str) -> Counted:
    """Return the sum of a column of whole numbers: exact of a table of up to MAX_PAGES pages. Of a larger one, so many
    pages are read, always the same ones, and their sum is taken as many times as there are more."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", [table])
        pages = int(cursor.fetchone()[0])
        percent = min(100.0, 100 * MAX_PAGES / max(pages, 1))
        cursor.execute(
            f'SELECT coalesce(sum("{column}"), 0) FROM "{table}"'  # our table and column  # nosec B608
            " TABLESAMPLE SYSTEM (%s) REPEATABLE (1)",
            [percent],
        )
        found = int(cursor.fetchone()[0])
    return Counted(found) if percent == 100 else Counted(round(found * 100 / percent), "about")
