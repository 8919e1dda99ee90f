"""Fixtures of the tests that use the database: signed-in clients for the roles, and the real broker."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import dramatiq
import pytest

from config.work.registry import load_kinds
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import SECRET
from tests.desk import Desk
from tests.factories import Api, make_job, make_user
from tests.jobs.killer import Killer, killing
from tests.orchestrator import Orchestrator, running_orchestrator
from tests.s3 import in_bucket

load_kinds()  # tests are workers too


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: Any) -> Iterator[None]:
    """Point the broker at the test's database, which had no name yet when Django started."""
    from django.conf import settings
    from django.db import connection
    from django.test import TransactionTestCase

    from config.work.broker import make_broker
    from tests.database import empty_tables
    from tests.workers import use_broker

    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"]
    use_broker(make_broker(settings.BROKER_URL))
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]
    yield
    dramatiq.get_broker().close()  # its connections would keep the database from being dropped


@pytest.fixture
def owner(db: None) -> Api:
    return Api(make_user("owner"))


@pytest.fixture
def api(settings: Any) -> Api:
    """An owner who is not throttled, for tests whose module says by its mark how they use the database."""
    settings.THROTTLE_RATE = None
    return Api(make_user("owner"))


@pytest.fixture
def killer(api: Api, settings: Any) -> Iterator[Killer]:
    """Kills processes that work on the test's database and files; no orchestrator answers them."""
    with killing("http://127.0.0.1:9", settings.STEPWRIGHT_STORAGE_URL) as running:
        yield running


@pytest.fixture
def stranger(db: None) -> Api:
    return Api(make_user("stranger"))


@pytest.fixture
def job(owner: Api) -> Job:
    """The owner's, UPLOADED."""
    return make_job(JobStatus.UPLOADED, owner=owner.user)


@pytest.fixture
def desk(owner: Api) -> Desk:
    """A job of the owner's with the sample as its video, and its document."""
    return Desk(owner)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_storages` on both, but tests that look into the folder; with the bucket in `make soak`
    alone for `both_storages(bucket="soak")`."""
    mark = metafunc.definition.get_closest_marker("both_storages")
    looks_inside = "storage_folder" in inspect.signature(metafunc.function).parameters
    if mark and not metafunc.definition.get_closest_marker("file_system") and not looks_inside:
        is_long = mark.kwargs.get("bucket") == "soak"
        bucket = pytest.param("s3", marks=[pytest.mark.soak] if is_long else [])
        metafunc.parametrize("storage_kind", ["file", bucket], indirect=True)


@pytest.fixture
def storage_kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "file"))


@pytest.fixture(autouse=True)
def storage_folder(tmp_path: Any, settings: Any, storage_kind: str) -> Any:
    """Files of each test in a folder of its own, or in a bucket."""
    from config.storage import storage

    settings.STEPWRIGHT_STORAGE_URL = f"file:{tmp_path / 'files'}"
    storage.cache_clear()
    with in_bucket(settings) if storage_kind == "s3" else nullcontext():
        yield tmp_path / "files"
    storage.cache_clear()


@pytest.fixture(autouse=True)
def callback_secret(settings: Any) -> None:
    settings.CALLBACK_SECRETS = [SECRET]


@pytest.fixture(autouse=True)
def usual_scheduling() -> None:
    """Undo what the encoder of AV1 does to the thread that opens it, when that is root's: it runs in real time from
    then on (SCHED_FIFO), with all that it starts, and two busy children leave no processor to anybody else."""
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(autouse=True)
def no_strangers_before() -> None:
    """Requests without a token are counted by address, and all tests of a process have one."""
    from config.accounts.strangers import STRANGERS

    STRANGERS.counts.clear()
    STRANGERS.known.clear()


@pytest.fixture
def orchestrator(settings: Any) -> Iterator[Orchestrator]:
    """Jobs are handed to a real HTTP server, which has 2 s to answer."""
    with running_orchestrator() as running:
        settings.ORCHESTRATOR, settings.ORCHESTRATOR_URL = "http", running.url
        settings.ORCHESTRATOR_SECONDS = 2.0
        yield running
