"""The callback: its secret, its order of checks, its ledger, and what it applies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from uuid6 import uuid7

from config.storage import kept_folder, storage
from jobs.models import Artifact, AuditEvent, CallbackEvent, Job
from jobs.states import JobStatus
from tests.callbacks import SECRET, send
from tests.factories import DRAFT, TRANSCRIPT, Api, make_job
from tests.races import at_once


def state(job: Job) -> tuple[str, int, int, int]:
    return (
        Job.objects.get(pk=job.pk).status,
        CallbackEvent.objects.filter(job=job).count(),
        AuditEvent.objects.filter(job=job).count(),
        Artifact.objects.filter(job=job).count(),
    )


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", "ü"])
def test_without_the_secret_nothing_is_read(db: None, secret: str | None) -> None:
    response = send(make_job(JobStatus.AUDIO_EXTRACTING), "ODD", secret=secret)
    assert (response.status_code, response.json()["code"]) == (401, "CALLBACK_UNAUTHENTICATED")


def test_the_previous_secret_is_valid_too_and_no_secret_at_all_never(db: None, settings: Any) -> None:
    settings.CALLBACK_SECRETS = [SECRET, "the previous secret of the callback"]
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    assert send(job, "AUDIO_READY", secret="the previous secret of the callback").status_code == 204
    settings.CALLBACK_SECRETS = []
    assert send(job, "TRANSCRIBING").status_code == 401


def test_an_event_is_applied_once_and_then_replayed(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    event = {
        "event_id": "e-1",
        "occurred_at": "2026-01-01T00:00:00Z",
        "artifact_updates": {"audio_uri": "gs://a/b"},
    }
    Job.objects.filter(pk=job.pk).update(latest_applied_occurred_at=None)
    assert send(job, "AUDIO_READY", **event).status_code == 204
    after = state(job)
    assert after[0] == "AUDIO_READY"
    replay = send(job, "AUDIO_READY", **event)
    assert replay.status_code == 200
    assert replay.json() == {
        "job_id": str(job.pk),
        "event_id": "e-1",
        "replayed": True,
        "current_status": "AUDIO_READY",
        "latest_applied_occurred_at": "2026-01-01T00:00:00Z",
    }
    other = send(job, "AUDIO_READY", **{**event, "correlation_id": "another"})
    assert (other.status_code, other.json()["code"]) == (409, "EVENT_ID_PAYLOAD_MISMATCH")
    assert state(job) == after


def test_an_event_older_than_the_latest_is_refused_an_equal_one_applied(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    latest = Job.objects.get(pk=job.pk).latest_applied_occurred_at
    before = state(job)
    late = send(job, "AUDIO_READY", occurred_at=(latest - timedelta(microseconds=1)).isoformat())
    assert (late.status_code, late.json()["code"]) == (409, "CALLBACK_OUT_OF_ORDER")
    assert state(job) == before
    assert send(job, "AUDIO_READY", occurred_at=latest.isoformat()).status_code == 204


def test_a_report_of_another_dispatch_is_superseded_before_all_else(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    refused = send(job, "CREATED", dispatch_id=str(uuid7()))
    assert (refused.status_code, refused.json()["code"]) == (409, "DISPATCH_SUPERSEDED")
    assert send(job, "AUDIO_READY", dispatch_id=str(job.dispatch_id)).status_code == 204


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"event_id": None}, "event_id"),
        ({"event_id": "x" * 256}, "event_id"),
        ({"status": "ODD"}, "status"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
        ({"actor_type": "staff"}, "actor_type"),
        ({"odd": 1}, "odd"),
        ({"status": "FAILED", "failure_code": "X", "failure_message": "x"}, "failed_stage"),
        ({"failure_code": "X"}, "failure_code"),
        ({"artifact_updates": {"audio_uri": 7}}, "artifact_updates.audio_uri"),
        ({"artifact_updates": {"metrics": 2**60}}, "body"),
        ({"artifact_updates": {"transcript": {"segments": [{"start_ms": 5, "end_ms": 1, "text": "a"}]}}},
         "artifact_updates.transcript.segments.0.end_ms"),
        ({"artifact_updates": {"transcript_uri": "local://jobs/x"}}, "artifact_updates.transcript_uri"),
        ({"artifact_updates": {"draft": {"markdown": ""}}}, "artifact_updates.draft.markdown"),
    ],
)  # fmt: skip
def test_a_body_that_is_off_is_400_and_changes_nothing(db: None, changed: dict[str, Any], field: str) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    before = state(job)
    response = send(job, **{"status": "AUDIO_READY", **changed})
    assert response.status_code == 400, response.content
    assert [error["field"] for error in response.json()["details"]["errors"]] == [field]
    assert state(job) == before


def test_content_is_read_from_the_jobs_own_prefix_and_from_nowhere_else(db: None) -> None:
    job, other = make_job(JobStatus.TRANSCRIBING), make_job(JobStatus.TRANSCRIBING)
    import json

    foreign = storage().save_bytes(kept_folder(other.pk), json.dumps(TRANSCRIPT).encode(), suffix=".json")
    assert send(job, "TRANSCRIPT_READY", artifact_updates={"transcript_uri": foreign.uri}).status_code == 400
    own = storage().save_bytes(kept_folder(job.pk), json.dumps(TRANSCRIPT).encode(), suffix=".json")
    assert send(job, "TRANSCRIPT_READY", artifact_updates={"transcript_uri": own.uri}).status_code == 204
    assert job.segments.count() == 2
    assert Job.objects.get(pk=job.pk).manifest["transcript_uri"] == own.uri


@pytest.mark.parametrize("key", ["audio_uri", "export_uri", "transcript_uri", "draft_uri"])
def test_no_file_of_another_job_is_taken_for_ones_own(db: None, key: str) -> None:
    job, other = make_job(JobStatus.AUDIO_EXTRACTING), make_job(JobStatus.AUDIO_READY)
    for uri in (other.manifest["audio_uri"], "local://jobs/x", f"local://uploads/{job.pk}/x"):
        answer = send(job, "AUDIO_EXTRACTING", artifact_updates={key: uri})
        assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (
            400,
            f"artifact_updates.{key}",
        )


def test_the_same_export_stands_once_in_the_manifest(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    for _ in range(2):
        assert send(job, "AUDIO_EXTRACTING", artifact_updates={"export_uri": "gs://a/b"}).status_code == 204
    assert Job.objects.get(pk=job.pk).manifest["exports"] == ["gs://a/b"]


def test_an_event_id_is_taken_as_it_stands(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    for event_id in ("e", "e "):
        assert send(job, "AUDIO_EXTRACTING", event_id=event_id).status_code == 204


@pytest.mark.parametrize(
    "draft", [{"model_profile_id": "x" * 129}, {"prompt_params_ref": "x" * 129}, {"title": 1}, {"y" * 500: 1}]
)
def test_a_draft_with_an_odd_field_is_400(db: None, draft: dict[str, Any]) -> None:
    answer = send(
        make_job(JobStatus.GENERATING), "DRAFT_READY", artifact_updates={"draft": {**DRAFT, **draft}}
    )
    assert answer.status_code == 400 and len(answer.content) < 600


def test_a_body_that_is_nested_too_deep_is_400(db: None) -> None:
    nested: Any = 1
    for _ in range(900):
        nested = [nested]
    answer = send(make_job(JobStatus.AUDIO_EXTRACTING), "AUDIO_READY", artifact_updates={"metrics": nested})
    assert answer.status_code == 400


def test_the_video_never_changes(db: None) -> None:
    response = send(
        make_job(JobStatus.AUDIO_EXTRACTING), "AUDIO_READY", artifact_updates={"video_uri": "gs://other"}
    )
    assert (response.status_code, response.json()["code"]) == (409, "ARTIFACT_IMMUTABLE")


def test_draft_ready_needs_a_draft_and_makes_the_instruction(db: None) -> None:
    job = make_job(JobStatus.GENERATING)
    assert send(job, "DRAFT_READY").status_code == 400
    assert send(job, "DRAFT_READY", artifact_updates={"draft": DRAFT}).status_code == 204
    job = Job.objects.get(pk=job.pk)
    assert job.instruction.versions.get().source == "draft"
    assert job.instruction_id == job.instruction.pk
    assert Job.objects.get(pk=job.pk).dispatch.status == "CLOSED"


def test_a_new_value_is_a_new_artifact_version_and_the_same_value_none(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    for uri in ("gs://a/1", "gs://a/1", "gs://a/2"):
        assert send(job, "AUDIO_EXTRACTING", artifact_updates={"audio_uri": uri}).status_code == 204
    versions = list(job.artifacts.filter(kind="audio").order_by("version").values_list("version", "uri"))
    assert versions == [(1, "gs://a/1"), (2, "gs://a/2")]


def test_failed_fills_the_failure_and_closes_the_dispatch(db: None) -> None:
    job = make_job(JobStatus.TRANSCRIBING)
    failure = {"failure_code": "NO_SPEECH", "failure_message": "No speech.", "failed_stage": "TRANSCRIBING"}
    assert send(job, "FAILED", **failure).status_code == 204
    job = Job.objects.get(pk=job.pk)
    assert job.failure == {**failure, "correlation_id": "c-1"}
    assert (job.dispatch.status, job.dispatch.failure_code) == ("CLOSED", "NO_SPEECH")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_event", [True, False])
def test_of_24_senders_at_once_one_wins(same_event: bool) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    now = datetime.now(UTC).isoformat()

    def sender(number: int) -> int:
        event_id = "one" if same_event else f"event-{number}"
        return send(job, "AUDIO_READY", event_id=event_id, occurred_at=now).status_code

    answers = at_once(24, sender)
    assert sorted(answers) == ([200] * 23 + [204] if same_event else [204] + [409] * 23)
    assert CallbackEvent.objects.filter(job=job, status="AUDIO_READY").count() == 1
    assert AuditEvent.objects.filter(job=job, new_status="AUDIO_READY").count() == 1


@pytest.mark.parametrize("table", ["jobs_auditevent", "jobs_callbackevent", "jobs_artifact"])
def test_what_is_written_down_is_never_changed_nor_deleted(db: None, table: str) -> None:
    from django.db import DatabaseError, transaction

    make_job(JobStatus.DRAFT_READY)
    for statement in (f"UPDATE {table} SET job_id = job_id", f"DELETE FROM {table}"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


@pytest.mark.parametrize("key", ["video", "audio", "odd key", "ключ", "x" * 64])
def test_a_key_that_is_not_known_is_kept_apart_from_the_kinds_that_are(db: None, key: str) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    assert send(job, "AUDIO_READY", artifact_updates={key: {"a": 1}}).status_code == 204
    assert job.artifacts.get(kind=f"other:{key}").data == {"a": 1}
    assert job.artifacts.get(kind="video").uri


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_key_of_odd_length_is_refused(db: None, key: str) -> None:
    assert (
        send(make_job(JobStatus.AUDIO_EXTRACTING), "AUDIO_READY", artifact_updates={key: 1}).status_code
        == 400
    )


def test_a_report_that_is_refused_leaves_no_file(db: None) -> None:
    job = make_job(JobStatus.TRANSCRIBING)
    folder = storage().root / kept_folder(job.pk)
    before = set(folder.iterdir())
    updates = {"transcript": TRANSCRIPT}
    assert send(job, "DRAFT_READY", artifact_updates=updates).status_code == 409
    assert set(folder.iterdir()) == before
    assert send(job, "TRANSCRIPT_READY", artifact_updates=updates).status_code == 204
    (kept,) = set(folder.iterdir()) - before
    assert Job.objects.get(pk=job.pk).manifest["transcript_uri"].endswith(kept.name)


def test_a_second_transcript_takes_the_place_of_the_first(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    other = {"segments": [{"start_ms": 5, "end_ms": 9, "text": "Another."}]}
    assert send(job, "GENERATING", artifact_updates={"transcript": other}).status_code == 204
    assert owner.get(f"/jobs/{job.pk}/transcript").json()["items"] == other["segments"]


def test_all_that_is_wrong_between_the_fields_is_named_at_once(db: None) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    updates = {"audio_uri": 7, "draft_uri": "", "k" * 65: 1}
    answer = send(job, "FAILED", occurred_at=later, failure_code="X", artifact_updates=updates)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["details"]["errors"]} == {
        "occurred_at",
        "failure_message",
        "failed_stage",
        "artifact_updates",
        "artifact_updates.audio_uri",
        "artifact_updates.draft_uri",
    }
