"""Jobs that nobody reports of fail after a while, those of our own workers excepted; and dispatches that nobody
answers are given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from jobs.models import AuditEvent, Dispatch, Job, PipelineRun
from jobs.services.dispatches import give_up_dispatch
from jobs.services.timeouts import give_up_unanswered_dispatches, time_out_silent_jobs
from tests.callbacks import send
from tests.factories import Api, make_dispatch
from tests.jobs.seen import status_of, told_to_cancel
from tests.orchestrator import Orchestrator

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_orchestrator_that_is_silent_for_too_long_fails_the_job(
    owner: Api, job: Job, orchestrator: Orchestrator
) -> None:
    owner.post(f"/jobs/{job.pk}/run")
    time_out_silent_jobs()
    assert status_of(job) == "AUDIO_EXTRACTING"
    Dispatch.objects.update(accepted_at=Now() - timedelta(minutes=16))
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    failed = owner.get(f"/jobs/{job.pk}").json()
    assert (failed["status"], failed["failure"]["failure_code"]) == ("FAILED", "JOB_TIMED_OUT")
    assert failed["failure"]["failed_stage"] == "AUDIO_EXTRACTING"
    event = AuditEvent.objects.filter(job=job).latest("id")
    assert failed["failure"]["correlation_id"] == event.correlation_id
    assert not Dispatch.objects.get(job=job).is_open


def test_a_job_that_only_callbacks_moved_times_out_too(job: Job) -> None:
    assert send(job, "AUDIO_EXTRACTING").status_code == 204
    time_out_silent_jobs()
    assert status_of(job) == "AUDIO_EXTRACTING"
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status_of(job) == "FAILED"


@pytest.mark.parametrize("run_status", ["PENDING", "RUNNING"])
def test_a_job_of_our_own_workers_is_not_silent(owner: Api, job: Job, run_status: str) -> None:
    assert owner.post(f"/jobs/{job.pk}/run").status_code == 202
    PipelineRun.objects.filter(job=job).update(status=run_status)
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status_of(job) == "AUDIO_EXTRACTING"


def test_a_job_retried_from_its_upload_that_nobody_reports_of_times_out(job: Job) -> None:
    make_dispatch(job, state="accepted", kind="retry", resume_from_status="UPLOADED", client_request_id="r-1")
    Job.objects.filter(pk=job.pk).update(updated_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status_of(job) == "UPLOADED", "it was accepted a moment ago"
    Dispatch.objects.update(accepted_at=Now() - timedelta(minutes=16))
    time_out_silent_jobs()
    assert status_of(job) == "FAILED"


def test_an_unanswered_dispatch_is_given_up_after_the_time_and_not_before(job: Job) -> None:
    dispatch = make_dispatch(job, state="unanswered")
    give_up_unanswered_dispatches()
    assert Dispatch.objects.get(pk=dispatch.pk).status == "UNANSWERED"
    Dispatch.objects.update(updated_at=Now() - timedelta(minutes=16))
    give_up_unanswered_dispatches()
    given_up = Dispatch.objects.get(pk=dispatch.pk)
    assert (given_up.status, given_up.failure_code) == ("REFUSED", "ORCHESTRATOR_DISPATCH_FAILED")
    assert (status_of(job), told_to_cancel(job)) == ("UPLOADED", 1)


def test_a_dispatch_that_is_answered_in_between_is_not_given_up(job: Job) -> None:
    dispatch = make_dispatch(job, state="unanswered")
    assert send(job, "AUDIO_EXTRACTING", dispatch_id=str(dispatch.pk)).status_code == 204
    give_up_dispatch(dispatch)
    assert Dispatch.objects.get(pk=dispatch.pk).status == "ACCEPTED"
    assert told_to_cancel(job) == 0


def test_a_dispatch_that_was_sent_again_in_between_is_not_given_up(job: Job) -> None:
    silent = make_dispatch(job, state="unanswered", attempt=4)
    Dispatch.objects.update(attempt=5)  # by the owner, a moment ago, and not answered again
    give_up_dispatch(silent)
    assert Dispatch.objects.get(pk=silent.pk).status == "UNANSWERED"
