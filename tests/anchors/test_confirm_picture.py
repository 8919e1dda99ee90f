"""Confirming an uploaded picture: what is taken, what is refused, and that nothing is left half done."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from PIL import Image

from anchors.inspection import inspect_picture
from anchors.models import Asset, ImageUpload
from anchors.services import uploads
from config.sandbox import SandboxError
from config.storage import pictures_folder, storage
from jobs.models import AuditEvent, Job
from jobs.services.quota import used_bytes
from jobs.states import JobStatus
from tests.anchors.bad_pictures import BAD, GOOD, png
from tests.anchors.uploading import ask_for, confirm, confirmed, picture, send, sent
from tests.errors import assert_shape
from tests.factories import Api, force, make_job
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


@pytest.fixture
def job(owner: Api) -> Job:
    return make_job(JobStatus.EDITING, owner=owner.user)


def mismatches(answer: Any) -> list[tuple[str, str]]:
    found = assert_shape(answer, 400, "UPLOAD_VERIFICATION_FAILED")["details"]["mismatches"]
    assert all(one["message"] for one in found)
    return [(one["field"], one["code"]) for one in found]


def waiting(job: Job) -> list[str]:
    """The files that lie at tickets of the job."""
    is_there = pictures_folder(job.pk) in storage().folders(after="", limit=100)
    return storage().old_files(pictures_folder(job.pk), timedelta(seconds=-2)) if is_there else []


def test_a_picture_is_confirmed_and_confirmed_again(owner: Api, job: Job) -> None:
    content = picture()
    before = used_bytes(owner.user.pk)
    ticket = sent(owner, job, content)
    first = confirm(owner, job, ticket, content)
    assert first.status_code == 200
    asset = first.json()["asset"]
    expected = {
        "anchor_id": None, "version": 1, "kind": "UPLOADED", "mime_type": "image/png", "width": 64, "height": 48,
        "checksum_sha256": hashlib.sha256(content).hexdigest(), "upload_id": ticket["upload_id"],
        "previous_asset_id": None, "extraction_key": None, "is_deleted": False,
    }  # fmt: skip
    assert {name: asset[name] for name in expected} == expected
    served = owner.get(f"/assets/{asset['id']}/content")
    bytes_of = (
        httpx.get(served.headers["Location"]).content if served.status_code == 302 else served.getvalue()
    )
    assert bytes_of == content
    if served.status_code == 200:
        about = (served.headers["Content-Type"], served.headers["X-Content-Type-Options"])
        assert about == ("image/png", "nosniff"), "no reader takes it for something else"
    again = confirm(owner, job, ticket, content)
    assert (again.status_code, again.json()) == (200, first.json())
    assert AuditEvent.objects.filter(job=job, event_type="SCREENSHOT_UPLOADED").count() == 1
    assert used_bytes(owner.user.pk) == before + len(content)


@pytest.mark.parametrize("name", GOOD)
def test_pictures_of_all_kinds_are_taken(owner: Api, job: Job, name: str) -> None:
    content, mime_type = GOOD[name]
    asset = confirmed(owner, job, content, mime_type)
    assert (asset["mime_type"], asset["width"], asset["height"]) == (mime_type, 64, 48)


@pytest.mark.file_system
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_for_good(owner: Api, job: Job, name: str) -> None:
    content, mime_type, code = BAD[name]
    ticket = sent(owner, job, content, mime_type)
    first = confirm(owner, job, ticket, content, mime_type)
    assert mismatches(first) == [("upload_id", code)]
    again = confirm(owner, job, ticket, content, mime_type)
    assert again.json()["details"] == first.json()["details"]
    assert not Asset.objects.exists()
    upload = ImageUpload.objects.get()
    assert (upload.closed_at is not None, upload.received_at, upload.refusal_code) == (True, None, code)
    assert_shape(send(ticket, content), 409, "UPLOAD_EXPIRED")


@pytest.mark.django_db(transaction=True)
def test_the_file_of_a_refused_picture_goes(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    ticket = sent(owner, job, b"hello")
    assert len(waiting(job)) == 1
    assert mismatches(confirm(owner, job, ticket, b"hello")) == [("upload_id", "NOT_A_PICTURE")]
    assert waiting(job) == []
    assert mismatches(confirm(owner, job, ticket, b"hello")) == [("upload_id", "NOT_A_PICTURE")]


@pytest.mark.django_db(transaction=True)
def test_the_file_of_a_confirmed_picture_moves(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    asset = Asset.objects.get(pk=confirmed(owner, job)["id"])
    assert waiting(job) == []
    assert storage().size(asset.uri) == asset.size_bytes


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"width": 65}, "width"),
        ({"height": 47}, "height"),
        ({"width": 48, "height": 64}, "width"),
        ({"mime_type": "image/jpeg"}, "mime_type"),
        ({"checksum_sha256": "0" * 64}, "checksum_sha256"),
        ({"size_bytes": 1}, "size_bytes"),
    ],
)
def test_a_confirmation_that_lies_is_refused_and_the_truth_taken(
    owner: Api, job: Job, changed: dict[str, Any], field: str
) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    answer = confirm(owner, job, ticket, content, **changed)
    assert mismatches(answer) == [
        (name, "differs_from_confirmation") for name in sorted(changed, reverse=True)
    ]
    assert field in changed and not Asset.objects.exists()
    assert confirm(owner, job, ticket, content).status_code == 200
    refused = confirm(owner, job, ticket, content, **changed)
    assert set(mismatches(refused)) == set(mismatches(answer)), "the same after it was confirmed"


def test_all_that_differs_is_named_at_once(owner: Api, job: Job) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    wrong = {"size_bytes": 1, "checksum_sha256": "0" * 64, "mime_type": "image/webp", "width": 1, "height": 1}
    found = mismatches(confirm(owner, job, ticket, content, **wrong))
    assert dict(found) == dict.fromkeys(wrong, "differs_from_confirmation")


def test_a_type_that_the_ticket_was_not_asked_for_is_refused(owner: Api, job: Job) -> None:
    content = picture("JPEG")
    ticket = sent(owner, job, content, "image/png")
    expected = [("mime_type", "differs_from_ticket"), ("mime_type", "differs_from_confirmation")]
    assert mismatches(confirm(owner, job, ticket, content, "image/png")) == expected
    assert mismatches(confirm(owner, job, ticket, content, "image/jpeg")) == expected[:1]
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    ("other", "fields"),
    [
        (picture(size=(48, 64)), {"size_bytes", "checksum_sha256"}),
        (picture() + b"and more", {"size_bytes"}),
        (picture()[:-4] + b"1234", {"checksum_sha256"}),
    ],
)
def test_other_bytes_than_the_tickets_are_refused_unread(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch, other: bytes, fields: set[str]
) -> None:
    """As from a bucket that did not check; the right bytes may still come."""
    content = picture()
    ticket = sent(owner, job, content)
    upload = ImageUpload.objects.get()
    put_anyway(upload.key, other)
    with monkeypatch.context() as patch:
        patch.setattr(uploads.sandbox, "call", lambda *_, **__: pytest.fail("it was decoded"))
        found = mismatches(confirm(owner, job, ticket, content))
    assert {field for field, code in found if code == "differs_from_ticket"} == fields
    put_anyway(upload.key, content)
    assert confirm(owner, job, ticket, content).status_code == 200


def put_anyway(key: str, content: bytes) -> None:
    """Write a file as no ticket lets anybody do."""
    found: Any = storage()
    if found.is_written_by_clients:
        found._client.put_object(**found._named(key), Body=content)
    else:
        (found.root / key).write_bytes(content)


def test_a_picture_that_says_it_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchors.inspection.Image.open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(uploads.PictureRefused, match="40,000,000"):
        inspect_picture(png(8000, 5001, rows=0))


def test_the_largest_picture_is_taken(owner: Api, job: Job) -> None:
    content = png(8000, 5000)
    assert confirmed(owner, job, content, width=8000, height=5000)["width"] == 8000


def test_sides_are_those_of_the_stored_pixels_whatever_exif_says(owner: Api, job: Job) -> None:
    exif = picture_exif(6)
    content = picture("JPEG", exif=exif)
    assert confirmed(owner, job, content, "image/jpeg")["width"] == 64


def picture_exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def test_nothing_came_yet_or_too_late(owner: Api, job: Job) -> None:
    content = picture()
    ticket = ask_for(owner, job, content)
    assert_shape(confirm(owner, job, ticket, content), 409, "UPLOAD_NOT_RECEIVED")
    ImageUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_shape(confirm(owner, job, ticket, content), 409, "UPLOAD_EXPIRED")


def test_what_came_in_time_is_confirmed_after_the_ticket_expired(owner: Api, job: Job) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    ImageUpload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert confirm(owner, job, ticket, content).status_code == 200


def test_an_upload_of_another_job_or_owner_is_not_there(owner: Api, stranger: Api, job: Job) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    theirs, other = (make_job(JobStatus.EDITING, owner=api.user) for api in (stranger, owner))
    answers = [
        confirm(owner, other, ticket, content),
        confirm(stranger, theirs, ticket, content),
        confirm(stranger, job, ticket, content),
        confirm(owner, job, {"upload_id": "odd"}, content),
        confirm(owner, job, {"upload_id": str(job.pk)}, content),
    ]
    for answer in answers:
        assert_shape(answer, 404, "RESOURCE_NOT_FOUND")
    assert not Asset.objects.exists()


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_that_ended_takes_no_picture_but_shows_the_confirmed(
    owner: Api, job: Job, status: JobStatus
) -> None:
    content, other = picture(), picture(size=(48, 64))
    first, second = sent(owner, job, content), sent(owner, job, other)
    taken = confirm(owner, job, first, content)
    force(job, status)
    assert_shape(confirm(owner, job, second, other, width=48, height=64), 409, "FSM_TERMINAL_IMMUTABLE")
    assert confirm(owner, job, first, content).json() == taken.json()


def test_a_job_cancelled_during_a_confirm_gets_no_picture(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    look = uploads.sandbox.call

    def cancel_meanwhile(*args: Any, **kwargs: Any) -> Any:
        assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
        return look(*args, **kwargs)

    monkeypatch.setattr(uploads.sandbox, "call", cancel_meanwhile)
    refused = confirm(owner, job, ticket, content)
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert not Asset.objects.exists()


def test_a_ticket_that_is_closed_meanwhile_gives_no_picture(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = picture()
    ticket = sent(owner, job, content)
    look = uploads.sandbox.call

    def close_meanwhile(*args: Any, **kwargs: Any) -> Any:
        ImageUpload.objects.update(closed_at=timezone.now(), received_at=None)
        return look(*args, **kwargs)

    monkeypatch.setattr(uploads.sandbox, "call", close_meanwhile)
    assert_shape(confirm(owner, job, ticket, content), 409, "UPLOAD_EXPIRED")
    assert not Asset.objects.exists()


def test_a_child_that_was_killed_is_no_fault_of_the_picture(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = picture()
    ticket = sent(owner, job, content)

    def lose(*_: Any, **__: Any) -> Any:
        raise SandboxError("WORKER_CRASHED", may_pass=True)

    with monkeypatch.context() as patch:
        patch.setattr(uploads.sandbox, "call", lose)
        assert_shape(confirm(owner, job, ticket, content), 503, "SERVICE_UNAVAILABLE")
    assert confirm(owner, job, ticket, content).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_confirms_at_once_one_makes_the_picture(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    content = picture()
    ticket = sent(owner, job, content)
    answers = at_once(5, lambda _: confirm(owner, job, ticket, content))
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert len({answer.json()["asset"]["id"] for answer in answers if answer.status_code == 200}) == 1
    assert Asset.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [{"width": 0}, {"height": -1}, {"width": 2**31}, {"width": "64"}, {"odd": 1}, {"size_bytes": 2**30}],
)
def test_a_confirmation_of_something_odd_is_400(owner: Api, job: Job, changed: dict[str, Any]) -> None:
    content = picture()
    ticket = ask_for(owner, job, content)
    refused = assert_shape(confirm(owner, job, ticket, content, **changed), 400, "VALIDATION_ERROR")
    assert [error["field"] for error in refused["details"]["errors"]] == list(changed)
