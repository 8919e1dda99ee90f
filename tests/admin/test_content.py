"""What an owner said and wrote is shown to staff for a reason, for half an hour, and the owner can read that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from jobs.admin.content import PERMISSION
from jobs.models import Job
from jobs.services import content
from jobs.states import JobStatus
from tests.factories import Api, make_job

pytestmark = pytest.mark.django_db
REASON = {"reason": "The owner wants to know why step 2 is odd."}
MAY = ("view_job", "view_instruction", "view_instructionversion", "read_content")


def signed_in(*permissions: str, name: str = "support") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def pages(job: Job) -> list[str]:
    version = job.instruction.versions.latest("version")
    return [
        f"/admin/jobs/job/{job.pk}/change/",
        f"/admin/instructions/instruction/{job.instruction_id}/change/",
        f"/admin/instructions/instructionversion/{version.pk}/change/",
    ]


def shows(client: Client, page: str) -> bool:
    return "Type the name." in client.get(page).content.decode()


def ask(client: Client, job: Job) -> int:
    return client.post(f"/admin/jobs/job/{job.pk}/do/read/", REASON).status_code


def test_it_is_shown_for_a_reason_that_the_owner_can_read(owner: Api) -> None:
    job, client = make_job(JobStatus.EDITING, owner=owner.user), signed_in(*MAY)
    assert not any(shows(client, page) for page in pages(job))
    assert ask(client, job) == 302
    assert all(shows(client, page) for page in pages(job))
    assert job.segments.first().text in client.get(pages(job)[0]).content.decode()
    event = owner.get(f"/jobs/{job.pk}/events").json()[-1]
    assert (event["event_type"], event["actor_type"], event["data"]) == ("CONTENT_SHOWN", "staff", REASON)


def test_it_is_shown_to_who_gave_the_reason_alone() -> None:
    job, client, other = make_job(JobStatus.EDITING), signed_in(*MAY), signed_in(*MAY, name="other")
    ask(client, job)
    assert not any(shows(other, page) for page in pages(job))
    another = make_job(JobStatus.EDITING)
    assert not any(shows(client, page) for page in pages(another))


def test_it_is_shown_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    job, client = make_job(JobStatus.EDITING), signed_in(*MAY)
    ask(client, job)
    monkeypatch.setattr(content, "OPEN_FOR", timedelta(seconds=-1))  # as if it was over
    assert not any(shows(client, page) for page in pages(job))


def test_it_wants_its_own_permission() -> None:
    job, client = make_job(JobStatus.EDITING), signed_in(*(name for name in MAY if name != "read_content"))
    assert ask(client, job) == 404
    assert not any(shows(client, page) for page in pages(job))
    assert PERMISSION == "jobs.read_content"
    assert not job.events.filter(event_type="CONTENT_SHOWN").exists()
