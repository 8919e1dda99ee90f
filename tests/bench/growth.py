"""What grows with the jobs: the statements of lists, sweeps and pages of the admin, at 200,000 jobs against 1,000.

Two databases on the running server, which take turns, so that whatever else the machine does meets both. What Django
and the templates do is the same in both and is left out: each operation is run once, and its statements are timed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.results import Result, at_most

SMALL, LARGE = 1_000, 200_000
ROUNDS = 30
GOAL = 1.5  # times what it takes at 1,000 jobs
Statement = tuple[str, Any]
Operation = Callable[[Any], Callable[[], object]]
"""Gives, for a database with many jobs, what is to be run there."""


def measure() -> Iterator[Result]:
    """Yield the ratio of each operation."""
    for name, row in compare(LARGE).items():
        yield at_most(name, row.pop("ratio"), GOAL, f"× at {SMALL:,} jobs", **row)


def compare(large: int) -> dict[str, dict[str, float]]:
    """Return medians in milliseconds and their ratio, a row an operation; of several filters the worst."""
    results: dict[str, dict[str, float]] = {}
    with _databases(large) as sides:
        for name, operations in _operations().items():
            rows = [_compare(sides, operation) for operation in operations]
            results[name] = max(rows, key=lambda row: row["ratio"])
            print(name, results[name], flush=True)
    return results


def _compare(sides: list[tuple[Any, Any]], operation: Operation) -> dict[str, float]:
    """Time the statements of an operation in both databases in turn: by CPU time of the server's process, and p99 by
    the clock."""
    from django.db import connections

    recorded, cpu, clock = [], [list[float](), list[float]()], [list[float](), list[float]()]
    for connection, many in sides:
        connections["default"] = connection
        recorded.append(_statements(operation(many)))
    for _ in range(ROUNDS):
        for side, (connection, _many) in enumerate(sides):
            with connection.cursor() as cursor:
                began = _cpu_ms(connection), time.perf_counter()
                for sql, parameters in recorded[side]:
                    cursor.execute(sql, parameters)
                    cursor.fetchall()
                cpu[side].append(_cpu_ms(connection) - began[0])
                clock[side].append((time.perf_counter() - began[1]) * 1000)
    small, large = (statistics.median(taken) for taken in cpu)
    row = {"cpu_ms_small": small, "cpu_ms_large": large, "ratio": large / small}
    row |= {"p99_ms_small": _p99(clock[0]), "p99_ms_large": _p99(clock[1])}
    return {key: round(value, 2) for key, value in row.items()}


def _cpu_ms(connection: Any) -> float:
    """Return the CPU time of the server's process behind a connection, in milliseconds."""
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return int(backend.read_text().split()[0]) / 1e6 if backend.exists() else time.perf_counter() * 1000


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def _statements(run: Callable[[], object]) -> list[Statement]:
    """Return the reading statements that are run; what is written is rolled back."""
    from django.db import connection, transaction

    found: list[Statement] = []

    def record(execute: Any, sql: str, parameters: Any, many_times: bool, context: Any) -> Any:
        if sql.lstrip("( \n").startswith(("SELECT", "WITH")) and "advisory" not in sql:
            found.append((sql, parameters))
        return execute(sql, parameters, many_times, context)

    with transaction.atomic(), connection.execute_wrapper(record):
        run()
        transaction.set_rollback(True)
    return found


@contextmanager
def _databases(large: int) -> Iterator[list[tuple[Any, Any]]]:
    """Two databases with so many jobs; gone at the end. The default connection is what it was then."""
    from django.core.management import call_command
    from django.db import connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    from tests.many import make_many

    default = connections["default"]
    options = {name: value for name, value in default.settings_dict["OPTIONS"].items() if name != "pool"}
    sides = []
    try:
        for jobs in (SMALL, large):
            name = f"growth_{jobs}"
            with default.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                cursor.execute(f"CREATE DATABASE {name}")
            settings = {**default.settings_dict, "NAME": name, "OPTIONS": options, "CONN_MAX_AGE": None}
            connections["default"] = connection = DatabaseWrapper(settings, "default")
            call_command("migrate", verbosity=0)
            sides.append((connection, make_many(jobs)))
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")  # as the server does by itself within a minute
        yield sides
    finally:
        connections["default"] = default
        for connection, _ in sides:
            connection.close()
        with default.cursor() as cursor:
            for jobs in (SMALL, large):
                cursor.execute(f"DROP DATABASE IF EXISTS growth_{jobs} WITH (FORCE)")


def _operations() -> dict[str, list[Operation]]:
    from config.work.registry import load_kinds
    from config.work.sweep import sweep_work_rows
    from jobs.services.timeouts import time_out_silent_jobs
    from jobs.states import JobStatus

    load_kinds()
    now = datetime.now(UTC)
    statuses = [f"status={status}" for status in JobStatus]
    # Pages of 19: at 1,000 jobs too, each status that jobs end in has so many.
    filters = ["", *statuses, "&".join(statuses), "status=CREATED&status=FAILED"]
    filters += [
        f"created_{side}={moment.isoformat().replace('+00:00', 'Z')}"
        for side in ("after", "before")
        for moment in (now, now - timedelta(days=300))
    ]
    return {
        "growth: sweep of silent jobs": [lambda many: time_out_silent_jobs],
        "growth: sweep of work": [lambda many: sweep_work_rows],
        "growth: waiting jobs": [_api("/jobs?status=AUDIO_EXTRACTING")],
        "growth: admin list": [_admin("")],
        "growth: admin list, each status": [_admin(f"?status__exact={status}") for status in JobStatus],
        "growth: admin search by id": [_admin("?q={job}")],
        "growth: admin page 1,000": [_admin("?p={middle}")],
        "growth: GET /jobs, each filter": [_api(f"/jobs?limit=19&{query}") for query in filters],
        "growth: GET /projects/{id}/jobs, each filter": [
            _api(f"/projects/{{project}}/jobs?limit=19&{query}") for query in filters
        ],
    }


def _fill(path: str, many: Any) -> str:
    """Put ids in the place of their names. The middle is page 1,000 of 200,000 jobs, and page 5 of 1,000."""
    from jobs.models import Job

    middle = Job.objects.order_by("pk")[Job.objects.count() // 2] if "{middle}" in path else many.deep
    return path.format(job=many.deep.pk, project=many.project.pk, middle=middle.pk)


def _api(path: str) -> Operation:
    from tests.factories import Api

    def run(url: str, many: Any) -> None:
        answer = Api(many.owner).get(url)
        assert answer.status_code == 200, answer.content

    return lambda many: partial(run, _fill(path, many), many)


def _admin(query: str) -> Operation:
    from django.contrib import admin
    from django.test import RequestFactory

    from config.accounts.models import User
    from jobs.models import Job

    def run(url: str) -> None:
        request = RequestFactory().get(f"/{url}")
        request.user = User(is_superuser=True, is_active=True)
        shown = admin.site._registry[Job].get_changelist_instance(request)
        assert shown.result_list is not None and shown.paginator.count_text

    return lambda many: partial(run, _fill(query, many))


def main() -> None:
    """`python -m tests.bench.growth [JOBS]`, on a database of its own."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory(prefix="stepwright-growth-") as home:
        os.environ |= {
            "STEPWRIGHT_HOME": home,
            "DATABASE_URL": "",
            "STEPWRIGHT_DB_POOL_SIZE": "0",
            "STEPWRIGHT_THROTTLE_RATE": "",
            "STEPWRIGHT_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        from config import embedded

        with embedded.running_database():
            import django

            django.setup()
            compare(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE)


if __name__ == "__main__":
    main()
