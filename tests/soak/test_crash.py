"""Processes killed in the middle of real work, and queues wiped: the job finishes all the same."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.client import Client
from tests.factories import SAMPLE
from tests.served import Served
from tests.soak.processes import database, kill, named, postgres_of, serving

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


def transcribing(served: Served) -> tuple[Client, str]:
    """A job of the sample that is being transcribed at this moment."""
    client = Client(served.url, served.token())
    job = client.upload(client.new_job("Crash", language="en")["id"], SAMPLE)
    client.post(f"/jobs/{job['id']}/run")
    client.wait(f"/jobs/{job['id']}", {"TRANSCRIBING"}, seconds=60)
    time.sleep(0.5)
    return client, job["id"]


def finished(served: Served, job_id: str) -> None:
    """The job gets its draft: one extraction of sound, one draft, and nothing open."""
    client = Client(served.url, served.token())
    client.wait(f"/jobs/{job_id}", {"DRAFT_READY"}, seconds=120)
    changes = [event.get("new_status") for event in client.get(f"/jobs/{job_id}/events")]
    assert (
        changes.count("AUDIO_READY") == changes.count("TRANSCRIPT_READY") == changes.count("DRAFT_READY") == 1
    )
    with database(served) as connection:
        runs = connection.execute("SELECT status FROM jobs_pipelinerun").fetchall()
        dispatches = connection.execute("SELECT status FROM jobs_dispatch").fetchall()
        assert (runs, dispatches) == ([("SUCCEEDED",)], [("CLOSED",)])


@pytest.mark.parametrize("name", ["speech", "worker", "web", "postgres"])
def test_one_process_is_killed_and_the_service_goes_on(served: Served, name: str) -> None:
    client, job_id = transcribing(served)
    with watching_health(served) as away:
        before = named(served, name)
        kill(before)
        for _ in range(300):
            if named(served, name) and not any(process.is_running() for process in before):
                break
            time.sleep(0.1)
        served.wait_until_ready()
        finished(served, job_id)
    assert name == "web" or max(away) < 2, f"/healthz was away for {max(away):.1f} s"
    assert served.process.poll() is None, "serve itself goes on"
    # What was in flight is not charged.
    with database(served) as connection:
        assert connection.execute("SELECT max(retries) FROM jobs_pipelinerun").fetchall() == [(0,)]


@contextmanager
def watching_health(served: Served) -> Iterator[list[float]]:
    """Ask /healthz all the time; yield how long it was away, in seconds, each time (and 0)."""
    away, ended = [0.0], threading.Event()

    def watch() -> None:
        answered = time.monotonic()
        while not ended.wait(0.05):
            try:
                is_well = httpx.get(f"{served.url}/healthz", timeout=2).status_code == 200
            except httpx.TransportError:
                is_well = False
            if is_well:
                away.append(time.monotonic() - answered)
                answered = time.monotonic()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield away
    finally:
        ended.set()
        thread.join()


def test_a_frozen_backend_of_a_killed_postgres_holds_up_no_new_one(served: Served) -> None:
    client = Client(served.url, served.token())
    with database(served) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        frozen = psutil.Process(int(str(row[0])))
        frozen.suspend()
        kill([process for process in named(served, "postgres") if process.pid != frozen.pid])
        for _ in range(300):
            if not frozen.is_running() and served._is_ready():
                break
            time.sleep(0.1)
        assert not frozen.is_running() and served._is_ready()
    assert client.get("/projects") == []
    assert served.stop() == 0
    assert not served.processes() and not postgres_of(served)


def test_stopping_leaves_no_backend_that_is_frozen(served: Served) -> None:
    with database(served) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        psutil.Process(int(str(row[0]))).suspend()
        assert served.stop(60) == 0
        assert not served.processes() and not postgres_of(served)


def test_every_process_is_killed_at_once_the_database_too(served: Served) -> None:
    _, job_id = transcribing(served)
    kill([psutil.Process(served.process.pid), *served.processes(), *postgres_of(served)])
    served.process.wait(10)
    served.start()
    finished(served, job_id)


def test_only_serve_itself_is_killed_and_what_it_started_ends(served: Served) -> None:
    """What is frozen does not hear that it should; the next one ends that."""
    _, job_id = transcribing(served)
    frozen = named(served, "worker")
    for process in frozen:
        process.suspend()
    with_frozen = [child for process in frozen for child in process.children(recursive=True)]
    left = served.processes()
    kill([psutil.Process(served.process.pid)])
    served.process.wait(10)
    others = [process for process in left if process not in [*frozen, *with_frozen]]
    assert others and not psutil.wait_procs(others, timeout=15)[1]
    served.start()
    assert "an earlier run left behind" in served.log()
    assert not [process for process in left if process.is_running()]
    finished(served, job_id)
    assert not list((served.home / "tmp" / "speech").glob("stepwright-[!c]*"))


def test_a_terminal_that_is_closed_stops_everything(served: Served) -> None:
    served.process.send_signal(signal.SIGHUP)
    assert served.process.wait(30) == 0
    assert not served.processes() and not postgres_of(served)


def test_the_queue_is_wiped_before_and_while_a_job_runs(served: Served) -> None:
    client = Client(served.url, served.token())
    jobs = []
    for _ in range(3):  # more than the pipeline performs at once, so that some wait
        job = client.upload(client.new_job("Wiped", language="en")["id"], SAMPLE)
        client.post(f"/jobs/{job['id']}/run")
        jobs.append(job["id"])
    with database(served) as connection:
        connection.execute("TRUNCATE dramatiq.queue")
    for job_id in jobs:
        client.wait(f"/jobs/{job_id}", {"DRAFT_READY"}, seconds=150)


def test_a_worker_that_was_asleep_past_its_lease_can_no_longer_finish(served: Served) -> None:
    client, job_id = transcribing(served)
    asleep = named(served, "speech")
    for process in asleep:
        process.suspend()
    try:
        with database(served) as connection:
            for _ in range(60):
                time.sleep(1)
                # The other worker's sweep takes the row back; nobody is there to claim it while all are asleep.
                found = connection.execute("SELECT status, retries, losses FROM jobs_pipelinerun").fetchall()
                if found == [("PENDING", 0, 1)]:
                    break
            assert found == [("PENDING", 0, 1)]
    finally:
        for process in asleep:
            process.resume()
    finished(served, job_id)
    assert client.get(f"/jobs/{job_id}")["status"] == "DRAFT_READY"


def test_serve_started_twice_says_so_and_stopping_leaves_no_process(served: Served) -> None:
    import subprocess
    import sys

    again = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=Path(__file__).resolve().parents[2],
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode != 0 and "already running" in again.stderr
    assert Client(served.url, served.token()).get("/projects") == []
    assert served.stop() == 0
    assert not served.processes() and not postgres_of(served)
