"""How long the pages of the admin take at 1,000,000 jobs, made by SQL: each list, filter and search, the page of a row
of each kind, and the front page; the whole answer, with what Django and the templates do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.results import Result, at_most

JOBS = 1_000_000
TURNS = 5
GOAL_MS = 300.0


def measure() -> Iterator[Result]:
    """Yield for each kind of page the time of the slowest one; the median of some turns, after one that does not
    count."""
    from tests.many import make_many

    make_many(JOBS)
    _vacuum()
    for what, pages in times().items():
        slowest = max(pages, key=lambda path: pages[path])
        yield at_most(f"admin: {what}", pages[slowest], GOAL_MS, "ms", slowest=slowest, pages=len(pages))


def times() -> dict[str, dict[str, float]]:
    """Return how many milliseconds each page takes, by the kind of the page and its path; those of lists first."""
    from django.test import Client

    from config.accounts.models import User
    from tests.admin.lists import LARGE, list_queries, middle_of
    from tests.admin.rows import list_path

    client, found = Client(), dict[str, dict[str, float]]()
    client.force_login(User.objects.create_superuser("admin"))
    client.get("/readyz")  # as whoever starts a process asks; loads all of its code
    found["front page, the first time"] = {"/admin/": round(_took(client, "/admin/"), 1)}
    found["front page"] = {"/admin/": _median(client, "/admin/")}
    for model, page in LARGE.items():
        path, middle = list_path(model), middle_of(model)
        for what, queries in list_queries(page, middle).items():
            found.setdefault(f"list, {what}", {}).update(
                {path + query: _median(client, path + query) for query in queries}
            )
        row = f"{path}{middle.pk}/change/"
        found.setdefault("page of a row", {})[row] = _median(client, row)
    return found


def _median(client: Any, path: str) -> float:
    _took(client, path)
    return round(statistics.median(_took(client, path) for _ in range(TURNS)), 1)


def _took(client: Any, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200 and answer.content, path
    return (time.perf_counter() - began) * 1000


def _vacuum() -> None:
    """As the server does by itself within a minute."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
