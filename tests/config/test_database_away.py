"""The database goes away and comes back: 503 in the one shape meanwhile, and no restart after."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.db import connection
from django.test import Client

from jobs.states import JobStatus
from tests.callbacks import send
from tests.errors import assert_shape
from tests.factories import Api, make_job, make_user
from tests.pool import pooled

pytestmark = pytest.mark.django_db(transaction=True)


class Wire:
    """A TCP port before the real database, which can be cut and joined again."""

    def __init__(self, host: str, port: str) -> None:
        self.target = (
            (f"{host}/.s.PGSQL.{port or 5432}") if host.startswith("/") else (host, int(port or 5432))
        )
        self.pairs: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def join(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.pairs:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other thread was first
        self.pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if isinstance(self.target, str):
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.target)
            else:
                far = socket.create_connection(self.target)
            self.pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # cut


@pytest.fixture(params=["a connection a thread", "a pool"])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    known = connection.settings_dict
    before = {name: known[name] for name in ("HOST", "PORT")} | {"OPTIONS": known["OPTIONS"]}
    host = before["HOST"] or before["OPTIONS"].get("host", "") or "/var/run/postgresql"
    wire = Wire(host, str(before["PORT"]))
    connection.close()
    known |= {"HOST": "127.0.0.1", "PORT": str(wire.port)}
    wire.join()
    with pooled(timeout=1.0) if request.param == "a pool" else nullcontext():
        yield wire
    connection.close()
    known.update(before)


def test_every_call_is_503_while_the_database_is_away_and_works_afterwards(wire: Wire) -> None:
    api = Api(make_user())
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=api.user)
    assert api.get("/projects").status_code == 200
    wire.cut()
    for _ in range(2):
        for answer in (
            api.get("/projects"),
            api.post("/projects", {"name": "a"}),
            api.get(f"/jobs/{job.pk}"),
            send(job, "AUDIO_READY"),
        ):
            assert_shape(answer, 503, "SERVICE_UNAVAILABLE")
            assert int(answer.headers["Retry-After"]) > 0
    assert Client().get("/healthz").status_code == 200
    ready = Client().get("/readyz")
    assert ready.status_code == 503 and ready.json()["parts"]["database"].startswith("down")
    wire.join()
    connection.close_if_unusable_or_obsolete()
    assert api.get("/projects").status_code == 200
    assert send(job, "AUDIO_READY").status_code == 204
