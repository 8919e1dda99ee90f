"""The hot reads: a job, a job that has not changed, a list; and the same of an in-memory twin."""

from __future__ import annotations

import io
import json
import os
import random
import re
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from config import embedded, environment
from config.front.wsgi import call
from config.front.wsgi import environment as wsgi_environment
from tests.bench.load import Request, Side, compare, head, ratio
from tests.bench.profiles import why
from tests.bench.results import Result, at_least, at_most
from tests.bench.service import USER, Server, make_jobs, serving, token

API = "/api/v1/jobs"
BARE_VIEW = "× a bare DRF view"
KNOWN = 200  # jobs of which the ETag is known to the client, as pollers know it


def measure(rows: Collection[str]) -> Iterator[Result]:
    jobs = make_jobs()
    with serving() as server:
        reads = Reads(server, jobs)
        measures = {
            "get": reads.get,
            "not-modified": reads.not_modified,
            "list": reads.list,
            "queries": reads.queries,
            "twin": reads.twin,
        }
        for row in rows:
            yield from measures[row]()


class Reads:
    def __init__(self, server: Server, jobs: list[str]) -> None:
        self.server, self.jobs = server, jobs
        self.signed_in = {"Authorization": f"Bearer {token()}"}

    def read(self, job: str) -> tuple[Any, str]:
        """Return a job and its ETag."""
        status, headers, content = self.server.ask("GET", f"{API}/{job}", headers=self.signed_in)
        assert status == 200, content
        return json.loads(content), headers["ETag"]

    def of_any(self, prefix: str) -> Request:
        """Return what makes the request for one of the jobs."""
        requests = [head("GET", f"{prefix}/{job}", **self.signed_in) for job in self.jobs]
        return lambda: random.choice(requests)

    def of_known(self) -> Request:
        """Return what makes the request for a job that the client has already."""
        requests = [
            head("GET", f"{API}/{job}", If_None_Match=self.read(job)[1], **self.signed_in)
            for job in self.jobs[:KNOWN]
        ]
        return lambda: random.choice(requests)

    def of_list(self, path: str) -> Request:
        request = head("GET", path, **self.signed_in)
        return lambda: request

    def get(self) -> Iterator[Result]:
        yield self._cost("GET /jobs/{id}: CPU", 0.5, self.of_any(API), 200, self.of_any)

    def not_modified(self) -> Iterator[Result]:
        yield self._cost("GET /jobs/{id}, not modified: CPU", 0.4, self.of_known(), 304, self.of_any)

    def list(self) -> Iterator[Result]:
        ours = self.of_list(f"{API}?limit=100")
        yield self._cost("GET /jobs, a list of 100: CPU", 0.5, ours, 200, self.of_list)

    def _cost(
        self, name: str, goal: float, request: Request, status: int, plain: Callable[[str], Request]
    ) -> Result:
        """Return the CPU of ours in terms of the bare view's; as a detail, in terms of one without our middleware."""
        ours = Side(self.server, request, status)
        theirs, alone = (
            Side(self.server, plain(prefix), 200) for prefix in ("/api/bench/jobs", "/bare/jobs")
        )
        compare(ours, theirs, alone)
        value = ratio(ours.costs, theirs.costs)
        details = {
            "ours": ours.facts(),
            "bare": theirs.facts(),
            "bare_without_middleware": alone.facts(),
            "to_bare_without_middleware": ratio(ours.costs, alone.costs),
        }
        return at_most(
            name, value, goal, BARE_VIEW, **details, **why(value <= goal, lambda: perform(request()))
        )

    def queries(self) -> Iterator[Result]:
        job = self.jobs[0]
        asked = 20
        before = log_size()
        with logged_statements():
            for _ in range(asked):
                self.server.ask("GET", f"{API}/{job}", headers=self.signed_in)
        found = statements(before)
        distinct = sorted(set(found))
        yield at_most("GET /jobs/{id}: statements", round(len(found) / asked, 2), 2, "", statements=distinct)

    def twin(self) -> Iterator[Result]:
        """The same number of workers of the same server, with the same jobs."""
        _, _, content = self.server.ask("GET", f"{API}?limit=500", headers=self.signed_in)
        kept = {job["id"]: job for job in json.loads(content)}
        start = environment.home() / "twin.json"
        start.write_text(json.dumps({"jwt": settings.JWT, "owner": USER, "jobs": list(kept.values())[::-1]}))
        os.environ["BENCH_TWIN"] = str(start)
        both = Reads(self.server, [job for job in self.jobs if job in kept])
        with serving("tests.bench.twin:app") as server:
            theirs = Reads(server, both.jobs)
            assert theirs.read(both.jobs[0]) == both.read(both.jobs[0])
            for name, status, ours, twins in (
                ("GET /jobs/{id}: answers a second", 200, both.of_any(API), theirs.of_any(API)),
                ("GET /jobs/{id}, not modified: answers a second", 304, both.of_known(), theirs.of_known()),
            ):
                sides = Side(self.server, ours, status), Side(server, twins, status)
                compare(*sides)
                value = ratio(sides[0].rates, sides[1].rates)
                details: dict[str, Any] = {"ours": sides[0].facts(), "twin": sides[1].facts()}
                details |= why(value >= 1, lambda ours=ours: perform(ours()))  # type: ignore[misc]
                yield at_least(name, value, 1.0, "× an in-memory FastAPI twin", **details)


def perform(request: bytes) -> None:
    """Have a request answered in this process, without a server, to see where the time goes."""
    from tests.bench.baseline import wsgi

    above, _, body = request.partition(b"\r\n\r\n")
    first, *rest = above.decode().split("\r\n")
    method, target, _ = first.split()
    path, _, query = target.partition("?")
    headers = [tuple(part.encode() for part in line.split(": ", 1)) for line in rest]
    scope = {
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(name.lower(), value) for name, value in headers],
    }
    call(wsgi, wsgi_environment(scope, io.BytesIO(body), len(body)))


class logged_statements:
    """PostgreSQL writes down every statement that it is sent during the block."""

    def __enter__(self) -> None:
        self._set("all")

    def __exit__(self, *_: object) -> None:
        self._set("none")

    def _set(self, value: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER SYSTEM SET log_statement = '{value}'")
            cursor.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)  # until all of its processes know


def log_size() -> int:
    return (embedded.data_folder() / "log").stat().st_size


def statements(start: int) -> list[str]:
    """Return the statements in the log after its first `start` bytes, but for our own and empty ones."""
    text = (embedded.data_folder() / "log").read_bytes()[start:].decode()
    found = re.findall(r"LOG:  (?:statement|execute [^:]+): (.*)", text)
    return [one for one in found if one and "ALTER SYSTEM" not in one and "pg_reload_conf" not in one]
