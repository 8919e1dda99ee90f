"""Tickets for the upload of a recording, and the owner's quota."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.storage import storage
from jobs.models import Artifact, Job, UploadTicket
from jobs.services.tickets import CLOSED_AFTER, RECORDINGS
from jobs.states import JobStatus
from tests.errors import assert_shape
from tests.factories import Api, force, make_job
from tests.races import at_once
from tests.uploads import BODY, TEN, ask, confirm, files, make_upload_ticket, put

pytestmark = pytest.mark.both_storages


def is_open(ticket: Any) -> bool:
    key = storage().key(ticket["video_uri"])
    return UploadTicket.objects.get(key=key).closed_at is None


def test_asked_again_a_fresh_ticket_is_given_and_the_job_stays(owner: Api) -> None:
    job = make_job(owner=owner.user)
    tickets = [ask(owner, job) for _ in range(2)]
    assert tickets[0]["video_uri"] != tickets[1]["video_uri"]
    assert tickets[0]["method"] == "PUT"
    assert job.events.filter(new_status="UPLOADING").count() == 1


@pytest.mark.parametrize(
    "status", [JobStatus.UPLOADED, JobStatus.EDITING, JobStatus.DONE, JobStatus.CANCELLED]
)
def test_a_ticket_in_the_wrong_state_is_refused(owner: Api, status: JobStatus) -> None:
    response = owner.post(f"/jobs/{make_job(status, owner=owner.user).pk}/upload", BODY)
    assert response.status_code == 409
    assert response.json()["details"]["current_status"] == status


@pytest.mark.parametrize(
    "changed", [{"filename": ""}, {"size_bytes": 0}, {"size_bytes": 2**60}, {"mime_type": "odd"}, {"odd": 1}]
)
def test_a_ticket_for_something_odd_is_400(owner: Api, changed: dict[str, Any]) -> None:
    response = owner.post(f"/jobs/{make_job(owner=owner.user).pk}/upload", {**BODY, **changed})
    assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db(transaction=True)
def test_the_sixth_ticket_closes_the_first_and_removes_its_file(owner: Api, storage_folder: Path) -> None:
    job = make_job(owner=owner.user)
    tickets = [ask(owner, job) for _ in range(5)]
    for ticket in tickets:
        assert put(ticket["upload_url"], TEN).status_code == 204
    tickets.append(ask(owner, job))
    assert [is_open(ticket) for ticket in tickets] == [False, True, True, True, True, True]
    assert len(files(storage_folder)) == 4
    assert_shape(put(tickets[0]["upload_url"], TEN), 409, "UPLOAD_EXPIRED")
    assert_shape(confirm(owner, job, tickets[0]), 409, "UPLOAD_EXPIRED")


def refused(owner: Api, size_bytes: int) -> dict[str, Any]:
    """The details of the refusal of a ticket for so many bytes."""
    job = make_job(owner=owner.user)
    answer = owner.post(f"/jobs/{job.pk}/upload", {**BODY, "size_bytes": size_bytes})
    assert Job.objects.get(pk=job.pk).status == JobStatus.CREATED
    details: dict[str, Any] = assert_shape(answer, 507, "STORAGE_FULL")["details"]
    return details


def test_the_quota_counts_what_is_kept_and_what_may_still_come(
    owner: Api, stranger: Api, settings: Any
) -> None:
    settings.QUOTA_BYTES_PER_OWNER = 100
    for other in (owner, stranger):
        kept = make_job(JobStatus.UPLOADED, owner=other.user)
        Artifact.objects.create(job=kept, kind="export", version=1, uri="local://a", size_bytes=40)
    ask(owner, make_job(owner=owner.user), size_bytes=30)
    assert refused(owner, 31) == {"limit_bytes": 100, "used_bytes": 70}
    ask(owner, make_job(owner=owner.user), size_bytes=30)
    assert refused(owner, 1) == {"limit_bytes": 100, "used_bytes": 100}


def test_what_cannot_come_any_more_is_not_counted(owner: Api, settings: Any) -> None:
    settings.QUOTA_BYTES_PER_OWNER = 100
    past = timezone.now() - timedelta(minutes=1)
    make_upload_ticket(make_job(JobStatus.UPLOADING, owner=owner.user), size_bytes=100, closed_at=past)
    make_upload_ticket(make_job(JobStatus.UPLOADING, owner=owner.user), size_bytes=100, expires_at=past)
    make_upload_ticket(force(make_job(owner=owner.user), JobStatus.CANCELLED), size_bytes=100)
    ask(owner, make_job(owner=owner.user), size_bytes=99)
    lies_there = make_job(JobStatus.UPLOADING, owner=owner.user)
    make_upload_ticket(lies_there, size_bytes=1, expires_at=past, received_at=past)
    assert refused(owner, 1)["used_bytes"] == 100


def test_a_fresh_ticket_of_a_job_needs_no_room_beside_the_earlier(owner: Api, settings: Any) -> None:
    settings.QUOTA_BYTES_PER_OWNER = 100
    job = make_job(owner=owner.user)
    first, second = (ask(owner, job, size_bytes=60) for _ in range(2))
    assert (is_open(first), is_open(second)) == (False, True)


def test_a_refused_ticket_closes_none(owner: Api, settings: Any) -> None:
    job = make_job(owner=owner.user)
    first = ask(owner, job, size_bytes=60)
    settings.QUOTA_BYTES_PER_OWNER = 50
    assert_shape(owner.post(f"/jobs/{job.pk}/upload", {**BODY, "size_bytes": 60}), 507, "STORAGE_FULL")
    assert is_open(first)


def test_a_job_that_is_deleted_gives_its_room_back(owner: Api, settings: Any) -> None:
    settings.QUOTA_BYTES_PER_OWNER = 100
    job = force(make_job(owner=owner.user), JobStatus.CANCELLED)
    Artifact.objects.create(job=job, kind="export", version=1, uri="local://a", size_bytes=100)
    refused(owner, 1)
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    ask(owner, make_job(owner=owner.user), size_bytes=100)


@pytest.mark.django_db(transaction=True)
def test_of_many_tickets_at_once_none_gets_over_the_quota(owner: Api, settings: Any) -> None:
    settings.QUOTA_BYTES_PER_OWNER = 30
    jobs = [make_job(owner=owner.user) for _ in range(6)]
    answers = at_once(6, lambda number: owner.post(f"/jobs/{jobs[number].pk}/upload", BODY).status_code)
    assert sorted(answers) == [201] * 3 + [507] * 3


@pytest.mark.django_db(transaction=True)
def test_the_sweep_closes_tickets_that_are_over_and_their_files_go(owner: Api, storage_folder: Path) -> None:
    jobs = [make_job(owner=owner.user) for _ in range(4)]
    tickets = [ask(owner, job) for job in jobs]
    for ticket in tickets:
        assert put(ticket["upload_url"], TEN).status_code == 204
    for job, past in ((jobs[1], CLOSED_AFTER), (jobs[2], CLOSED_AFTER - timedelta(minutes=1))):
        job.upload_tickets.update(expires_at=timezone.now() - past)
    assert owner.post(f"/jobs/{jobs[3].pk}/cancel").status_code == 200
    RECORDINGS.close_old()
    assert [is_open(ticket) for ticket in tickets] == [True, False, True, False]
    assert len(files(storage_folder)) == 2
