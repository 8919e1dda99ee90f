"""The database goes away and comes back: 503 in the one shape meanwhile, and no restart after."""

from __future__ import annotations

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
from tests.wire import Wire

pytestmark = pytest.mark.django_db(transaction=True)


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
