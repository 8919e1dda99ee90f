"""Tickets for pictures: what they are given for, and what may be sent with them."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from anchors.models import ImageUpload
from anchors.services.tickets import PICTURES
from anchors.services.uploads import MAX_BYTES, MAX_OPEN_UPLOADS
from config.storage import pictures_folder, storage
from jobs.models import AuditEvent, Job, Tombstone
from jobs.services.deletion import remove_files_of_deleted_jobs
from jobs.services.quota import used_bytes
from jobs.services.tickets import CLOSED_AFTER
from jobs.services.unused_files import remove_unused_files
from jobs.states import JobStatus
from tests.anchors.uploading import ask_for, confirm, declared, picture, send, sent
from tests.errors import assert_shape
from tests.factories import Api, force, make_job
from tests.races import at_once
from tests.uploads import ask, files, put

pytestmark = pytest.mark.both_storages


@pytest.fixture
def job(owner: Api) -> Job:
    return make_job(JobStatus.EDITING, owner=owner.user)


def is_open(ticket: Any) -> bool:
    return ImageUpload.objects.get(pk=ticket["upload_id"]).closed_at is None


def test_a_ticket_says_how_the_picture_is_sent(owner: Api, job: Job) -> None:
    content = picture()
    ticket = ask_for(owner, job, content)
    upload = ImageUpload.objects.get()
    assert upload.key == f"{pictures_folder(job.pk)}{upload.key.rpartition('/')[2]}"
    assert (ticket["upload_id"], ticket["method"]) == (str(upload.pk), "PUT")
    assert ticket["max_size_bytes"] == 10 * 2**20
    assert ticket["allowed_mime_types"] == ["image/png", "image/jpeg", "image/webp"]
    headers = {"Content-Type": "image/png"}
    if storage().is_written_by_clients:
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers["x-amz-checksum-sha256"] = checksum
    assert ticket["headers"] == headers
    assert send(ticket, content).status_code == 204
    event = AuditEvent.objects.filter(job=job).latest("pk")
    assert (event.event_type, event.data["upload_id"]) == ("SCREENSHOT_UPLOAD_STARTED", ticket["upload_id"])


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"size_bytes": MAX_BYTES + 1}, "size_bytes", "too_large"),
        ({"size_bytes": 2**60}, "size_bytes", "too_large"),
        ({"size_bytes": 0}, "size_bytes", "min_value"),
        ({"size_bytes": "1"}, "size_bytes", "wrong_type"),
        ({"mime_type": "image/gif"}, "mime_type", "invalid_choice"),
        ({"mime_type": "image/svg+xml"}, "mime_type", "invalid_choice"),
        ({"mime_type": "IMAGE/PNG"}, "mime_type", "invalid_choice"),
        ({"checksum_sha256": "a" * 63}, "checksum_sha256", "invalid"),
        ({"checksum_sha256": "A" * 64}, "checksum_sha256", "invalid"),
        ({"checksum_sha256": "g" * 64}, "checksum_sha256", "invalid"),
        ({"checksum_sha256": "a" * 64 + "\n"}, "checksum_sha256", "invalid"),
        ({"filename": ""}, "filename", "blank"),
        ({"filename": "a" * 256}, "filename", "max_length"),
        ({"odd": 1}, "odd", "unknown_field"),
    ],
)
def test_a_ticket_for_something_odd_is_400(
    owner: Api, job: Job, changed: dict[str, Any], field: str, code: str
) -> None:
    answer = owner.post(f"/jobs/{job.pk}/screenshots/uploads", declared(picture(), **changed))
    errors = assert_shape(answer, 400, "VALIDATION_ERROR")["details"]["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    assert not ImageUpload.objects.exists()


def test_the_largest_picture_gets_a_ticket_and_its_name_means_nothing(owner: Api, job: Job) -> None:
    ticket = ask_for(owner, job, picture(), size_bytes=MAX_BYTES, filename="../../etc/passwd")
    assert "passwd" not in ticket["upload_url"]
    assert "passwd" not in ImageUpload.objects.get().key


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus.UPLOADED, "FSM_TRANSITION_INVALID"),
        (JobStatus.FAILED, "FSM_TERMINAL_IMMUTABLE"),
        (JobStatus.CANCELLED, "FSM_TERMINAL_IMMUTABLE"),
    ],
)
def test_a_job_without_a_document_to_write_takes_none(owner: Api, status: JobStatus, code: str) -> None:
    job = make_job(status, owner=owner.user)
    answer = owner.post(f"/jobs/{job.pk}/screenshots/uploads", declared(picture()))
    assert_shape(answer, 409, code)
    assert not ImageUpload.objects.exists()


def test_the_first_ticket_opens_the_document(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    ask_for(owner, job, picture())
    assert Job.objects.get(pk=job.pk).status == JobStatus.EDITING


def test_a_done_job_takes_pictures(owner: Api, job: Job) -> None:
    force(job, JobStatus.DONE)
    sent(owner, job, picture())
    assert Job.objects.get(pk=job.pk).status == JobStatus.DONE


@pytest.mark.file_system
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda content: content[:-1] + b"x", "body"),
        (lambda content: content[:-1], "Content-Length"),
        (lambda content: bytes(len(content)), "body"),
    ],
)
def test_our_own_put_takes_no_other_bytes(
    owner: Api, job: Job, storage_folder: Path, change: Any, field: str
) -> None:
    content = picture()
    before = files(storage_folder)
    ticket = ask_for(owner, job, content)
    refused = assert_shape(send(ticket, change(content)), 400, "VALIDATION_ERROR")
    assert refused["details"]["errors"][0]["field"] == field
    assert files(storage_folder) == before
    assert confirm(owner, job, ticket, content).json()["code"] == "UPLOAD_NOT_RECEIVED"
    assert send(ticket, content).status_code == 204


@pytest.mark.file_system
def test_our_own_put_takes_no_other_size_or_type(owner: Api, job: Job) -> None:
    content = picture()
    ticket = ask_for(owner, job, content)
    assert_shape(put(ticket["upload_url"], content + b"x", mime_type="image/png"), 413, "PAYLOAD_TOO_LARGE")
    assert_shape(put(ticket["upload_url"], content, mime_type="image/jpeg"), 400, "VALIDATION_ERROR")


@pytest.mark.file_system
def test_the_put_of_a_job_that_ended_is_refused(owner: Api, job: Job) -> None:
    ticket = ask_for(owner, job, picture())
    force(job, JobStatus.CANCELLED)
    assert_shape(send(ticket, picture()), 409, "UPLOAD_EXPIRED")


@pytest.mark.django_db(transaction=True)
def test_one_ticket_too_many_closes_the_oldest_and_its_file_goes(owner: Api, storage_folder: Path) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    before = len(files(storage_folder))
    tickets = [sent(owner, job, picture(size=(64 + n, 48))) for n in range(MAX_OPEN_UPLOADS)]
    recording = ask(owner, make_job(owner=owner.user))
    tickets.append(ask_for(owner, job, picture()))
    assert [is_open(ticket) for ticket in tickets] == [False] + [True] * MAX_OPEN_UPLOADS
    assert len(files(storage_folder)) == before + MAX_OPEN_UPLOADS - 1
    assert_shape(send(tickets[0], picture()), 409, "UPLOAD_EXPIRED")
    assert_shape(confirm(owner, job, tickets[0], picture()), 409, "UPLOAD_EXPIRED")
    assert put(recording["upload_url"], b"ten bytes!").status_code == 204


def test_open_tickets_count_into_the_quota(owner: Api, job: Job, settings: Any) -> None:
    before, content = used_bytes(owner.user.pk), picture()
    first = ask_for(owner, job, content)
    assert used_bytes(owner.user.pk) == before + len(content)
    settings.QUOTA_BYTES_PER_OWNER = before + len(content)
    answer = owner.post(f"/jobs/{job.pk}/screenshots/uploads", declared(content, size_bytes=1))
    assert_shape(answer, 507, "STORAGE_FULL")
    assert is_open(first), "a refused ticket closes none"
    ImageUpload.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert used_bytes(owner.user.pk) == before


@pytest.mark.django_db(transaction=True)
def test_of_many_tickets_at_once_none_gets_over_the_quota(owner: Api, settings: Any) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    settings.QUOTA_BYTES_PER_OWNER = used_bytes(owner.user.pk) + 30
    body = declared(picture(), size_bytes=10)
    answers = at_once(6, lambda _: owner.post(f"/jobs/{job.pk}/screenshots/uploads", body).status_code)
    assert sorted(answers) == [201] * 3 + [507] * 3


@pytest.mark.django_db(transaction=True)
def test_the_sweep_closes_tickets_that_are_over_and_their_files_go(owner: Api, storage_folder: Path) -> None:
    jobs = [make_job(JobStatus.EDITING, owner=owner.user) for _ in range(3)]
    tickets = [sent(owner, job, picture()) for job in jobs]
    jobs[1].image_uploads.update(expires_at=timezone.now() - CLOSED_AFTER)
    force(jobs[2], JobStatus.FAILED)
    before = len(files(storage_folder))
    PICTURES.close_old()
    assert [is_open(ticket) for ticket in tickets] == [True, False, False]
    assert len(files(storage_folder)) == before - 2


def uploaded(job: Job) -> list[str]:
    return storage().old_files(pictures_folder(job.pk), timedelta(seconds=-2))


def test_the_sweep_of_files_knows_the_pictures_of_open_tickets(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.unused_files.UNUSED_AFTER", timedelta(seconds=-2))
    kept = sent(owner, job, picture())
    left = ImageUpload.objects.get(pk=sent(owner, job, picture(size=(65, 48)))["upload_id"])
    ImageUpload.objects.filter(pk=left.pk).update(closed_at=timezone.now())
    assert len(uploaded(job)) == 2
    remove_unused_files()
    assert uploaded(job) == [storage().uri(ImageUpload.objects.get(pk=kept["upload_id"]).key)]


def test_the_pictures_of_a_deleted_job_go(owner: Api, job: Job) -> None:
    sent(owner, job, picture())
    assert pictures_folder(job.pk) in storage().folders(after="", limit=100)
    force(job, JobStatus.CANCELLED)
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    assert Tombstone.objects.filter(job_id=job.pk).exists() and not ImageUpload.objects.exists()
    remove_files_of_deleted_jobs()
    assert pictures_folder(job.pk) not in storage().folders(after="", limit=100)
