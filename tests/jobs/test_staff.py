"""What support may do to a job that is not its own, with a reason that stands in the audit event."""

from __future__ import annotations

import pytest

from config.api.errors import ApiError
from jobs.models import Dispatch, Job
from jobs.services.audit import Attribution, by_staff
from jobs.services.jobs import cancel_job, fail_job
from jobs.services.runs import dispatch_again, retry_job
from jobs.states import JobStatus
from tests.contract import OPEN
from tests.factories import Api, force, make_dispatch, make_job, make_user, work_off
from tests.orchestrator import Orchestrator

pytestmark = pytest.mark.django_db(transaction=True)
OUTSIDE_PIPELINE = ("CREATED", "UPLOADING", "EDITING", "REGENERATING", "EXPORTING")


@pytest.fixture
def support() -> Attribution:
    return by_staff(make_user("support"), "The owner asked for it.")


def require_event(job: Job, event_type: str, by: Attribution) -> None:
    event = job.events.latest("id")
    told = (event.event_type, event.actor_type, event.actor_id, event.data["reason"])
    assert told == (event_type, "staff", by.actor_id, by.reason)


def test_a_job_is_cancelled_for_a_reason(support: Attribution) -> None:
    job = cancel_job(job_id=make_job(JobStatus.EDITING).pk, by=support)
    assert job.status == JobStatus.CANCELLED
    require_event(job, "JOB_CANCELLED", support)


@pytest.mark.parametrize("status", OPEN)
def test_a_job_outside_the_pipeline_can_be_failed(support: Attribution, status: str) -> None:
    job = make_job(JobStatus(status))
    if status not in OUTSIDE_PIPELINE:
        with pytest.raises(ApiError) as refused:
            fail_job(job_id=job.pk, by=support)
        assert refused.value.code == "FSM_TRANSITION_INVALID"
        return
    failed = fail_job(job_id=job.pk, by=support)
    assert failed.failure and failed.failure["failure_code"] == "FAILED_BY_SUPPORT"
    assert (failed.status, failed.failure["failed_stage"]) == (JobStatus.FAILED, status)
    assert not failed.dispatches.filter(status__in=Dispatch.OPEN).exists()
    require_event(failed, "JOB_FAILED", support)
    assert failed.events.latest("id").data["failure_code"] == "FAILED_BY_SUPPORT"


def test_a_retry_by_support_counts_for_the_owner(owner: Api, support: Attribution) -> None:
    job = force(make_job(JobStatus.GENERATING, owner=owner.user), JobStatus.FAILED)
    Dispatch.objects.filter(job=job).update(status=Dispatch.CLOSED)
    asked = {"client_request_id": "support-1", "model_profile": "extractive"}
    job, dispatch, _ = retry_job(job_id=job.pk, by=support, **asked)
    assert (job.status, dispatch.owner_id) == (JobStatus.TRANSCRIPT_READY, owner.user.pk)
    require_event(job, "JOB_RETRIED", support)
    work_off()
    assert owner.get(f"/jobs/{job.pk}").json()["status"] == "DRAFT_READY"


def test_a_dispatch_without_an_answer_is_sent_again(orchestrator: Orchestrator, support: Attribution) -> None:
    job = make_job(JobStatus.UPLOADED)
    dispatch = make_dispatch(job, state="unanswered")
    job, sent, _ = dispatch_again(job_id=job.pk, by=support)
    assert (sent.pk, job.status) == (dispatch.pk, JobStatus.AUDIO_EXTRACTING)
    assert orchestrator.executions == {str(dispatch.pk)}


def test_a_job_without_an_open_dispatch_is_not_dispatched(support: Attribution) -> None:
    for job in (make_job(JobStatus.UPLOADED), make_job(JobStatus.TRANSCRIBING)):
        with pytest.raises(ApiError) as refused:
            dispatch_again(job_id=job.pk, by=support)
        assert refused.value.status == 409
