"""Holds each statement of a block to a plan whose work does not grow with the tables of `many`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.many import TABLES

LARGE = {model._meta.db_table for model in TABLES}
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "
READING = ("SELECT", "WITH", "UPDATE", "DELETE")
REMOVED = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
SORTS = ("Sort", "Incremental Sort")


@contextmanager
def small_plans(*, rows: int, in_sort: int) -> Iterator[list[str]]:
    """Explain each statement on a large table before it runs; give the list of those that were.

    Fail at one that scans a whole table, reads more than `rows` rows (those too that a filter then removes), or sorts
    more than `in_sort`. What an EXPLAIN ANALYZE writes is rolled back.
    """
    seen: list[str] = []

    def explain_first(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.lstrip("( \n").startswith(READING) and any(
            f'"{table}"' in sql or f" {table} " in sql for table in LARGE
        ):
            cursor = context["cursor"]
            execute("SAVEPOINT explained", None, False, context)
            execute(EXPLAIN + sql, parameters, False, context)
            (found,) = cursor.fetchone()
            execute("ROLLBACK TO SAVEPOINT explained", None, False, context)
            seen.append(sql)
            plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
            faults = list(_faults(plan, len(parameters or ()), rows, in_sort))
            assert not faults, f"{'; '.join(faults)}\n{sql}\n{_text(plan)}"
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(explain_first):
        yield seen


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def _text(plan: dict[str, Any], depth: int = 0) -> str:
    """Return the plan with what was read, a line for each node."""
    shown = (
        "Relation Name",
        "Index Name",
        "Index Cond",
        "Filter",
        "Sort Key",
        "Actual Rows",
        "Actual Loops",
        *REMOVED,
    )
    words = (f"{name}: {plan[name]}" for name in shown if plan.get(name))
    line = f"{'  ' * depth}{plan['Node Type']} ({', '.join(words)})"
    return "\n".join([line, *(_text(part, depth + 1) for part in plan.get("Plans", []))])


def _read(node: dict[str, Any]) -> float:
    """Return how many rows a node gave, and looked at in vain."""
    return float((node["Actual Rows"] + sum(node.get(name, 0) for name in REMOVED)) * node["Actual Loops"])


def _faults(plan: dict[str, Any], values: int, rows: int, in_sort: int) -> Iterator[str]:
    read = 0.0
    for node in nodes(plan):
        kind = node["Node Type"]
        if kind == "Seq Scan" and node["Relation Name"] in LARGE and node["Actual Loops"]:
            yield f"a scan of the whole of {node['Relation Name']}"
        if kind in SORTS and (given := sum(_read(part) for part in node["Plans"])) > in_sort:
            yield f"a sort of {given:.0f} rows"
        if "Relation Name" in node or "Index Name" in node:
            read += _read(node)
    if read > rows:
        yield f"{read:.0f} rows read"
    # About three for each row that an index finds, and for each of the statement's values that it looks for in vain.
    # More are read where an index is gone through from end to end.
    if (blocks := plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]) > 4 * (read + values) + 100:
        yield f"{blocks} blocks read for {read:.0f} rows"
