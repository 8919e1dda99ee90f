"""Twenty minutes of load while every kind of process is killed; afterwards nothing is lost, doubled or stuck.

STEPWRIGHT_SOAK_MINUTES says how long; 20 when it is not set.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tests.factories import SAMPLE
from tests.served import Served, free_port
from tests.soak.load import Guide, Patient, make_guide
from tests.soak.processes import database, kill, postgres_of, serving

MINUTES = float(os.environ.get("STEPWRIGHT_SOAK_MINUTES", "20"))
EDITORS = ("ada", "ben", "cleo")
SECONDS_BETWEEN_KILLS = (8.0, 20.0)
AWAY_SECONDS = 2.0
WEB_RETURNS_SECONDS = 30.0
OPEN = "'PENDING', 'RUNNING', 'REQUESTED', 'SENDING', 'UNANSWERED', 'ACCEPTED'"

pytestmark = [pytest.mark.soak, pytest.mark.timeout(int(MINUTES * 60) + 1200)]


class Redis:
    """A Redis of our own, to be killed and started again; nothing of it is kept on the disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            "/tmp",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Health:
    """When `/healthz` was away, and when a web process was killed (seconds of the monotonic clock)."""

    away: list[tuple[float, float]] = field(default_factory=list)
    web_killed: list[float] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def watch(self, url: str) -> None:
        well_at = time.monotonic()
        with httpx.Client(timeout=AWAY_SECONDS) as client:
            while not self.closed.wait(0.2):
                try:
                    is_well = client.get(f"{url}/healthz").status_code == 200
                except httpx.TransportError:
                    is_well = False
                now = time.monotonic()
                if is_well and now - well_at > AWAY_SECONDS:
                    self.away.append((well_at, now))
                if is_well:
                    well_at = now
            if time.monotonic() - well_at > AWAY_SECONDS:
                self.away.append((well_at, time.monotonic()))

    def unexplained(self) -> list[tuple[float, float]]:
        return [
            (begin, end)
            for begin, end in self.away
            if not any(begin - 3 <= at <= end for at in self.web_killed) or end - begin > WEB_RETURNS_SECONDS
        ]


@contextmanager
def broker() -> Iterator[Redis | None]:
    if shutil.which("redis-server") is None:
        yield None
        return
    redis = Redis()
    try:
        yield redis
    finally:
        redis.kill()


def victims(served: Served, redis: Redis | None) -> dict[str, list[psutil.Process]]:
    """The living processes of each kind; only one of them is killed at a time."""
    postgres = postgres_of(served)
    kinds = {
        "web": served.processes("granian"),
        "worker": served.processes("manage.py work"),
        "child": served.processes("config.sandbox.child"),
        "postmaster": postgres[:1],
        "backend": postgres[1:],
        "broker": [psutil.Process(redis.process.pid)] if redis else [],
    }
    return {kind: found for kind, found in kinds.items() if found}


def kill_at_random(
    served: Served, redis: Redis | None, health: Health, closed: threading.Event, killed: dict[str, int]
) -> None:
    chosen = random.Random(20)
    while not closed.wait(chosen.uniform(*SECONDS_BETWEEN_KILLS)):
        found = victims(served, redis)
        kind = chosen.choice(sorted(found))
        killed[kind] = killed.get(kind, 0) + 1
        if kind == "web":
            health.web_killed.append(time.monotonic())
        kill([chosen.choice(found[kind])])
        if kind == "broker" and redis:
            redis.process.wait()
            time.sleep(1)
            redis.start()


def edit(
    url: str, token: str, first: int, guides: list[Guide], errors: list[str], closed: threading.Event
) -> None:
    client = Patient(url, token, closed)
    number = first
    while not closed.is_set():
        guide = Guide()
        guides.append(guide)
        try:
            make_guide(client, SAMPLE, number, guide)
        except Exception as error:
            errors.append(f"guide {number} of job {guide.job_id}: {error!r}")
        number += 100


