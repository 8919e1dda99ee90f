"""Retry: the one door out of FAILED, from the latest checkpoint, without doing finished work again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.storage import storage
from config.work.models import WorkFailed
from jobs import hooks
from jobs.models import AuditEvent, Dispatch, Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.contract import PROCESSING, STATUSES
from tests.factories import SAMPLE, TRANSCRIPT, Api, force, make_job, upload, work_off
from tests.orchestrator import Asked, Orchestrator
from tests.races import at_once

BODY = {"model_profile": "extractive", "client_request_id": "r-1"}
pytestmark = pytest.mark.django_db(transaction=True)


def failed_job(owner: Api, at: JobStatus = JobStatus.TRANSCRIBING) -> Job:
    """A job whose execution failed in a status on the pipeline's road."""
    job = make_job(at, owner=owner.user)
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": str(at)}
    assert send(job, "FAILED", **failure).status_code == 204
    return Job.objects.get(pk=job.pk)


def retry(owner: Api, job: Job, **changed: Any) -> Any:
    return owner.post(f"/jobs/{job.pk}/retry", {**BODY, **changed})


def test_a_retry_goes_on_from_the_checkpoint_and_clears_the_failure(owner: Api) -> None:
    job = failed_job(owner, JobStatus.GENERATING)
    assert owner.get(f"/jobs/{job.pk}/events").json()[-1]["data"]["failure_code"] == "ODD"
    answer = retry(owner, job)
    assert answer.status_code == 202, answer.content
    dispatch = Dispatch.objects.get(job=job, kind="retry")
    assert answer.json() == {
        "job_id": str(job.pk),
        "status": "TRANSCRIPT_READY",
        "resume_from_status": "TRANSCRIPT_READY",
        "checkpoint_ref": job.manifest["transcript_uri"],
        "model_profile": "extractive",
        "dispatch_id": str(dispatch.pk),
        "replayed": False,
    }
    assert answer.headers["Location"] == f"/api/v1/jobs/{job.pk}" and int(answer.headers["Retry-After"]) > 0
    shown = owner.get(f"/jobs/{job.pk}").json()
    assert (shown["status"], shown["failure"]) == ("TRANSCRIPT_READY", None)
    event = AuditEvent.objects.filter(job=job).latest("id")
    assert (event.event_type, event.prev_status, event.new_status) == (
        "JOB_RETRIED",
        "FAILED",
        "TRANSCRIPT_READY",
    )
    again = retry(owner, job)
    assert (again.status_code, again.json()) == (200, {**answer.json(), "replayed": True})
    assert Dispatch.objects.filter(job=job, kind="retry").count() == 1


@pytest.mark.parametrize(
    ("failed_at", "kind", "expected"),
    [
        (JobStatus.AUDIO_EXTRACTING, "", "UPLOADED"),
        (JobStatus.DRAFT_READY, "", "DRAFT_READY"),
        (JobStatus.GENERATING, "transcript_uri", "AUDIO_READY"),
        (JobStatus.TRANSCRIBING, "audio_uri", "UPLOADED"),
    ],
)
def test_the_checkpoint_is_the_latest_whose_artifact_exists(
    owner: Api, failed_at: JobStatus, kind: str, expected: str
) -> None:
    job = failed_job(owner, failed_at)
    if kind:
        storage().delete(job.manifest[kind])
    answer = retry(owner, job).json()
    assert (answer["resume_from_status"], answer["status"]) == (expected, expected)
    if expected == "UPLOADED":
        assert answer["checkpoint_ref"] == job.manifest["video_uri"]
    if expected == "DRAFT_READY":
        assert not Dispatch.objects.filter(job=job, status__in=Dispatch.OPEN).exists()


