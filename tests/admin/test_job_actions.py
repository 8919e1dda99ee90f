"""What support does to a job on its page: offered where it can be done, for a reason, with a permission of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from jobs.admin.actions import JOB_ACTIONS
from jobs.models import Dispatch, Job
from jobs.states import JobStatus
from tests.contract import OPEN, STATUSES
from tests.factories import force, make_job

pytestmark = pytest.mark.django_db(transaction=True)
REASON = {"reason": "The owner asked for it in ticket 4711."}
NAMES = [action.name for action in JOB_ACTIONS]


def signed_in(*permissions: str) -> Client:
    """A member of staff who may look at jobs, and has these permissions."""
    user = User.objects.create_user(f"staff {User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_job", *permissions)))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def support() -> Client:
    return signed_in(*(action.permission.removeprefix("jobs.") for action in JOB_ACTIONS))


def page(job: Job) -> str:
    return f"/admin/jobs/job/{job.pk}/change/"


def do(client: Client, job: Job, name: str, **given: Any) -> Any:
    return client.post(f"/admin/jobs/job/{job.pk}/do/{name}/", REASON | given, follow=True)


def offered(client: Client, job: Job) -> set[str]:
    return set(re.findall(r"/do/([a-z-]+)/", client.get(page(job)).content.decode()))


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def failed_job() -> Job:
    job = force(make_job(JobStatus.GENERATING), JobStatus.FAILED)
    Dispatch.objects.filter(job=job).update(status=Dispatch.CLOSED)
    return Job.objects.get(pk=job.pk)


def test_a_failed_job_is_retried_with_a_profile(support: Client) -> None:
    job = failed_job()
    assert "model_profile" in support.get(f"/admin/jobs/job/{job.pk}/do/retry/").content.decode()
    answer = do(support, job, "retry", model_profile="extractive")
    assert "goes on from TRANSCRIPT_READY" in said(answer)
    event = job.events.latest("id")
    assert (event.event_type, event.actor_type, event.data["reason"]) == (
        "JOB_RETRIED",
        "staff",
        REASON["reason"],
    )
    assert REASON["reason"] in LogEntry.objects.get(object_id=str(job.pk)).change_message


def test_an_open_job_is_cancelled(support: Client) -> None:
    job = make_job(JobStatus.TRANSCRIBING)
    assert "is cancelled" in said(do(support, job, "cancel"))
    assert Job.objects.get(pk=job.pk).status == "CANCELLED"


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_offered_depends_on_the_status(support: Client, status: str) -> None:
    job = failed_job() if status == "FAILED" else make_job(JobStatus(status))
    expected = {"retry"} if status == "FAILED" else {"cancel"} if status in OPEN else set()
    if status in ("CREATED", "UPLOADING", "EDITING", "REGENERATING", "EXPORTING"):
        expected.add("fail")
    assert offered(support, job) == expected


def test_nothing_is_done_without_a_reason(support: Client) -> None:
    job = make_job(JobStatus.EDITING)
    for reason in ("", "   ", "x" * 501):
        answer = do(support, job, "cancel", reason=reason)
        assert answer.context["form"].errors["reason"] and Job.objects.get(pk=job.pk).status == "EDITING"
    assert not LogEntry.objects.exists()


def test_a_job_that_has_moved_on_is_left_with_a_polite_word(support: Client) -> None:
    job = make_job(JobStatus.EDITING)
    confirmation = support.get(f"/admin/jobs/job/{job.pk}/do/cancel/")
    assert confirmation.status_code == 200
    force(job, JobStatus.DONE)
    assert "nothing was done" in said(do(support, job, "cancel"))
    assert Job.objects.get(pk=job.pk).status == "DONE" and not LogEntry.objects.exists()
    again = support.get(f"/admin/jobs/job/{job.pk}/do/cancel/", follow=True)
    assert "cannot be done" in said(again)


@pytest.mark.parametrize("name", NAMES)
def test_an_action_wants_its_own_permission(name: str) -> None:
    job = failed_job() if name == "retry" else make_job(JobStatus.EDITING)
    others = [action.permission.removeprefix("jobs.") for action in JOB_ACTIONS if action.name != name]
    client, before = signed_in(*others), Job.objects.get(pk=job.pk).revision
    assert name not in offered(client, job)
    assert client.get(f"/admin/jobs/job/{job.pk}/do/{name}/").status_code == 404
    assert do(client, job, name, model_profile="extractive").status_code == 404
    assert Job.objects.get(pk=job.pk).revision == before


def test_an_action_wants_the_permission_to_look() -> None:
    client = signed_in("cancel_any_job")
    User.objects.get().user_permissions.remove(Permission.objects.get(codename="view_job"))
    assert do(client, make_job(JobStatus.EDITING), "cancel").status_code == 404


def test_a_stranger_is_sent_to_the_sign_in() -> None:
    job = make_job(JobStatus.EDITING)
    answer = Client().post(f"/admin/jobs/job/{job.pk}/do/cancel/", REASON)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_a_form_from_elsewhere_is_refused(support: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = support.cookies
    job = make_job(JobStatus.EDITING)
    assert strict.post(f"/admin/jobs/job/{job.pk}/do/cancel/", REASON).status_code == 403


def test_what_is_not_there_is_not_found(support: Client) -> None:
    job = make_job(JobStatus.EDITING)
    assert do(support, job, "delete").status_code == 404
    job.pk = job.project_id
    assert do(support, job, "cancel").status_code == 404