def test_nothing_is_lost_doubled_or_stuck_while_everything_is_killed() -> None:
    guides: list[Guide] = []
    errors: list[str] = []
    killed: dict[str, int] = {}
    closed, health = threading.Event(), Health()
    with broker() as redis, serving(STEPWRIGHT_BROKER_URL=redis.url if redis else "") as served:
        tokens = [served.token(editor) for editor in EDITORS]
        watcher = threading.Thread(target=health.watch, args=(served.url,))
        threads = [
            threading.Thread(target=edit, args=(served.url, token, index, guides, errors, closed))
            for index, token in enumerate(tokens)
        ]
        threads.append(threading.Thread(target=kill_at_random, args=(served, redis, health, closed, killed)))
        for thread in (watcher, *threads):
            thread.start()
        time.sleep(MINUTES * 60)
        closed.set()
        for thread in threads:
            thread.join()
        health.closed.set()
        watcher.join()
        print(f"killed {killed}; {len(guides)} guides; /healthz away {health.away}")
        assert served.process.poll() is None, served.log()[-3000:]
        assert not errors, errors
        assert not health.unexplained()
        settle(served)
        with database(served) as connection:
            check_rows(connection, guides)
            check_files(connection, served.home / "files")
    assert sum(guide.is_done for guide in guides) >= MINUTES / 2, "the load itself came through"


def settle(served: Served) -> None:
    """Wait until no work is open any more; fail after three minutes."""
    deadline = time.monotonic() + 180
    while True:
        with database(served) as connection:
            open_rows = {
                table: connection.execute(f"SELECT count(*) FROM {table} WHERE status IN ({OPEN})").fetchone()
                for table in ("jobs_dispatch", "jobs_pipelinerun", "anchors_screenshottask", "exports_export")
            }
        if not any(row and row[0] for row in open_rows.values()):
            return
        assert time.monotonic() < deadline, f"still open after the load: {open_rows}"
        time.sleep(1)


def check_rows(connection: psycopg.Connection[tuple[object, ...]], guides: list[Guide]) -> None:
    def counted(query: str) -> dict[str, int]:
        return {str(key): int(str(count)) for key, count in connection.execute(query).fetchall()}

    statuses = dict(connection.execute("SELECT id::text, status FROM jobs_job").fetchall())
    versions = counted(
        "SELECT i.job_id, count(v) FROM instructions_instruction i "
        "JOIN instructions_instructionversion v ON v.instruction_id = i.id GROUP BY 1"
    )
    for guide in guides:
        assert statuses[guide.job_id] == ("CANCELLED" if guide.is_cancelled else "DONE")
        if guide.is_done:
            assert versions[guide.job_id] == guide.versions == 4, "a draft and three saves"
    doubled = connection.execute(
        "SELECT job_id, new_status, count(*) FROM jobs_auditevent "
        "WHERE new_status IN ('UPLOADED', 'AUDIO_READY', 'TRANSCRIPT_READY', 'DRAFT_READY', 'DONE', 'CANCELLED') "
        "AND new_status IS DISTINCT FROM prev_status GROUP BY 1, 2 HAVING count(*) > 1"
    ).fetchall()
    assert not doubled, f"a status was reached twice: {doubled}"
    assert not connection.execute(
        "SELECT id FROM jobs_dispatch WHERE status IN ('PENDING', 'SENDING', 'UNANSWERED', 'ACCEPTED')"
    ).fetchall()
    runs = counted("SELECT job_id, count(*) FROM jobs_dispatch GROUP BY 1")
    assert set(runs.values()) == {1}, "a run was dispatched once"
    for query in (
        "SELECT anchor_id, version FROM anchors_asset WHERE anchor_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
        "SELECT extraction_key FROM anchors_asset WHERE kind = 'EXTRACTED' GROUP BY 1 HAVING count(*) > 1",
        "SELECT job_id, identity_key FROM exports_export GROUP BY 1, 2 HAVING count(*) > 1",
        "SELECT job_id, event_id FROM jobs_callbackevent GROUP BY 1, 2 HAVING count(*) > 1",
    ):
        assert not connection.execute(query).fetchall(), query


def check_files(connection: psycopg.Connection[tuple[object, ...]], files: Path) -> None:
    """Every file that a row names is there with the bytes that the row tells."""
    named = connection.execute(
        "SELECT uri, sha256 FROM jobs_artifact WHERE uri LIKE 'local://%' AND sha256 <> '' "
        "UNION SELECT uri, checksum_sha256 FROM anchors_asset "
        "UNION SELECT artifact_uri, artifact_sha256 FROM exports_export WHERE status = 'SUCCEEDED'"
    ).fetchall()
    assert named
    for uri, sha256 in named:
        content = (files / str(uri).removeprefix("local://")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256, uri
