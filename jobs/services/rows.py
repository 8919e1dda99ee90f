"""Rows that are written by the same statement as a transition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault, RawSQL

_PLAIN = (UUID, datetime, int, str, bool, NoneType)


def parameter(field: models.Field[Any, Any], value: Any) -> Any:
    """Return a field's value as psycopg takes it: most are taken as they are, which Django takes long to find out."""
    if type(value) in _PLAIN and not isinstance(field, models.JSONField):
        return value
    return field.get_db_prep_save(value, connection)


@dataclass(frozen=True)
class RowInsert:
    """An INSERT of rows of one model, to stand in a WITH clause, and its parameters in order."""

    sql: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, *rows: models.Model) -> RowInsert:
        """Insert instances of one model. What the database gives by default is left to it; a value may be a
        RawSQL expression."""
        fields = [
            field
            for field in rows[0]._meta.concrete_fields
            if not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
        ]
        columns = ", ".join(str(field.column) for field in fields)
        values, parameters = [], list[Any]()
        for row in rows:
            marks = []
            for field in fields:
                value = getattr(row, field.attname)
                is_expression = isinstance(value, RawSQL)
                marks.append(f"({value.sql})" if is_expression else "%s")
                parameters += value.params if is_expression else [parameter(field, value)]
            values.append(f"({', '.join(marks)})")
        table = rows[0]._meta.db_table
        statement = f"INSERT INTO {table} ({columns}) VALUES {', '.join(values)}"  # columns, marks  # nosec B608
        return cls(statement, tuple(parameters))
