"""Recordings that clients send to a bucket themselves, and pictures and exports that they take from it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core.management.base import CommandError

from config.management.commands.serve import Command
from config.storage import kept_folder, s3, storage, uploads_folder
from jobs.services import confirmation, unused_files
from jobs.services.unused_files import remove_unused_files
from tests.desk import Desk
from tests.exports.asking import done
from tests.factories import SAMPLE, Api, make_job
from tests.s3 import Fault, client, environment, faulty, in_bucket, server
from tests.uploads import TEN, ask, confirm, kept, put

NOW = timedelta(seconds=-2)
CONTENT = SAMPLE.read_bytes()
MIB = 2**20


@pytest.fixture(autouse=True)
def bucket(settings: Any, storage_folder: object) -> Iterator[None]:
    storage.cache_clear()
    with in_bucket(settings):
        yield


def test_a_ticket_is_signed_for_the_bucket(owner: Api) -> None:
    ticket = ask(owner, make_job(owner=owner.user), size_bytes=len(CONTENT))
    assert ticket["upload_url"].startswith(f"{server()}/") and ticket["video_uri"].startswith("s3://")
    assert (ticket["method"], ticket["headers"], ticket["parts"]) == (
        "PUT",
        {"Content-Type": "video/mp4"},
        [],
    )


def test_a_large_recording_comes_in_parts(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MULTIPART_OVER", 5 * MIB)
    monkeypatch.setattr(s3, "PART_BYTES", 5 * MIB)
    content = CONTENT + struct.pack(">I4s", 6 * MIB, b"free") + bytes(6 * MIB - 8)
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(content))
    sizes = [5 * MIB] * (len(content) // (5 * MIB)) + [len(content) % (5 * MIB)]
    assert [(part["part_number"], part["size_bytes"]) for part in ticket["parts"]] == [*enumerate(sizes, 1)]
    assert confirm(owner, job, ticket).json()["code"] == "UPLOAD_NOT_RECEIVED"
    for part in ticket["parts"]:
        first = (part["part_number"] - 1) * 5 * MIB
        sent = httpx.put(part["upload_url"], content=content[first : first + part["size_bytes"]])
        assert sent.status_code == 200
    assert confirm(owner, job, ticket).status_code == 200
    assert kept(job) == content


def test_a_file_of_another_size_is_refused_and_the_right_one_taken(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(CONTENT))
    put(ticket["upload_url"], CONTENT[:-1])
    refused = confirm(owner, job, ticket)
    assert (refused.status_code, refused.json()["code"]) == (400, "UPLOAD_VERIFICATION_FAILED")
    put(ticket["upload_url"], CONTENT)
    assert confirm(owner, job, ticket).status_code == 200


def test_a_put_after_the_confirmation_changes_nothing_and_goes(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(CONTENT))
    put(ticket["upload_url"], CONTENT)
    assert confirm(owner, job, ticket).status_code == 200
    put(ticket["upload_url"], bytes(len(CONTENT)))
    assert kept(job) == CONTENT
    monkeypatch.setattr(unused_files, "UNUSED_AFTER", NOW)
    remove_unused_files()
    assert storage().old_files(uploads_folder(job.pk), NOW) == []
    assert kept(job) == CONTENT


def test_a_file_that_comes_while_another_is_refused_stays(
    owner: Api, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=10)
    put(ticket["upload_url"], TEN)
    look = confirmation.probe_in_child

    def look_late(video: Any) -> Any:
        put(ticket["upload_url"], b"ten others")
        return look(video)

    monkeypatch.setattr(confirmation, "probe_in_child", look_late)
    with django_capture_on_commit_callbacks(execute=True):
        assert confirm(owner, job, ticket).status_code == 400
    with storage().open(ticket["video_uri"]) as file:
        assert file.read() == b"ten others"


def test_a_refused_file_goes_and_is_refused_again(
    owner: Api, django_capture_on_commit_callbacks: Any
) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=10)
    put(ticket["upload_url"], TEN)
    with django_capture_on_commit_callbacks(execute=True):
        first = confirm(owner, job, ticket)
    assert storage().old_files(uploads_folder(job.pk), NOW) == []
    again = confirm(owner, job, ticket)
    assert first.json()["details"] == again.json()["details"]
    assert again.json()["code"] == "UPLOAD_VERIFICATION_FAILED"


def test_our_own_upload_url_is_no_way_in(owner: Api, settings: Any) -> None:
    from config.storage.signed_urls import upload_url

    job = make_job(owner=owner.user)
    ticket = ask(owner, job)
    assert put(upload_url(storage().key(ticket["video_uri"])), TEN).status_code == 404


def test_a_bucket_that_is_away_is_503_and_nothing_is_written(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(CONTENT))
    put(ticket["upload_url"], CONTENT)
    with faulty() as (url, faults, _), environment(url):
        storage.cache_clear()
        faults.append(Fault("", times=99, status=403, code="ExpiredToken"))
        refused = confirm(owner, job, ticket)
        assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert "Retry-After" in refused.headers and "Token" not in refused.content.decode()
        assert not job.artifacts.exists()
        faults.clear()
        assert confirm(owner, job, ticket).status_code == 200


@pytest.mark.slow
def test_a_picture_and_an_export_are_taken_from_the_bucket(desk: Desk) -> None:
    task = desk.picture()
    answer = desk.api.get(f"/assets/{task['asset_id']}/content")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    picture = httpx.get(answer.headers["Location"])
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
    export = done(desk)
    document = httpx.get(export["download_url"])
    assert hashlib.sha256(document.content).hexdigest() == export["artifact_sha256"]
    assert document.headers["Content-Disposition"].startswith('attachment; filename="guide.')
    assert httpx.get(export["download_url"], headers={"Range": "bytes=1-3"}).content == document.content[1:4]


@pytest.mark.slow
def test_a_page_of_the_bucket_is_an_attachment_too(desk: Desk) -> None:
    page = httpx.get(done(desk, "HTML")["download_url"])
    assert page.content.startswith(b"<!DOCTYPE html>")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Disposition"] == 'attachment; filename="guide.html"'


def test_the_files_of_a_job_are_in_its_folder_alone(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ticket = ask(owner, job, size_bytes=len(CONTENT))
    put(ticket["upload_url"], CONTENT)
    confirm(owner, job, ticket)
    bucket, prefix = storage().scheme.removeprefix("s3://").split("/", 1)
    keys = [found["Key"] for found in client(server()).list_objects_v2(Bucket=bucket)["Contents"]]
    folders = (prefix + kept_folder(job.pk), prefix + uploads_folder(job.pk))
    assert keys and all(key.startswith(folders) for key in keys)


def test_the_service_does_not_start_with_a_bucket_that_cannot_be_used(settings: Any) -> None:
    settings.STEPWRIGHT_STORAGE_URL = "s3://no-such-bucket"
    storage.cache_clear()
    with pytest.raises(CommandError, match="STEPWRIGHT_STORAGE_URL .* create it"):
        Command()._require_storage()
