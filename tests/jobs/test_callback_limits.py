"""How much one callback may bring, and what it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.states import JobStatus
from tests.callbacks import post, send
from tests.factories import make_job


def test_updates_have_at_most_100_keys(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    many = {f"key_{number}": number for number in range(101)}
    refused = send(job, "AUDIO_READY", artifact_updates=many)
    (error,) = refused.json()["details"]["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "artifact_updates", "too_many")
    assert not job.artifacts.filter(kind__startswith="other:").exists()
    del many["key_0"]
    assert send(job, "AUDIO_READY", artifact_updates=many).status_code == 204
    assert job.artifacts.filter(kind__startswith="other:").count() == 100


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9007199254740993"])
def test_a_number_that_is_not_exact_is_400(db: None, number: str) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    body = {
        "event_id": "e",
        "status": "AUDIO_READY",
        "occurred_at": "2026-01-01T00:00:00Z",
        "correlation_id": "c",
    }
    raw = json.dumps({**body, "artifact_updates": {"metrics": 0}}).replace("0}}", f"{number}}}}}")
    refused = post(job.pk, raw)
    (error,) = refused.json()["details"]["errors"]
    assert (refused.status_code, error["code"]) == (400, "number_range")


def test_a_transcript_is_stored_in_a_statement_or_two(db: None, django_assert_max_num_queries: Any) -> None:
    """100,000 segments took six seconds, in a hundred statements with the job locked."""
    job = make_job(JobStatus.TRANSCRIBING)
    said = [{"start_ms": at // 2, "end_ms": at, "text": f'{at}, "\\ {{}}é'} for at in range(5000)]
    with django_assert_max_num_queries(30):
        assert (
            send(job, "TRANSCRIPT_READY", artifact_updates={"transcript": {"segments": said}}).status_code
            == 204
        )
    rows = job.segments.order_by("start_ms", "position").values("start_ms", "end_ms", "text")
    assert list(rows) == said
