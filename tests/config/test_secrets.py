"""A walk through everything that carries secrets or a customer's words, and then through what was logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError
from django.test import Client

from config import logs
from jobs import hooks
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import Api, make_job, make_token, make_user, upload
from tests.orchestrator import Orchestrator

SECRETS = {
    "callback secret": "canary-callback-secret-of-good-length",
    "orchestrator secret": "canary-orchestrator-secret-of-good-length",
    "wrong secret": "canary-secret-that-somebody-tried",
}
WORDS = "canary words that a customer spoke"
PROMPT = "canary words of a draft"
TRANSCRIPT = {"segments": [{"start_ms": 0, "end_ms": 900, "text": WORDS}]}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def logged(settings: Any) -> Iterator[list[str]]:
    """Every line that any logger writes, in the form an operator sees, tracebacks and all."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keep(logging.DEBUG)
    handler.setFormatter(logs.LineFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def walk(
    api: Api, orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Any], list[str]]:
    """The road of a job with everything that can go wrong on it; answers all answers and all secrets."""
    answers: list[Any] = []
    token = api.headers["authorization"].split()[1]

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answers.append(api.call(method, path, body, **headers))
        return answers[-1]

    def report(job: Any, status: str, **fields: Any) -> Any:
        answers.append(send(job, status, **{"secret": SECRETS["callback secret"], **fields}))
        return answers[-1]

    for bad in (
        make_token("owner", secret="canary-of-another-key-that-is-long-enough"),
        make_token("owner", exp=datetime.now(UTC) - timedelta(hours=1)),
        "swt_" + "c" * 43,
        "canary-token",
    ):
        answers.append(Client().get("/api/v1/projects", headers={"authorization": f"Bearer {bad}"}))
        assert answers[-1].status_code == 401
    made = make_job(JobStatus.CREATED, owner=api.user)
    ticket = upload(api, made.pk, b"not a video at all")
    assert call("POST", f"/jobs/{made.pk}/confirm-upload", {"video_uri": ticket}).status_code == 400
    job = make_job(JobStatus.UPLOADED, owner=api.user)
    orchestrator.answers = [500, None]
    assert [call("POST", f"/jobs/{job.pk}/run").status_code for _ in range(3)] == [502, 502, 202]
    assert report(job, "AUDIO_READY", secret=SECRETS["wrong secret"]).status_code == 401
    assert report(job, "AUDIO_READY").status_code == 204
    assert report(job, "TRANSCRIBING").status_code == 204
    broken = [
        {"transcript": {"segments": [{"start_ms": 9, "end_ms": 1, "text": WORDS}]}},
        {"transcript": {"segments": WORDS}},
        {"transcript_uri": f"local://jobs/{job.pk}/{WORDS}"},
        {"draft": {"markdown": 1, "title": PROMPT}},
        {"draft": {"markdown": PROMPT, "title": [PROMPT]}},
    ]
    for updates in broken:
        assert report(job, "TRANSCRIPT_READY", artifact_updates=updates).status_code == 400
    with monkeypatch.context() as patched:

        def crash(*_: Any) -> None:
            raise DataError(f"DETAIL: Failing row contains ({WORDS}).")

        patched.setitem(hooks.INGEST, "transcript", lambda content, spoken: crash)
        assert report(job, "TRANSCRIPT_READY", artifact_updates={"transcript": TRANSCRIPT}).status_code == 500
    assert report(job, "TRANSCRIPT_READY", artifact_updates={"transcript": TRANSCRIPT}).status_code == 204
    assert report(job, "GENERATING").status_code == 204
    assert (
        report(job, "GENERATING", event_id="e", artifact_updates={"metrics": {"a": PROMPT}}).status_code
        == 204
    )
    assert report(job, "GENERATING", event_id="e", artifact_updates={"metrics": {}}).status_code == 409
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": "GENERATING"}
    assert report(job, "FAILED", **failure).status_code == 204
    retry = {"model_profile": "extractive", "client_request_id": "r"}
    assert call("POST", f"/jobs/{job.pk}/retry", retry).status_code == 202
    assert report(job, "GENERATING").status_code == 204
    assert (
        report(job, "DRAFT_READY", artifact_updates={"draft": {"markdown": f"# {PROMPT}"}}).status_code == 204
    )
    for path in ("", "/events"):
        assert call("GET", f"/jobs/{job.pk}{path}").status_code == 200
    assert call("POST", f"/jobs/{job.pk}/cancel").status_code == 200
    assert call("GET", "/jobs").status_code == 200
    assert call("DELETE", f"/jobs/{job.pk}").status_code == 202
    urls = [asked.body["video_url"].rsplit("/", 1)[1] for asked in orchestrator.dispatches]
    return answers, [token, *urls, *SECRETS.values()]


def test_no_secret_and_no_customers_words_are_logged_or_answered(
    logged: list[str], orchestrator: Orchestrator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CALLBACK_SECRETS = [SECRETS["callback secret"]]
    settings.ORCHESTRATOR_SECRET = SECRETS["orchestrator secret"]
    api = Api(make_user("owner"))
    answers, secrets = walk(api, orchestrator, monkeypatch)
    assert any("payload_sha256=" in line for line in logged), "the hash of a payload is logged"
    assert any("INTERNAL_ERROR" in line for line in logged)
    for text in [*logged, *(answer.content.decode() for answer in answers)]:
        for secret in (*secrets, WORDS, PROMPT, "canary"):
            assert secret not in text, text[:2000]
