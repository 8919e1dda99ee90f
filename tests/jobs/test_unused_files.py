"""Files that no row names go after a day; those that a row names, or will name in a moment, stay."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pgtrigger
import pytest
from django.apps import apps
from django.db.models.functions import Now

from config.storage import kept_folder, storage, uploads_folder
from jobs import hooks
from jobs.models import FileWalk, Job, Tombstone
from jobs.services import unused_files
from jobs.services.unused_files import UNUSED_AFTER, WALK_EVERY, remove_unused_files
from jobs.states import JobStatus
from tests.factories import Api, force, make_anchor, make_asset, make_export, make_job
from tests.uploads import files, make_upload_ticket

pytestmark = pytest.mark.usefixtures("db")


def age(folder: Path, by: timedelta = UNUSED_AFTER) -> None:
    """As when all files had been written so long ago, and a bit."""
    for path in files(folder):
        os.utime(path, (time.time() - by.total_seconds() - 10,) * 2)


def left_behind(job: Job, content: bytes = b"written before the process died") -> Path:
    """A file whose row was never written."""
    with storage().local_path(storage().save_bytes(kept_folder(job.pk), content, suffix="").uri) as path:
        return path


def walk_again() -> None:
    FileWalk.objects.update(due_at=Now())
    remove_unused_files()


def test_a_file_without_a_row_goes_after_a_day(storage_folder: Path) -> None:
    job = make_job()
    path = left_behind(job)
    age(storage_folder, UNUSED_AFTER - timedelta(minutes=1))
    remove_unused_files()
    assert path.exists()
    age(storage_folder)
    walk_again()
    assert files(storage_folder) == []


def test_files_that_rows_name_stay_whatever_their_age(owner: Api, storage_folder: Path) -> None:
    """A file of every kind that there is: artifacts, pictures deleted or not, exports, uploads that may come."""
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    anchor = make_anchor(job)
    make_asset(job, anchor=anchor)
    make_asset(job)
    job.assets.update(is_deleted=True)
    make_export(job)
    ticket = make_upload_ticket(make_job(JobStatus.UPLOADING, owner=owner.user))
    (storage_folder / ticket.key).parent.mkdir(parents=True)
    (storage_folder / ticket.key).touch()
    before = files(storage_folder)
    age(storage_folder)
    remove_unused_files()
    assert files(storage_folder) == before and len(before) >= 6


def test_the_file_beside_a_content_that_has_a_uri_stays(storage_folder: Path) -> None:
    job = make_job()
    kept = storage().save_bytes(kept_folder(job.pk), b"{}", suffix=".json")
    beside = {"content_uri": kept.uri}
    job.artifacts.create(kind="transcript", version=1, uri="gs://acme/transcript.json", data=beside)
    age(storage_folder)
    remove_unused_files()
    assert files(storage_folder)


def test_every_model_with_the_uri_of_a_file_is_asked() -> None:
    """A later app that stores URIs registers its own, or loses its files after a day."""
    with_uri = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name == "key" or field.name.endswith("uri")
        if model._meta.app_label in {"jobs", "instructions", "anchors", "exports"}
    }
    with_uri.discard("instructions.ModelCall")  # its key is the digest of a question
    assert with_uri == {
        "jobs.Artifact",
        "jobs.UploadTicket",
        "anchors.Asset",
        "anchors.ImageUpload",
        "exports.Export",
    }
    assert len(hooks.FILE_REFERENCES) == len(with_uri)


def test_the_upload_of_a_closed_ticket_goes(owner: Api, storage_folder: Path) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    ticket = make_upload_ticket(job)
    storage().save_bytes(uploads_folder(job.pk), b"left", suffix="")
    (storage_folder / ticket.key).touch()
    job.upload_tickets.update(closed_at=Now())
    age(storage_folder)
    remove_unused_files()
    assert [path.parent.parent.name for path in files(storage_folder)] == ["jobs"]


def test_the_folder_of_a_deleted_job_goes_and_that_of_an_unknown_one_stays(
    owner: Api, storage_folder: Path
) -> None:
    job = force(make_job(owner=owner.user), JobStatus.CANCELLED)
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    with pgtrigger.ignore("jobs.Tombstone:tombstone_is_written_once"):
        Tombstone.objects.update(files_removed_at=Now())
    storage().save_bytes(kept_folder(job.pk), b"a worker was very late", suffix="")
    theirs = storage().save_bytes(kept_folder(uuid4()), b"of another database", suffix="")
    age(storage_folder)
    remove_unused_files()
    assert not (storage_folder / kept_folder(job.pk)).exists()
    assert storage().size(theirs.uri)


def test_drafts_of_writers_that_were_killed_go_after_an_hour(storage_folder: Path) -> None:
    path = left_behind(make_job())
    drafts = [folder / name for folder in (path.parent, storage_folder) for name in (".1.part", ".check-1")]
    for draft in drafts:
        draft.touch()
    age(storage_folder, timedelta(minutes=59))
    remove_unused_files()
    assert all(draft.exists() for draft in drafts)
    age(storage_folder, timedelta(hours=1))
    walk_again()
    assert files(storage_folder) == [path]


def test_one_sweep_looks_at_some_folders_and_the_next_at_the_following(
    storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unused_files, "MAX_FOLDERS", 2)
    for _ in range(5):
        left_behind(make_job())
    age(storage_folder)
    left = []
    for _ in range(4):
        remove_unused_files()
        left.append(len(files(storage_folder)))
    assert left == [3, 1, 0, 0]


def test_a_walk_begins_once_an_hour(storage_folder: Path) -> None:
    job = make_job()
    remove_unused_files()
    left_behind(job)
    age(storage_folder)
    FileWalk.objects.update(due_at=Now() + timedelta(seconds=1))
    remove_unused_files()
    assert len(files(storage_folder)) == 1
    walk_again()
    assert files(storage_folder) == []
    soon = Now() + WALK_EVERY - timedelta(minutes=1)
    assert FileWalk.objects.filter(last_folder="", due_at__gt=soon).exists()


def test_a_folder_that_cannot_be_read_does_not_stop_the_walk(
    storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted((make_job(), make_job()), key=lambda job: str(job.pk))
    left_behind(first), left_behind(second)
    age(storage_folder)
    delete = storage().delete_drafts

    def refuse(folder: str, by: timedelta) -> None:
        if folder == kept_folder(first.pk):
            raise PermissionError(folder)
        delete(folder, by)

    monkeypatch.setattr(storage(), "delete_drafts", refuse)
    remove_unused_files()
    assert [path.parent.name for path in files(storage_folder)] == [str(first.pk)]
