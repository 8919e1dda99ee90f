"""Querysets that are compiled once: for the hot reads, where making the SQL takes longer than running it."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from psycopg import sql

R = TypeVar("R")
# What stands in a queryset for a value of this type until it runs. No row and no query has it.
STAND_INS: dict[type, Callable[[int], Any]] = {
    UUID: lambda number: UUID(int=0x5EED << 112 | number),
    str: lambda number: f"\x01stand-in {number}\x01",
    int: lambda number: 0x5EED0000 + number,
}


class PreparedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements PostgreSQL parses once a connection, and plans once if the plan fits all values."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> PreparedCursor:
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, **options)
        finally:
            # Otherwise the connection would keep the texts of all other statements, to count them.
            self.connection.prepare_threshold = None


# The attribute of a connection that holds its cursor. In a table by connection the cursors, which refer to their
# connections, would keep closed ones alive.
_KEPT = "_prepared_cursor"


def prepared_cursor() -> CursorWrapper:
    """Return a cursor like that of `connection.cursor()`, whose statements are prepared; it is not to be closed.

    It is for few, hot statements: a connection keeps a hundred, and one of these cursors.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    if database.queries_logged:
        return database.cursor()  # else the log has no values
    cursor = getattr(database.connection, _KEPT, None)
    if cursor is None:
        cursor = PreparedCursor(database.connection)
        setattr(database.connection, _KEPT, cursor)
    return CursorWrapper(cursor, database)


class CompiledQuery(Generic[R]):
    """A queryset as SQL, run with other values each time.

    `build` makes the queryset of named values, whose types are given: UUID, str or int. It is called once, at first
    use; so what it does may depend on nothing else. A LIMIT is no part of it: see `rows`. Rows are instances, or named
    tuples if the queryset has `values()`. It is prepared too, unless the best plan depends on the values.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Any, R]], types: dict[str, type], *, is_prepared: bool = True
    ) -> None:
        self._build, self._types, self._is_prepared = build, types, is_prepared

    def first(self, **values: Any) -> R | None:
        """Return the first row, or None."""
        found = self.rows(1, **values)
        return found[0] if found else None

    def rows(self, limit: int, **values: Any) -> list[R]:
        """Return at most `limit` rows."""
        statement, make = self._compiled
        cursor = prepared_cursor() if self._is_prepared else connections[DEFAULT_DB_ALIAS].cursor()
        cursor.execute(statement, {**values, "limit": limit})
        return make(cursor.fetchall())

    @cached_property
    def _compiled(self) -> tuple[str, Callable[[list[tuple[Any, ...]]], list[R]]]:
        stand_ins = {name: STAND_INS[kind](number) for number, (name, kind) in enumerate(self._types.items())}
        compiler = self._build(**stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        text, parameters = compiler.as_sql()
        found = [next((name for name in stand_ins if stand_ins[name] == value), None) for value in parameters]
        pieces = text.split("%s")
        if len(pieces) != len(found) + 1 or {*found} - {None} != {*stand_ins}:
            raise ValueError(f"not each of {list(stand_ins)} is a parameter of: {text}")
        marks = [
            f"%({name})s" if name else _literal(value) for name, value in zip(found, parameters, strict=True)
        ]
        statement = "".join(
            piece + mark for piece, mark in zip(pieces, [*marks, " LIMIT %(limit)s"], strict=True)
        )
        return statement, _maker(compiler)


def _literal(value: Any) -> str:
    """Return a constant of the queryset as SQL: as a parameter, it would keep PostgreSQL from using partial indexes."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    return sql.Literal(value).as_string(database.connection).replace("%", "%%")


def _maker(compiler: Any) -> Callable[[list[tuple[Any, ...]]], list[Any]]:
    """Return what makes the rows of the queryset, as `QuerySet.__iter__` does, of those of the cursor."""
    columns = [column for column, _, _ in compiler.select]
    converters = [
        (index, convert, column)
        for index, (converts, column) in compiler.get_converters(columns).items()
        for convert in converts
    ]
    if compiler.query.selected:
        new: Callable[[list[Any]], Any] = namedtuple("Row", compiler.query.selected)._make  # type: ignore[attr-defined]
    else:
        names = [column.target.attname for column in columns]
        new = partial(compiler.query.model.from_db, DEFAULT_DB_ALIAS, names)

    def make(rows: list[tuple[Any, ...]]) -> list[Any]:
        database = connections[DEFAULT_DB_ALIAS]
        made = []
        for row in rows:
            values = list(row)
            for index, convert, column in converters:
                values[index] = convert(values[index], column, database)
            made.append(new(values))
        return made

    return make
