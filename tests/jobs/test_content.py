"""Transcripts and drafts that an orchestrator sends: inline, by URI, or both; and when they count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.storage import kept_folder, storage
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.contract import ROAD
from tests.factories import DRAFT, TRANSCRIPT, Api, make_job


def test_content_that_comes_early_counts_at_its_own_status(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    early = {"transcript": TRANSCRIPT, "draft": DRAFT}
    assert send(job, "AUDIO_READY", artifact_updates=early).status_code == 204
    now = Job.objects.get(pk=job.pk)
    assert {"transcript_uri", "draft_uri"} <= set(now.manifest)
    assert (now.instruction_id, now.segments.count()) == (None, 0)
    for status in ("TRANSCRIBING", "TRANSCRIPT_READY"):
        assert send(job, status).status_code == 204
    assert job.segments.count() == len(TRANSCRIPT["segments"])
    for status in ("GENERATING", "DRAFT_READY"):
        assert send(job, status).status_code == 204
    assert Job.objects.get(pk=job.pk).instruction.versions.count() == 1


def test_content_that_lies_elsewhere_is_kept_as_an_address_and_not_read(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIBING, owner=owner.user)
    elsewhere = {"transcript_uri": "gs://acme/transcript.json"}
    assert send(job, "TRANSCRIPT_READY", artifact_updates=elsewhere).status_code == 204
    assert Job.objects.get(pk=job.pk).manifest["transcript_uri"] == "gs://acme/transcript.json"
    answer = owner.get(f"/jobs/{job.pk}/transcript")
    assert (answer.status_code, answer.json()["code"]) == (409, "TRANSCRIPT_NOT_READY")
    assert send(job, "GENERATING").status_code == 204
    draft = {"draft_uri": "gs://acme/draft.json"}
    assert send(job, "DRAFT_READY", artifact_updates=draft).status_code == 400
    assert send(job, "GENERATING", artifact_updates={"draft": DRAFT}).status_code == 204
    assert send(job, "DRAFT_READY", artifact_updates=draft).status_code == 204, (
        "one that can be read came before"
    )
    assert Job.objects.get(pk=job.pk).instruction.versions.count() == 1


@pytest.mark.parametrize("where", ["gs://acme/transcript.json", "own"])
@pytest.mark.parametrize("sent_with", ["TRANSCRIBING", "TRANSCRIPT_READY"])
def test_of_a_content_with_its_uri_the_content_counts(owner: Api, where: str, sent_with: str) -> None:
    """Whether it came early or not, and whether or not we could read what lies at the URI."""
    job = make_job(JobStatus.TRANSCRIBING, owner=owner.user)
    stored = storage().save_bytes(kept_folder(job.pk), json.dumps(TRANSCRIPT).encode(), suffix=".json")
    uri = stored.uri if where == "own" else where
    sent = {"segments": [{"start_ms": 5, "end_ms": 9, "text": "What counts."}]}
    both = {"transcript": sent, "transcript_uri": uri}
    assert send(job, sent_with, artifact_updates=both).status_code == 204
    for status in ROAD[ROAD.index(sent_with) + 1 :]:
        needed = {"draft": DRAFT} if status == "DRAFT_READY" else {}
        assert send(job, status, artifact_updates=needed).status_code == 204, status
    assert Job.objects.get(pk=job.pk).manifest["transcript_uri"] == uri
    assert owner.get(f"/jobs/{job.pk}/transcript").json()["items"] == sent["segments"]
    assert job.artifacts.filter(kind="transcript").count() == 1


def test_a_draft_with_its_uri_counts_again_when_it_changes(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user)
    for title in ("One", "Two", "Two"):
        both = {"draft": {"markdown": f"# {title}"}, "draft_uri": "gs://acme/draft.json"}
        assert send(job, "GENERATING", artifact_updates=both).status_code == 204
    assert send(job, "DRAFT_READY").status_code == 204
    now = Job.objects.get(pk=job.pk)
    assert now.manifest["draft_uri"] == "gs://acme/draft.json"
    assert "# Two" in now.instruction.versions.get().markdown


def test_the_uri_beside_a_content_is_one_of_this_job_if_it_is_ours(db: None) -> None:
    other = make_job(JobStatus.TRANSCRIPT_READY)
    both = {"transcript": TRANSCRIPT, "transcript_uri": other.manifest["transcript_uri"]}
    answer = send(make_job(JobStatus.TRANSCRIBING), "TRANSCRIPT_READY", artifact_updates=both)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert [one["field"] for one in answer.json()["details"]["errors"]] == ["artifact_updates.transcript_uri"]


@pytest.mark.parametrize(
    ("updates", "field"),
    [
        ({"transcript": {}}, "transcript.segments"),
        (
            {"transcript": {"segments": [{"start_ms": 5, "end_ms": 1, "text": ""}]}},
            "transcript.segments.0.end_ms",
        ),
        ({"draft": {"markdown": " "}}, "draft.markdown"),
        ({"draft": {"markdown": "# A", "title": "t" * 129}}, "draft.title"),
        ({"draft": {"markdown": "# A", "odd": 1}}, "draft"),
    ],
)
def test_what_is_wrong_in_a_content_is_named_by_its_whole_path(db: None, updates: Any, field: str) -> None:
    answer = send(make_job(JobStatus.TRANSCRIBING), "TRANSCRIBING", artifact_updates=updates)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["details"]["errors"]] == [f"artifact_updates.{field}"]
