"""The real service and an HTTP orchestrator: everything is killed while a job is handed over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest
from uuid6 import uuid7

from tests.client import ApiFailed, Client
from tests.factories import DRAFT, SAMPLE, TRANSCRIPT
from tests.orchestrator import Orchestrator, running_orchestrator
from tests.served import Served
from tests.soak.processes import kill, postgres_of, serving

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]
SECRET = "the secret of this test's callbacks, long enough"
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AUDIO_READY", {"audio_uri": "gs://acme/sound.flac"}),
    ("TRANSCRIBING", {}),
    ("TRANSCRIPT_READY", {"transcript": TRANSCRIPT}),
    ("GENERATING", {}),
    ("DRAFT_READY", {"draft": DRAFT}),
)


@pytest.fixture
def orchestrator() -> Iterator[Orchestrator]:
    with running_orchestrator() as running:
        yield running


@pytest.fixture
def served(orchestrator: Orchestrator) -> Iterator[Served]:
    with serving(
        STEPWRIGHT_ORCHESTRATOR="http",
        STEPWRIGHT_ORCHESTRATOR_URL=orchestrator.url,
        STEPWRIGHT_CALLBACK_SECRET=SECRET,
    ) as running:
        yield running


def report(callback_url: str, status: str, updates: dict[str, Any]) -> int:
    body = {
        "event_id": str(uuid7()),
        "status": status,
        "occurred_at": datetime.now(UTC).isoformat(),
        "correlation_id": "soak",
        "artifact_updates": updates,
    }
    return httpx.post(callback_url, json=body, headers={"X-Callback-Secret": SECRET}).status_code


def test_everything_is_killed_while_a_job_is_handed_over(served: Served, orchestrator: Orchestrator) -> None:
    client = Client(served.url, served.token())
    job = client.upload(client.new_job("Handed over")["id"], SAMPLE)
    orchestrator.answers = [20.0]  # it has begun, and its answer will come too late

    def run() -> None:
        with pytest.raises((httpx.TransportError, ApiFailed)):
            client.post(f"/jobs/{job['id']}/run")

    caller = threading.Thread(target=run)
    caller.start()
    for _ in range(200):
        if orchestrator.dispatches:
            break
        caller.join(0.05)
    assert orchestrator.dispatches
    kill([psutil.Process(served.process.pid), *served.processes(), *postgres_of(served)])
    served.process.wait(10)
    caller.join(30)
    served.start()
    client = Client(served.url, served.token())
    client.wait(f"/jobs/{job['id']}", {"AUDIO_EXTRACTING"}, seconds=90)  # nobody has called again
    assert len(orchestrator.dispatches) == 2 and len(orchestrator.executions) == 1
    asked = orchestrator.dispatches[-1].body
    video = httpx.get(asked["video_url"])
    assert video.content == SAMPLE.read_bytes(), "the orchestrator can read the recording"
    for status, updates in STEPS:
        assert report(asked["callback_url"], status, updates) == 204
    done = client.get(f"/jobs/{job['id']}")
    assert done["status"] == "DRAFT_READY" and done["instruction_id"]
    changes = [event.get("new_status") for event in client.get(f"/jobs/{job['id']}/events")]
    assert changes.count("AUDIO_EXTRACTING") == 1


def test_the_orchestrator_hears_of_a_cancel(served: Served, orchestrator: Orchestrator) -> None:
    client = Client(served.url, served.token())
    job = client.upload(client.new_job("Cancelled")["id"], SAMPLE)
    dispatch_id = client.post(f"/jobs/{job['id']}/run")["dispatch_id"]
    client.post(f"/jobs/{job['id']}/cancel")
    wait = threading.Event()
    for _ in range(100):
        if orchestrator.cancellations:
            break
        wait.wait(0.1)
    assert [told.body["dispatch_id"] for told in orchestrator.cancellations] == [dispatch_id]
