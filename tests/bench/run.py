"""`make bench`: ratios of the service to plain views that do the same work, side by side in one run.

One server process, one client process; the two sides take turns in short slices, so that whatever else the
machine does meets both. Writes tests/bench/results.json.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
home = tempfile.TemporaryDirectory(prefix="stepwright-bench-")
os.environ |= {
    "STEPWRIGHT_HOME": home.name,
    "DATABASE_URL": "",
    "STEPWRIGHT_THROTTLE_RATE": "",
    "STEPWRIGHT_LOG_LEVEL": "WARNING",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}

from config import embedded  # noqa: E402

SLICE_SECONDS, SLICES, CLIENTS, JOBS = 1.0, 12, 4, 1000
STARTED = datetime.now(UTC).isoformat()
Ask = Callable[[http.client.HTTPConnection, str], int]


def callback(prefix: str, suffix: str, secret: str) -> Ask:
    def ask(connection: http.client.HTTPConnection, job: str) -> int:
        body = {
            "event_id": str(uuid.uuid4()),
            "status": "AUDIO_EXTRACTING",
            "occurred_at": STARTED,  # equal is in order
            "correlation_id": "bench",
            "artifact_updates": {"audio_uri": f"gs://bench/{uuid.uuid4()}"},
        }
        headers = {"Content-Type": "application/json", "X-Callback-Secret": secret}
        connection.request("POST", prefix + job + suffix, json.dumps(body), headers)
        return finish(connection)

    return ask


def get(prefix: str, token: str, **headers: str) -> Ask:
    def ask(connection: http.client.HTTPConnection, job: str) -> int:
        connection.request("GET", prefix + job, headers={"Authorization": f"Bearer {token}", **headers})
        return finish(connection)

    return ask


def finish(connection: http.client.HTTPConnection) -> int:
    response = connection.getresponse()
    content = response.read()
    if response.status >= 500:
        print(f"{response.status}: {content[:300]!r}", file=sys.stderr, flush=True)
    return response.status


def load(port: int, ask: Ask, jobs: list[str], seconds: float, expected: int) -> int:
    """How many answers came in so many seconds from so many connections; every one as expected."""
    counts, wrong = [0] * CLIENTS, set[int]()
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        mine = jobs[number::CLIENTS]
        while time.monotonic() < end:
            status = ask(connection, random.choice(mine))
            if status != expected:
                wrong.add(status)
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"answers other than {expected}: {wrong}")
    return sum(counts)


def compare(
    port: int, server: Any, jobs: list[str], ours: tuple[Ask, int], plain: tuple[Ask, int]
) -> dict[str, float]:
    """Medians over the slices: requests a second, CPU of the server a request, and ours in terms of theirs."""
    rates: dict[str, list[float]] = {"ours": [], "plain": []}
    costs: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(SLICES):
        for name, (ask, expected) in (("ours", ours), ("plain", plain)):
            before = cpu(server)
            count = load(port, ask, jobs, SLICE_SECONDS, expected)
            rates[name].append(count / SLICE_SECONDS)
            costs[name].append((cpu(server) - before) / count * 1e6)
    rate, cost = ({side: statistics.median(found[side]) for side in found} for found in (rates, costs))
    return {
        "ours_a_second": round(rate["ours"]),
        "plain_a_second": round(rate["plain"]),
        "rate_ratio": round(rate["ours"] / rate["plain"], 2),
        "ours_cpu_us": round(cost["ours"]),
        "plain_cpu_us": round(cost["plain"]),
        "cpu_ratio": round(cost["ours"] / cost["plain"], 2),
    }


def cpu(server: Any) -> float:
    """CPU seconds of the server's processes so far."""
    found = [server, *server.children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in found)


def main() -> None:
    import psutil

    from tests.served import free_port

    with embedded.running_database():
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from tests.factories import make_job, make_token, make_user

        owner = make_user("bench")
        print(f"making {JOBS} jobs ...", flush=True)
        first = make_job("AUDIO_EXTRACTING", owner=owner)
        from jobs.models import Job

        copies = [
            Job(
                project=first.project,
                owner=owner,
                status="AUDIO_EXTRACTING",
                manifest=first.manifest,
                options=first.options,
            )
            for _ in range(JOBS)
        ]
        Job.objects.bulk_create(copies)
        jobs = [str(job.pk) for job in copies]
        port = free_port()
        server = psutil.Popen(
            [
                sys.executable,
                "-m",
                "granian",
                "--interface",
                "wsgi",
                "--port",
                str(port),
                "--workers",
                "1",
                "--blocking-threads",
                "4",
                "--no-ws",
                "--log-level",
                "warning",
                "tests.bench.baseline:application",
            ],
            cwd=ROOT,
        )
        try:
            wait(port)
            token = make_token("bench", exp=datetime.now(UTC) + timedelta(hours=1))
            secret = settings.CALLBACK_SECRETS[0]
            ours = callback("/api/v1/internal/jobs/", "/status", secret), 204
            plain = callback("/bench/callback/", "", secret), 204
            bare = get("/bench/jobs/", token), 200
            known = get("/api/v1/jobs/", token, **{"If-None-Match": f'"{first.revision}"'}), 304
            one = [str(first.pk)] * CLIENTS
            sides = {
                "callback": (jobs, ours, plain),
                "callback, one hot job": (jobs[:1] * CLIENTS, ours, plain),
                "GET /jobs/{id}": (jobs, (get("/api/v1/jobs/", token), 200), bare),
                "GET /jobs/{id}, not modified": (one, known, bare),
            }
            wanted = sys.argv[1:] or list(sides)
            results = {}
            for name in wanted:
                results[name] = compare(port, server, *sides[name])
                print(name, results[name], flush=True)
        finally:
            server.terminate()
            server.wait(10)
    (Path(__file__).parent / "results.json").write_text(json.dumps(results, indent=2) + "\n")


def wait(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            if finish(connection) == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not come up")


if __name__ == "__main__":
    main()
