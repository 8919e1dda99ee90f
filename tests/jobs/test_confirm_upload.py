"""Confirming an upload: what is taken, what is refused, and that nothing is left half done."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from uuid6 import uuid7

from config.storage import file_system, storage
from jobs.media.probe import probe_video
from jobs.models import Artifact, Job
from jobs.services import confirmation
from jobs.states import JobStatus
from tests.factories import SAMPLE, Api, make_job, png, upload
from tests.uploads import BODY, TEN, ask, confirm, files, kept, put

pytestmark = pytest.mark.both_storages


def test_a_recording_is_uploaded_confirmed_and_confirmed_again(owner: Api, storage_folder: Path) -> None:
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    assert Job.objects.get(pk=job.pk).status == JobStatus.UPLOADING
    first = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri}).json()
    assert (first["replayed"], first["job"]["status"]) == (False, "UPLOADED")
    assert first["job"]["manifest"]["video_uri"] == uri
    video = Artifact.objects.get(job=job, kind="video")
    assert video.data["duration_ms"] == pytest.approx(48_933, abs=100)
    assert video.uri.startswith(f"local://jobs/{job.pk}/")
    second = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri}).json()
    assert (second["replayed"], second["job"]["updated_at"]) == (True, first["job"]["updated_at"])


def test_another_video_for_a_confirmed_job_is_a_conflict(owner: Api) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": f"local://uploads/{job.pk}/x"})
    assert (response.status_code, response.json()["code"]) == (409, "VIDEO_URI_CONFLICT")
    assert set(response.json()["details"]) == {"current_video_uri", "submitted_video_uri"}


@pytest.mark.file_system
def test_the_confirmed_copy_cannot_be_written_by_the_ticket(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=SAMPLE.stat().st_size)
    assert put(ticket["upload_url"], SAMPLE.read_bytes()).status_code == 204
    confirm(owner, job, ticket)
    answer = put(ticket["upload_url"], bytes(SAMPLE.stat().st_size))
    assert (answer.status_code, answer.json()["code"]) == (409, "UPLOAD_EXPIRED")
    assert kept(job) == SAMPLE.read_bytes()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("a.txt", "a")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"hello", "NOT_A_VIDEO"),
        (png(), "NOT_A_VIDEO"),
        (_zip(), "NOT_A_VIDEO"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "NOT_A_VIDEO"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "NOT_A_VIDEO"),
        (SAMPLE.read_bytes()[:2000], "UNDECODABLE"),
    ],
)
def test_what_is_no_video_is_refused_by_its_bytes_and_the_next_try_works(
    owner: Api, storage_folder: Path, content: bytes, code: str
) -> None:
    job = make_job(owner=owner.user)
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, content)})
    assert (response.status_code, response.json()["code"]) == (400, "UPLOAD_VERIFICATION_FAILED")
    assert response.json()["details"]["mismatches"][0]["code"] == code
    assert files(storage_folder) == [] and not Artifact.objects.filter(job=job).exists()
    good = owner.post(
        f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, SAMPLE.read_bytes())}
    )
    assert good.json()["job"]["status"] == "UPLOADED"


def test_confirming_before_the_upload_says_so(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = owner.post(f"/jobs/{job.pk}/upload", BODY).json()
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": ticket["video_uri"]})
    assert (response.status_code, response.json()["code"]) == (409, "UPLOAD_NOT_RECEIVED")


def test_confirming_an_expired_ticket_that_was_not_used_says_so(owner: Api, settings: Any) -> None:
    settings.UPLOAD_URL_SECONDS = -1
    job = make_job(owner=owner.user)
    answer = confirm(owner, job, ask(owner, job))
    assert (answer.status_code, answer.json()["code"]) == (409, "UPLOAD_EXPIRED")


@pytest.mark.parametrize(
    "uri",
    [
        "local://uploads/OTHER/01a20000-0000-7000-8000-000000000000",
        "local://jobs/OWN/abc",
        "local://uploads/OWN/../../secrets/jwt_secret",
        "local://uploads/OWN/..",
        "local://uploads/OWN/.hidden",
        "file:///etc/passwd",
        "http://127.0.0.1/video.mp4",
        "s3://bucket/video.mp4",
        "gs://bucket/video.mp4",
        "/etc/passwd",
    ],
)
def test_a_uri_that_no_ticket_of_this_job_names_is_refused(owner: Api, uri: str) -> None:
    job, other = make_job(owner=owner.user), make_job(owner=owner.user)
    uri = uri.replace("OWN", str(job.pk)).replace("OTHER", str(other.pk))
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_ERROR")
    assert response.json()["details"]["errors"][0]["field"] == "video_uri"


def test_a_key_that_no_ticket_names_is_not_accepted_whoever_made_it_up(owner: Api) -> None:
    job = make_job(JobStatus.CREATED, owner=owner.user)
    for key in (uuid7(), f"{uuid7()}-{'0' * 32}"):
        answer = owner.post(
            f"/jobs/{job.pk}/confirm-upload", {"video_uri": f"local://uploads/{job.pk}/{key}"}
        )
        assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (400, "video_uri")


def test_confirming_with_an_expired_ticket_that_was_used_in_time_works(owner: Api) -> None:
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    job.upload_tickets.update(expires_at=timezone.now() - timedelta(hours=1))
    assert owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri}).status_code == 200


def test_confirming_closes_all_tickets_of_the_job(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ask(owner, job)
    owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, SAMPLE.read_bytes())})
    assert not job.upload_tickets.filter(closed_at=None).exists()


def test_a_refusal_is_remembered_until_another_file_comes(
    owner: Api, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[Path] = []

    def count(path: Path) -> Any:
        probed.append(path)
        return probe_video(path)

    monkeypatch.setattr(confirmation, "probe_in_child", count)
    job = make_job(owner=owner.user)
    ticket = ask(owner, job)
    put(ticket["upload_url"], TEN)
    answers = [confirm(owner, job, ticket) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400] * 3
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0]["code"] == "UPLOAD_VERIFICATION_FAILED" and bodies == [bodies[0]] * 3
    assert len(probed) == 1 and files(storage_folder) == []
    put(ticket["upload_url"], TEN)
    assert confirm(owner, job, ticket).status_code == 400
    assert len(probed) == 2


@pytest.mark.file_system
def test_a_refusal_is_not_of_the_file_that_came_meanwhile(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job)
    put(ticket["upload_url"], TEN)

    def probe_late(path: Path) -> Any:
        assert put(ticket["upload_url"], b"ten others").status_code == 204
        return probe_video(path)

    monkeypatch.setattr(confirmation, "probe_in_child", probe_late)
    assert confirm(owner, job, ticket).status_code == 400
    with storage().open(ticket["video_uri"]) as file:
        assert file.read() == b"ten others"
    assert job.upload_tickets.get().refusal_code == ""


@pytest.mark.file_system
@pytest.mark.parametrize("moment", ["hashed", "probed"])
def test_a_put_during_a_confirm_does_not_change_what_is_kept(
    owner: Api, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before the hash is taken, and after: the recorded hash is that of the bytes that were probed and are kept."""
    first, second = SAMPLE.read_bytes(), bytes(SAMPLE.stat().st_size)
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(first))
    assert put(ticket["upload_url"], first).status_code == 204
    module, name = (file_system, "file_digest") if moment == "hashed" else (confirmation, "probe_in_child")
    work = getattr(module, name)

    def after_a_put(path: Path) -> Any:
        assert put(ticket["upload_url"], second).status_code == 204
        return work(path)

    monkeypatch.setattr(module, name, after_a_put)
    assert confirm(owner, job, ticket).status_code == 200
    assert kept(job) == first


def test_a_put_writes_no_file_in_place(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job)
    put(ticket["upload_url"], TEN)
    stored = storage().keep_upload(ticket["video_uri"], f"jobs/{job.pk}/", size=10)
    put(ticket["upload_url"], b"ten others")
    with storage().open(stored.uri) as file:
        assert file.read() == TEN


def test_a_job_cancelled_during_a_confirm_keeps_nothing(
    owner: Api, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())

    def probe_late(path: Path) -> Any:
        assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
        return probe_video(path)

    monkeypatch.setattr(confirmation, "probe_in_child", probe_late)
    answer = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert not [path for path in files(storage_folder) if "jobs" in path.parts[-3:]]
