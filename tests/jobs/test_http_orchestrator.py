"""The call to an HTTP orchestrator: what is sent, how it is signed, and how long it may take."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from config.storage import storage
from jobs.models import Dispatch, Job
from jobs.orchestrators.http import signing_key
from tests.factories import Api
from tests.orchestrator import Asked, Orchestrator
from tests.proxies import through_a_proxy

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_orchestrator_is_sent_what_the_contract_says(
    owner: Api, job: Job, orchestrator: Orchestrator, settings: Any
) -> None:
    settings.ORCHESTRATOR_SECRET = "the secret that signs"
    answer = owner.post(f"/jobs/{job.pk}/run", x_request_id="request-1")
    assert answer.status_code == 202, answer.content
    (asked,) = orchestrator.dispatches
    dispatch_id = answer.json()["dispatch_id"]
    video_url = asked.body["video_url"]
    assert {name: value for name, value in asked.body.items() if name != "video_url"} == {
        "dispatch_id": dispatch_id,
        "correlation_id": "request-1",
        "job_id": str(job.pk),
        "project_id": str(job.project_id),
        "video_uri": job.manifest["video_uri"],
        "callback_url": f"{settings.PUBLIC_URL}/api/v1/internal/jobs/{job.pk}/status?dispatch_id={dispatch_id}",
        "options": job.options,
    }
    assert asked.headers["idempotency-key"] == dispatch_id
    assert asked.headers["content-type"] == "application/json"
    assert "authorization" not in asked.headers and "cookie" not in asked.headers
    signed = f"{dispatch_id}.{asked.headers['webhook-timestamp']}.".encode() + asked.raw
    digest = hmac.digest(b"the secret that signs", signed, hashlib.sha256)
    assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    video = Client().get(video_url.removeprefix(settings.PUBLIC_URL))
    stored = storage().open(job.artifacts.get(kind="video").uri).read()
    assert b"".join(video.streaming_content) == stored  # type: ignore[attr-defined]


def test_proxies_of_the_environment_are_not_used(
    owner: Api, job: Job, orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    through_a_proxy("http://127.0.0.1:9", monkeypatch)
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert len(orchestrator.dispatches) == 1


def test_no_transaction_is_open_while_the_orchestrator_is_called(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    seen: list[int] = []

    def look(_: Asked) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%%'"
            )
            seen.append(cursor.fetchone()[0])
            cursor.execute("SELECT status FROM jobs_dispatch WHERE job_id = %s FOR UPDATE NOWAIT", [job.pk])
            seen.append(cursor.fetchone()[0])
        connection.close()
        return 200

    orchestrator.answers = [look]
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    assert seen == [0, "SENDING"]  # the row was there first, and nobody held it


def test_an_orchestrator_that_is_not_there_is_502(owner: Api, job: Job, settings: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.ORCHESTRATOR, settings.ORCHESTRATOR_URL = (
            "http",
            f"http://127.0.0.1:{closed.getsockname()[1]}",
        )
        assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    assert not Dispatch.objects.get(job=job).is_open


def test_a_name_that_takes_long_to_look_up_ends_with_the_whole_time(
    owner: Api, job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        answered.wait(20)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    settings.ORCHESTRATOR, settings.ORCHESTRATOR_SECONDS = "http", 0.5
    settings.ORCHESTRATOR_URL = "http://orchestrator.example.com"
    answers = list[int]()
    thread = threading.Thread(target=lambda: answers.append(owner.post(f"/jobs/{job.pk}/run").status_code))
    thread.start()
    thread.join(10)
    answered.set()
    assert answers == [502]


def test_an_answer_that_drips_is_not_waited_for_beyond_the_whole_time(
    owner: Api, job: Job, settings: Any
) -> None:
    """Each byte comes in time, the whole answer never: only a limit over all of it ends the call."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings.ORCHESTRATOR, settings.ORCHESTRATOR_SECONDS = "http", 0.6
    settings.ORCHESTRATOR_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gone = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(40):
                connection.sendall(b"X-Drip: 1\r\n")
                if gone.wait(0.1):
                    return
            connection.sendall(b"Content-Length: 0\r\n\r\n")
        except OSError:
            return  # the caller hung up, as it should

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 502
    assert Dispatch.objects.get(job=job).is_open, "nobody knows whether it was taken"
    gone.set()
    thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    ("secret", "key"), [("plain characters", b"plain characters"), ("whsec_AQIDBA==", b"\x01\x02\x03\x04")]
)
def test_the_key_that_signs(secret: str, key: bytes) -> None:
    assert signing_key(secret) == key
