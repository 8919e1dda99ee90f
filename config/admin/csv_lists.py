"""A list of the admin as CSV (RFC 4180), as long as it is, read and sent in pieces."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.db.models import QuerySet

from config.admin.links import Linked

ROWS = 1000  # that are read at once
# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(model_admin: Any, rows: QuerySet[Any], columns: Iterable[str]) -> Iterator[str]:
    """Yield a line of labels, and a line for each row, newest first. `rows` is filtered and not cut."""
    names = list(columns)
    yield _line(label_for_field(name, rows.model, model_admin) for name in names)
    newest_first, last = rows.order_by("-pk"), None
    while True:
        piece = list((newest_first if last is None else newest_first.filter(pk__lt=last))[:ROWS])
        for row in piece:
            yield _line(lookup_field(name, row, model_admin)[2] for name in names)
        if len(piece) < ROWS:
            return
        last = piece[-1].pk


def _line(values: Iterable[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([_cell(value) for value in values])
    return written.getvalue()


def _cell(value: Any) -> str:
    """Return a value as text that no spreadsheet runs: behind an apostrophe, if it looks like a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = value.text if isinstance(value, Linked) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
