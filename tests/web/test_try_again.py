"""Owners try a failed job again at `/jobs`: once for each failure, and only where it can be done."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.models import AuditEvent, Dispatch, Job
from jobs.services.audit import by_editor
from jobs.services.jobs import fail_job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import force, make_job, make_user
from tests.orchestrator import Orchestrator
from tests.web.reader import Reader

pytestmark = pytest.mark.django_db(transaction=True)
NOT_NOW = "This cannot be done now"


@pytest.fixture
def reader() -> Reader:
    return Reader(make_user())


def let_fail(job: Job) -> Job:
    failure = {"failure_code": "ODD", "failure_message": "It was odd.", "failed_stage": "GENERATING"}
    assert send(job, "FAILED", **failure).status_code == 204
    return Job.objects.get(pk=job.pk)


def failed_job(**changed: Any) -> Job:
    return let_fail(make_job(JobStatus.GENERATING, owner=make_user(), **changed))


def retry(reader: Reader, job: Job, revision: object = None) -> Any:
    """Send the form as it stood when the job had this revision, now if it is not said."""
    seen = Job.objects.get(pk=job.pk).revision if revision is None else revision
    return reader.send(f"/jobs/{job.pk}/retry", form_of="/jobs", revision=str(seen))


def retries(job: Job) -> list[Dispatch]:
    return list(job.dispatches.filter(kind=Dispatch.Kind.RETRY).order_by("pk"))


def test_trying_again_asks_first_and_then_does_it(reader: Reader) -> None:
    job = failed_job()
    address = f"/jobs/{job.pk}/retry"
    assert f'href="{address}"' in reader.page(f"/jobs/{job.pk}")
    page = reader.page(address)
    assert "Try this job again?" in page and "It was odd." in page and not retries(job)
    assert f'name="revision" value="{job.revision}"' in page
    answer = retry(reader, job)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/jobs/{job.pk}")
    assert Job.objects.get(pk=job.pk).status == JobStatus.TRANSCRIPT_READY
    event = AuditEvent.objects.filter(job=job).latest("pk")
    assert (event.event_type, event.actor_id) == ("JOB_RETRIED", str(job.owner_id))


def test_a_form_that_is_sent_twice_is_one_retry(reader: Reader) -> None:
    job = failed_job()
    assert [retry(reader, job, job.revision).status_code for _ in range(2)] == [302, 302]
    assert len(retries(job)) == 1


def test_who_has_not_seen_the_newest_failure_is_asked_anew(reader: Reader) -> None:
    job = failed_job()
    retry(reader, job)
    again = let_fail(Job.objects.get(pk=job.pk))
    answer = retry(reader, job, job.revision)
    assert answer.status_code == 200 and f'value="{again.revision}"' in answer.content.decode()
    assert len(retries(job)) == 1
    assert retry(reader, job).status_code == 302 and len(retries(job)) == 2


@pytest.mark.parametrize("status", [status for status in JobStatus if status != JobStatus.FAILED])
def test_what_has_not_failed_cannot_be_tried_again_and_says_so(reader: Reader, status: JobStatus) -> None:
    job = force(make_job(JobStatus.EDITING, owner=make_user()), status)
    address = f"/jobs/{job.pk}/retry"
    assert f'href="{address}"' not in reader.page(f"/jobs/{job.pk}")
    assert "This job cannot be tried again" in reader.page(address)
    for revision in (job.revision, "odd\0" * 99, ""):
        answer = retry(reader, job, revision)
        assert answer.status_code == 409 and NOT_NOW in answer.content.decode()
    assert Job.objects.get(pk=job.pk).status == status and not retries(job)


def test_what_failed_without_a_recording_cannot_be_tried_again(reader: Reader) -> None:
    job = fail_job(job_id=make_job(owner=make_user()).pk, by=by_editor(make_user()))
    page = reader.page(f"/jobs/{job.pk}")
    assert f"/jobs/{job.pk}/retry" not in page.replace(f'action="/jobs/{job.pk}/retry"', "")
    assert "make a new job" in page and "before its recording" in reader.page(f"/jobs/{job.pk}/retry")
    assert retry(reader, job).status_code == 409


@pytest.mark.parametrize(
    ("chosen", "taken"), [(None, "extractive"), ("chat", "chat"), ("gone", "extractive")]
)
def test_it_keeps_the_profile_that_the_job_has(
    reader: Reader, settings: Any, chosen: str | None, taken: str
) -> None:
    settings.MODEL_PROFILES = ["extractive", "chat"]
    job = failed_job(**({"model_profile": chosen} if chosen else {}))
    retry(reader, job)
    assert [each.model_profile for each in retries(job)] == [taken]


def test_it_keeps_the_profile_of_the_last_retry(reader: Reader, settings: Any) -> None:
    settings.MODEL_PROFILES = ["extractive", "chat"]
    job = failed_job()
    retry(reader, job)
    Dispatch.objects.filter(pk=retries(job)[0].pk).update(model_profile="chat")
    let_fail(Job.objects.get(pk=job.pk))
    retry(reader, job)
    assert [each.model_profile for each in retries(job)] == ["chat", "chat"]


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(
    reader: Reader, orchestrator: Orchestrator
) -> None:
    job = failed_job()
    orchestrator.answers = [None]
    for status in (502, 302):
        assert retry(reader, job, job.revision).status_code == status
    assert len(retries(job)) == 1 and orchestrator.executions == {str(retries(job)[0].pk)}


def test_a_retry_without_the_forms_token_is_refused(reader: Reader) -> None:
    job = failed_job()
    assert reader.client.post(f"/jobs/{job.pk}/retry", {"revision": job.revision}).status_code == 403
    assert Job.objects.get(pk=job.pk).status == JobStatus.FAILED
