"""The same messages over every kind of broker: a real one, reached over a real connection."""

from __future__ import annotations

import os
import socket
import time
from urllib.parse import urlparse

import pytest

from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api
from tests.workers import running_worker

pytestmark = pytest.mark.slow

SERVICES = {
    "postgresql": "",
    "redis": os.environ.get("STEPWRIGHT_TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "rabbitmq": os.environ.get("STEPWRIGHT_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672"),
}


def require(url: str) -> None:
    """Skip when nothing listens there; with STEPWRIGHT_REQUIRE_SERVICES=1 fail instead."""
    if not url:
        return
    place = urlparse(url)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 0), timeout=2).close()
    except OSError:
        if os.environ.get("STEPWRIGHT_REQUIRE_SERVICES") == "1":
            pytest.fail(f"nothing answers at {place.hostname}:{place.port}")
        pytest.skip(f"nothing answers at {place.hostname}:{place.port}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", SERVICES)
def test_a_run_reaches_a_worker_and_is_performed(owner: Api, job: Job, quick_stages: None, kind: str) -> None:
    require(SERVICES[kind])
    with running_worker(SERVICES[kind]):
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
        for _ in range(100):
            if Job.objects.get(pk=job.pk).status == JobStatus.DRAFT_READY:
                break
            time.sleep(0.1)
        assert Job.objects.get(pk=job.pk).status == JobStatus.DRAFT_READY
