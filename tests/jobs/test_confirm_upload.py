"""Confirming an upload: what is taken, what is refused, and that nothing is left half done."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from uuid6 import uuid7

from config.storage import storage
from jobs.models import Artifact, Job
from jobs.states import JobStatus
from tests.factories import SAMPLE, Api, make_job, png, upload
from tests.uploads import BODY, put


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


def test_the_confirmed_copy_cannot_be_written_by_the_ticket(owner: Api) -> None:
    job = make_job(owner=owner.user)
    about = {**BODY, "size_bytes": SAMPLE.stat().st_size}
    ticket = owner.post(f"/jobs/{job.pk}/upload", about).json()
    assert put(ticket["upload_url"], SAMPLE.read_bytes()).status_code == 204
    owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": ticket["video_uri"]})
    assert put(ticket["upload_url"], b"something else").status_code == 204
    kept = Artifact.objects.get(job=job, kind="video").uri
    with storage().open(kept) as file:
        assert file.read() == SAMPLE.read_bytes()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("a.txt", "a")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
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
    assert not list((storage_folder / "jobs").rglob("*.*")) and not Artifact.objects.filter(job=job).exists()
    good = owner.post(
        f"/jobs/{job.pk}/confirm-upload", {"video_uri": upload(owner, job.pk, SAMPLE.read_bytes())}
    )
    assert good.json()["job"]["status"] == "UPLOADED"


def test_confirming_before_the_upload_says_so(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = owner.post(f"/jobs/{job.pk}/upload", BODY).json()
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": ticket["video_uri"]})
    assert (response.status_code, response.json()["code"]) == (409, "UPLOAD_NOT_RECEIVED")


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