@pytest.mark.slow
def test_a_job_that_failed_transcribing_does_not_extract_sound_again(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole pipeline on the sample, with a transcriber that fails the first time."""
    project = owner.post("/projects", {"name": "p"}).json()
    job_id = owner.post(f"/projects/{project['id']}/jobs").json()["id"]
    uri = upload(owner, job_id, Path(SAMPLE).read_bytes())
    assert owner.post(f"/jobs/{job_id}/confirm-upload", {"video_uri": uri}).status_code == 200
    extracted = []
    real_extract, real_transcribe = hooks.STAGES["AUDIO_EXTRACTING"], hooks.STAGES["TRANSCRIBING"]

    def extract(job: Job, lease: Any) -> dict[str, Any]:
        extracted.append(job.pk)
        return real_extract(job, lease)

    def fail(job: Job, lease: Any) -> dict[str, Any]:
        raise WorkFailed("SPEECH_DOWN", "The speech service is away.")

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", extract)
    monkeypatch.setitem(hooks.STAGES, "TRANSCRIBING", fail)
    assert owner.post(f"/jobs/{job_id}/run").status_code == 202
    work_off()
    shown = owner.get(f"/jobs/{job_id}").json()
    assert (shown["status"], shown["failure"]["failed_stage"]) == ("FAILED", "TRANSCRIBING")
    monkeypatch.setitem(hooks.STAGES, "TRANSCRIBING", real_transcribe)
    answer = owner.post(f"/jobs/{job_id}/retry", BODY)
    assert (answer.status_code, answer.json()["resume_from_status"]) == (202, "AUDIO_READY")
    work_off()
    assert owner.get(f"/jobs/{job_id}").json()["status"] == "DRAFT_READY"
    assert len(extracted) == 1


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "FAILED"])
def test_only_a_failed_job_is_retried(owner: Api, status: str) -> None:
    job = make_job(status, owner=owner.user)
    Dispatch.objects.filter(job=job).update(status="CLOSED")
    before = AuditEvent.objects.filter(job=job).count()
    answer = retry(owner, job)
    busy = status in (*PROCESSING, "REGENERATING", "EXPORTING")
    code = "JOB_ALREADY_RUNNING" if busy else "RETRY_NOT_ALLOWED_STATE"
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["details"] == {"current_status": status}
    assert AuditEvent.objects.filter(job=job).count() == before


@pytest.mark.parametrize(
    "changed",
    [{"model_profile": "gpt-99"}, {"model_profile": ""}, {"client_request_id": ""}, {"client_request_id": "a b"},
     {"client_request_id": "x" * 129}, {"odd": 1}],
)  # fmt: skip
def test_a_body_that_is_off_is_400(owner: Api, changed: dict[str, Any]) -> None:
    answer = retry(owner, failed_job(owner), **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["details"]["errors"][0]["field"] == next(iter(changed))


def test_the_same_request_id_with_another_body_is_refused(owner: Api, settings: Any) -> None:
    job = failed_job(owner)
    assert retry(owner, job).status_code == 202
    Dispatch.objects.filter(job=job, kind="retry").update(model_profile="another")
    answer = retry(owner, job)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("same", [True, False])
def test_of_sixteen_retries_at_once_one_wins(owner: Api, orchestrator: Orchestrator, same: bool) -> None:
    job = failed_job(owner)
    orchestrator.answers = [0.3]
    answers = at_once(
        16, lambda number: retry(owner, job, client_request_id="one" if same else f"r-{number}")
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == ([200] * 15 + [202] if same else [202] + [409] * 15)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "JOB_ALREADY_RUNNING"
    }
    assert len(orchestrator.dispatches) == 1
    assert AuditEvent.objects.filter(job=job, event_type="JOB_RETRIED").count() == 1


def test_the_orchestrator_is_told_where_to_go_on(owner: Api, orchestrator: Orchestrator) -> None:
    job = failed_job(owner, JobStatus.GENERATING)
    answer = retry(owner, job).json()
    (asked,) = orchestrator.dispatches
    assert asked.body["dispatch_id"] == answer["dispatch_id"]
    assert asked.body["resume_from_status"] == "TRANSCRIPT_READY"
    assert asked.body["checkpoint_ref"] == job.manifest["transcript_uri"]
    assert asked.body["model_profile"] == "extractive"


def test_a_refused_retry_changes_nothing_and_the_next_uses_the_same_id(
    owner: Api, orchestrator: Orchestrator
) -> None:
    job = failed_job(owner)
    before = owner.get(f"/jobs/{job.pk}").json()
    orchestrator.answers = [503]
    answer = retry(owner, job)
    assert (answer.status_code, answer.json()["code"]) == (502, "ORCHESTRATOR_DISPATCH_FAILED")
    assert owner.get(f"/jobs/{job.pk}").json() == before
    assert retry(owner, job).status_code == 202
    assert len(orchestrator.dispatches) == 2 and len(orchestrator.executions) == 1


def test_after_a_refusal_another_request_may_try(owner: Api, orchestrator: Orchestrator) -> None:
    job = failed_job(owner)
    orchestrator.answers = [503]
    assert retry(owner, job).status_code == 502
    assert retry(owner, job, client_request_id="r-2").status_code == 202
    late = retry(owner, job)
    assert (late.status_code, late.json()["code"]) == (409, "JOB_ALREADY_RUNNING")


def test_while_an_answer_is_lost_no_other_retry_begins(owner: Api, orchestrator: Orchestrator) -> None:
    job = failed_job(owner)
    orchestrator.answers = [None]
    assert retry(owner, job).status_code == 502
    other = retry(owner, job, client_request_id="r-2")
    assert (other.status_code, other.json()["code"]) == (409, "JOB_ALREADY_RUNNING")
    assert retry(owner, job).status_code == 202
    assert len(orchestrator.executions) == 1


def test_late_callbacks_of_the_execution_before_are_superseded(
    owner: Api, orchestrator: Orchestrator
) -> None:
    job = failed_job(owner)
    first = str(job.dispatch_id)
    second = retry(owner, job).json()["dispatch_id"]
    late = send(job, "TRANSCRIBING", dispatch_id=first)
    assert (late.status_code, late.json()["code"]) == (409, "DISPATCH_SUPERSEDED")
    assert late.json()["details"] == {"dispatch_id": first, "current_dispatch_id": second}
    assert send(job, "TRANSCRIBING", dispatch_id=second).status_code == 204


def test_a_callback_that_overtakes_the_answer_moves_a_retry_on(
    owner: Api, orchestrator: Orchestrator
) -> None:
    job = failed_job(owner)

    def report_first(asked: Asked) -> None:
        assert send(job, "TRANSCRIBING", dispatch_id=asked.body["dispatch_id"]).status_code == 204
        connection.close()

    orchestrator.answers = [report_first]
    answer = retry(owner, job)
    assert (answer.status_code, answer.json()["status"]) == (202, "AUDIO_READY"), "where it goes on"
    shown = owner.get(f"/jobs/{job.pk}").json()
    assert (shown["status"], shown["failure"]) == ("TRANSCRIBING", None)


def test_a_retry_is_never_replayed_as_a_run_nor_a_run_as_a_retry(owner: Api) -> None:
    job = failed_job(owner)
    refused = owner.post(f"/jobs/{job.pk}/run")
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    run = Dispatch.objects.get(job=job, kind="run")
    answer = retry(owner, job).json()
    replay = owner.post(f"/jobs/{job.pk}/run")
    assert (replay.status_code, replay.json()["dispatch_id"]) == (200, str(run.pk))
    assert answer["dispatch_id"] != str(run.pk)


def test_a_retry_counts_among_the_active_jobs(owner: Api, settings: Any) -> None:
    settings.ACTIVE_JOBS_PER_OWNER = 1
    job = failed_job(owner)
    make_job(JobStatus.TRANSCRIBING, owner=owner.user)
    answer = retry(owner, job)
    assert (answer.status_code, answer.json()["code"]) == (429, "ACTIVE_JOB_LIMIT_REACHED")
    assert owner.get(f"/jobs/{job.pk}").json()["status"] == "FAILED"


def test_an_editing_job_that_was_failed_goes_back_to_its_draft(owner: Api) -> None:
    job = force(make_job(JobStatus.EDITING, owner=owner.user), JobStatus.FAILED)
    Dispatch.objects.filter(job=job).update(status="CLOSED")
    assert retry(owner, job).json()["status"] == "DRAFT_READY"


def test_a_report_of_a_refused_retry_proves_nothing(owner: Api, orchestrator: Orchestrator) -> None:
    job = failed_job(owner)
    orchestrator.answers = [503]
    assert retry(owner, job).status_code == 502
    answer = send(job, "TRANSCRIBING")
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert Job.objects.get(pk=job.pk).status == "FAILED"


def test_a_refused_retry_asked_for_again_goes_on_from_where_the_job_is(
    owner: Api, orchestrator: Orchestrator
) -> None:
    job = failed_job(owner, JobStatus.AUDIO_READY)
    orchestrator.answers = [503]
    assert retry(owner, job).status_code == 502
    second = retry(owner, job, client_request_id="r-2").json()["dispatch_id"]
    for status, updates in (("TRANSCRIBING", {}), ("TRANSCRIPT_READY", {"transcript": TRANSCRIPT})):
        assert send(job, status, dispatch_id=second, artifact_updates=updates).status_code == 204
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": "GENERATING"}
    assert send(job, "FAILED", dispatch_id=second, **failure).status_code == 204
    assert retry(owner, job).json()["resume_from_status"] == "TRANSCRIPT_READY"


def test_a_run_beside_a_retry_of_a_job_that_was_never_run_is_refused(
    owner: Api, orchestrator: Orchestrator
) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    assert send(job, "AUDIO_EXTRACTING").status_code == 204
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": "AUDIO_EXTRACTING"}
    assert send(job, "FAILED", **failure).status_code == 204
    assert retry(owner, job).json()["status"] == "UPLOADED"
    answer = owner.post(f"/jobs/{job.pk}/run")
    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_ALREADY_RUNNING")
