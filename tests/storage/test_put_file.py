"""PUT to a ticket's URL: what is stored, and that nothing is left half done."""

from __future__ import annotations

import io
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.api.errors import ApiError
from config.storage import storage
from config.storage.uploads import admit_upload, receive_upload
from jobs.models import Job, UploadTicket
from jobs.states import JobStatus
from tests.errors import assert_shape
from tests.factories import Api, force, make_job
from tests.uploads import TEN, ask, files, put


@pytest.fixture
def job(owner: Api) -> Job:
    return make_job(owner=owner.user)


@pytest.fixture
def ticket(owner: Api, job: Job) -> Any:
    return ask(owner, job)


def stored(ticket: Any) -> bytes:
    with storage().open(ticket["video_uri"]) as file:
        return file.read()


def test_an_upload_over_its_limit_is_413_and_leaves_nothing(ticket: Any, storage_folder: Path) -> None:
    """A ticket takes as many bytes as were declared for it, and no more."""
    assert ticket["max_size_bytes"] == 10
    assert_shape(put(ticket["upload_url"], b"x" * 11), 413, "PAYLOAD_TOO_LARGE")
    assert files(storage_folder) == []


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 9])
def test_a_body_shorter_than_declared_is_400_at_once(
    ticket: Any, storage_folder: Path, content: bytes
) -> None:
    answer = assert_shape(put(ticket["upload_url"], content), 400, "VALIDATION_ERROR")
    assert answer["details"]["errors"][0]["field"] == "Content-Length"
    assert files(storage_folder) == []


@pytest.mark.parametrize("mime_type", ["video/webm", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_than_declared_is_400(ticket: Any, mime_type: str) -> None:
    answer = assert_shape(put(ticket["upload_url"], TEN, mime_type=mime_type), 400, "VALIDATION_ERROR")
    assert answer["details"]["errors"][0]["field"] == "Content-Type"


def test_a_type_may_be_written_otherwise_and_have_parameters(ticket: Any) -> None:
    assert put(ticket["upload_url"], TEN, mime_type="Video/MP4; codecs=avc1").status_code == 204


@pytest.mark.parametrize(("content", "status"), [(TEN[:9], 400), (TEN + b"x", 413)])
def test_a_chunked_body_of_another_size_replaces_nothing(
    ticket: Any, storage_folder: Path, content: bytes, status: int
) -> None:
    """One that is cut off too: whatever the server makes of it, it is shorter than was declared."""
    assert put(ticket["upload_url"], TEN).status_code == 204
    admission = admit_upload(ticket["upload_url"].rpartition("/")[2], None, "video/mp4")
    with pytest.raises(ApiError) as caught:
        receive_upload(admission, io.BytesIO(content))
    assert caught.value.status == status
    assert stored(ticket) == TEN and len(files(storage_folder)) == 1


class Broken(io.BytesIO):
    """A connection that breaks after some bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("the connection broke")
        return super().read(4)


def test_a_connection_that_breaks_leaves_and_replaces_nothing(ticket: Any, storage_folder: Path) -> None:
    assert put(ticket["upload_url"], TEN).status_code == 204
    admission = admit_upload(ticket["upload_url"].rpartition("/")[2], None, "video/mp4")
    with pytest.raises(OSError, match="broke"):
        receive_upload(admission, Broken(TEN))
    assert stored(ticket) == TEN and len(files(storage_folder)) == 1
    assert UploadTicket.objects.get().receipts == 1


def test_a_put_again_replaces_the_file(ticket: Any) -> None:
    for content in (TEN, b"and ten mo"):
        assert put(ticket["upload_url"], content).status_code == 204
        assert stored(ticket) == content
    assert UploadTicket.objects.get().receipts == 2


def test_of_many_uploads_of_a_job_at_once_a_few_are_taken(
    owner: Api, job: Job, ticket: Any, storage_folder: Path
) -> None:
    """Each takes room on the disk before it counts as the ticket's."""
    folder = storage_folder / f"uploads/{job.pk}"
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f".{number}.part").write_bytes(b"some of another")
    answer = put(ask(owner, job)["upload_url"], TEN)
    assert_shape(answer, 429, "RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) >= 1
    for number in range(2):  # their writers died: nothing comes any more
        os.utime(folder / f".{number}.part", (time.time() - 301,) * 2)
    assert put(ticket["upload_url"], TEN).status_code == 204


def test_a_full_disk_is_507_and_leaves_nothing(
    ticket: Any, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    body = assert_shape(put(ticket["upload_url"], TEN), 507, "STORAGE_FULL")
    assert "details" not in body
    assert files(storage_folder) == []
    monkeypatch.undo()
    assert put(ticket["upload_url"], TEN).status_code == 204


def test_a_ticket_expires(owner: Api, job: Job, storage_folder: Path, settings: Any) -> None:
    settings.UPLOAD_URL_SECONDS = -1
    assert_shape(put(ask(owner, job)["upload_url"], TEN), 409, "UPLOAD_EXPIRED")
    assert files(storage_folder) == []


def test_an_upload_that_began_in_time_may_end_late(ticket: Any) -> None:
    admission = admit_upload(ticket["upload_url"].rpartition("/")[2], 10, "video/mp4")
    UploadTicket.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    receive_upload(admission, io.BytesIO(TEN))
    assert stored(ticket) == TEN


@pytest.mark.parametrize("status", [status for status in JobStatus if status != JobStatus.UPLOADING])
def test_a_job_that_is_not_uploading_takes_no_bytes(
    job: Job, ticket: Any, storage_folder: Path, status: JobStatus
) -> None:
    force(job, status)
    assert_shape(put(ticket["upload_url"], TEN), 409, "UPLOAD_EXPIRED")
    assert files(storage_folder) == []


def test_a_job_that_is_cancelled_while_bytes_come_keeps_nothing(
    owner: Api, job: Job, ticket: Any, storage_folder: Path
) -> None:
    admission = admit_upload(ticket["upload_url"].rpartition("/")[2], 10, "video/mp4")
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
    with pytest.raises(ApiError) as caught:
        receive_upload(admission, io.BytesIO(TEN))
    assert (caught.value.status, caught.value.code) == (409, "UPLOAD_EXPIRED")
    assert files(storage_folder) == []


def test_a_ticket_of_a_deleted_job_is_unknown(owner: Api, job: Job, ticket: Any) -> None:
    admission = admit_upload(ticket["upload_url"].rpartition("/")[2], 10, "video/mp4")
    owner.post(f"/jobs/{job.pk}/cancel")
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    assert_shape(put(ticket["upload_url"], TEN), 404, "RESOURCE_NOT_FOUND")
    with pytest.raises(ApiError) as caught:
        receive_upload(admission, io.BytesIO(TEN))
    assert caught.value.status == 404


def test_a_forged_token_is_404(ticket: Any) -> None:
    assert_shape(put(ticket["upload_url"][:-1] + "~", TEN), 404, "RESOURCE_NOT_FOUND")
