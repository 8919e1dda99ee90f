"""A process killed between each two steps of dispatch, retry, cancel, callback and deletion, one after the other.

After each kill the same call is made again, as a client would, or the recovery does its work. Nothing may be
lost, done twice or stuck.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid6 import uuid7

from jobs.models import AuditEvent, CallbackEvent, Dispatch, Job, Tombstone
from jobs.services.deletion import remove_files_of_deleted_jobs
from jobs.states import JobStatus
from tests.callbacks import FAILURE, SECRET, send
from tests.elapsed import expire_leases, recover
from tests.factories import DRAFT, TRANSCRIPT, Api, make_dispatch, make_job, make_user
from tests.jobs.killer import Killer, after_each_step, killing
from tests.orchestrator import Orchestrator

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(170)]


@pytest.fixture
def api(settings: Any) -> Api:
    settings.THROTTLE_RATE = None
    settings.ACTIVE_JOBS_PER_OWNER = 1000
    return Api(make_user("owner"))


@pytest.fixture
def killer(api: Api, orchestrator: Orchestrator, settings: Any) -> Iterator[Killer]:
    with killing(orchestrator.url, settings.STEPWRIGHT_STORAGE_URL) as running:
        yield running


def sent(orchestrator: Orchestrator, job: Job) -> set[str]:
    return {
        asked.body["dispatch_id"] for asked in orchestrator.dispatches if asked.body["job_id"] == str(job.pk)
    }


def count(job: Job, **which: Any) -> int:
    return AuditEvent.objects.filter(job=job, **which).count()


@pytest.mark.parametrize("by", ["the next call", "the recovery"])
def test_a_run_that_is_killed(api: Api, killer: Killer, orchestrator: Orchestrator, by: str) -> None:
    def check(job: Job) -> None:
        expire_leases()
        if by == "the recovery":
            recover()
            if not Dispatch.objects.filter(job=job).exists():  # killed before anything was written
                assert Job.objects.get(pk=job.pk).status == "UPLOADED" and not sent(orchestrator, job)
        if by == "the next call" or not Dispatch.objects.filter(job=job).exists():
            assert api.post(f"/jobs/{job.pk}/run").status_code in (200, 202)
        dispatch = Dispatch.objects.get(job=job)
        assert Job.objects.get(pk=job.pk).status == "AUDIO_EXTRACTING"
        assert count(job, event_type="JOB_RUN") == 1
        assert sent(orchestrator, job) == {str(dispatch.pk)}, "one execution, under one id"
        assert (dispatch.status, dispatch.lease_expires_at) == ("ACCEPTED", None)
        assert api.post(f"/jobs/{job.pk}/run").json()["replayed"] is True

    kills = after_each_step(
        killer,
        lambda: make_job(JobStatus.UPLOADED, owner=api.user),
        lambda job: {"method": "POST", "path": f"/api/v1/jobs/{job.pk}/run", "headers": api.headers},
        check,
    )
    assert kills >= 12


@pytest.mark.parametrize("by", ["the next call", "the recovery"])
def test_a_retry_that_is_killed(api: Api, killer: Killer, orchestrator: Orchestrator, by: str) -> None:
    body = {"model_profile": "extractive", "client_request_id": "r-1"}

    def failed_job() -> Job:
        job = make_job(JobStatus.TRANSCRIBING, owner=api.user)
        assert send(job, "FAILED", **FAILURE).status_code == 204
        return job

    def check(job: Job) -> None:
        expire_leases()
        retries = Dispatch.objects.filter(job=job, kind="retry")
        if by == "the recovery":
            recover()
        if by == "the next call" or not retries.exists():
            assert api.post(f"/jobs/{job.pk}/retry", body).status_code in (200, 202)
        dispatch = retries.get()
        now = Job.objects.get(pk=job.pk)
        assert (now.status, now.failure) == ("AUDIO_READY", None)
        assert count(job, event_type="JOB_RETRIED") == 1
        assert sent(orchestrator, job) == {str(dispatch.pk)}
        assert Dispatch.objects.filter(job=job, status__in=Dispatch.OPEN).get() == dispatch
        assert api.post(f"/jobs/{job.pk}/retry", body).json()["replayed"] is True

    kills = after_each_step(
        killer,
        failed_job,
        lambda job: {
            "method": "POST",
            "path": f"/api/v1/jobs/{job.pk}/retry",
            "headers": api.headers,
            "body": body,
        },
        check,
    )
    assert kills >= 12


def test_a_recovery_that_is_killed(api: Api, killer: Killer, orchestrator: Orchestrator) -> None:
    """The worker that takes over from a dead sender dies as well; the next one finishes."""

    def abandoned() -> Job:
        job = make_job(JobStatus.UPLOADED, owner=api.user)
        make_dispatch(job, state="pending", attempt=1)
        return job

    def check(job: Job) -> None:
        recover()
        dispatch = Dispatch.objects.get(job=job)
        assert Job.objects.get(pk=job.pk).status == "AUDIO_EXTRACTING"
        assert count(job, event_type="JOB_RUN") == 1
        assert sent(orchestrator, job) == {str(dispatch.pk)}
        Dispatch.objects.filter(pk=dispatch.pk).update(status="CLOSED")

    assert after_each_step(killer, abandoned, lambda job: {"work": True}, check) >= 10


def test_a_cancel_that_is_killed(api: Api, killer: Killer, orchestrator: Orchestrator) -> None:
    def running() -> Job:
        job = make_job(JobStatus.UPLOADED, owner=api.user)
        assert api.post(f"/jobs/{job.pk}/run").status_code == 202
        return job

    def check(job: Job) -> None:
        before = Job.objects.get(pk=job.pk).status
        answer = api.post(f"/jobs/{job.pk}/cancel")
        assert answer.status_code == (409 if before == "CANCELLED" else 200)
        assert Job.objects.get(pk=job.pk).status == "CANCELLED"
        assert count(job, event_type="JOB_CANCELLED") == 1
        assert Dispatch.objects.get(job=job).failure_code == "JOB_CANCELLED"

    kills = after_each_step(
        killer,
        running,
        lambda job: {"method": "POST", "path": f"/api/v1/jobs/{job.pk}/cancel", "headers": api.headers},
        check,
    )
    assert kills >= 6


REPORTS: dict[str, tuple[JobStatus, dict[str, Any]]] = {
    "AUDIO_READY": (
        JobStatus.AUDIO_EXTRACTING,
        {"artifact_updates": {"audio_uri": "gs://a/b", "metrics": {"a": 1}}},
    ),
    "TRANSCRIPT_READY": (JobStatus.TRANSCRIBING, {"artifact_updates": {"transcript": TRANSCRIPT}}),
    "DRAFT_READY": (JobStatus.GENERATING, {"artifact_updates": {"draft": DRAFT}}),
    "FAILED": (JobStatus.TRANSCRIBING, {"failure_code": "X", "failure_message": "x", "failed_stage": "x"}),
}


@pytest.mark.parametrize("status", REPORTS)
def test_a_callback_that_is_killed(api: Api, killer: Killer, status: str) -> None:
    source, fields = REPORTS[status]
    sent_bodies: dict[Any, dict[str, Any]] = {}

    def request(job: Job) -> dict[str, Any]:
        body = {
            "event_id": str(uuid7()),
            "status": status,
            "occurred_at": datetime.now(UTC).isoformat(),
            "correlation_id": "c",
            **fields,
        }
        sent_bodies[job.pk] = body
        path = f"/api/v1/internal/jobs/{job.pk}/status?dispatch_id={job.dispatch_id}"
        return {"method": "POST", "path": path, "body": body, "headers": {"x-callback-secret": SECRET}}

    def check(job: Job) -> None:
        applied = Job.objects.get(pk=job.pk).status == status
        again = send(job, dispatch_id=str(job.dispatch_id), **sent_bodies[job.pk])
        assert again.status_code == (200 if applied else 204)
        now = Job.objects.get(pk=job.pk)
        assert now.status == status
        assert count(job, new_status=status) == 1
        assert CallbackEvent.objects.filter(job=job, event_id=sent_bodies[job.pk]["event_id"]).count() == 1
        kinds = {"AUDIO_READY": "audio", "TRANSCRIPT_READY": "transcript", "DRAFT_READY": "draft"}
        if status in kinds:
            assert now.artifacts.filter(kind=kinds[status]).count() == 1
        if status == "TRANSCRIPT_READY":
            assert now.segments.count() == len(TRANSCRIPT["segments"])
        if status == "DRAFT_READY":
            assert now.instruction.versions.count() == 1
        over = status in ("DRAFT_READY", "FAILED")
        assert Dispatch.objects.get(job=job).is_open is not over

    assert after_each_step(killer, lambda: make_job(source, owner=api.user), request, check) >= 5


def test_a_deletion_that_is_killed(api: Api, killer: Killer) -> None:
    def over() -> Job:
        job = make_job(JobStatus.EDITING, owner=api.user)
        api.post(f"/jobs/{job.pk}/cancel")
        return job

    def check(job: Job) -> None:
        is_gone = not Job.objects.filter(pk=job.pk).exists()
        assert api.call("DELETE", f"/jobs/{job.pk}").status_code == (404 if is_gone else 202)
        assert Tombstone.objects.filter(job_id=job.pk).count() == 1
        assert not AuditEvent.objects.filter(job_id=job.pk).exists()
        remove_files_of_deleted_jobs()

    kills = after_each_step(
        killer,
        over,
        lambda job: {"method": "DELETE", "path": f"/api/v1/jobs/{job.pk}", "headers": api.headers},
        check,
    )
    assert kills >= 10
