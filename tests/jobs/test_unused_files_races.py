"""The sweep of unused files beside another one, and beside writers: in a folder and in a bucket."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.storage import kept_folder, storage, uploads_folder
from jobs import hooks
from jobs.models import FileWalk, Job
from jobs.services import unused_files
from jobs.services.unused_files import UNUSED_AFTER, remove_unused_files
from tests.elapsed import age_file
from tests.factories import make_job
from tests.races import at_once, beside
from tests.s3 import Fault, environment, faulty

pytestmark = [pytest.mark.both_storages, pytest.mark.django_db(transaction=True)]

LATE_SECONDS = 0.7
CONTENT = b"written before the process died"


def left_behind(job: Job, content: bytes = CONTENT) -> str:
    """The URI of an old file whose row was never written."""
    uri = storage().save_bytes(kept_folder(job.pk), content, suffix="").uri
    age_file(uri, UNUSED_AFTER)
    return uri


def is_there(uri: str) -> bool:
    try:
        return storage().size(uri) > 0
    except FileNotFoundError:
        return False


@contextmanager
def late_deletion(storage_kind: str) -> Iterator[Callable[[], bool]]:
    """Files are deleted some time after it was decided. Yield what says whether a deletion has begun."""
    if storage_kind == "s3":
        with faulty() as (url, faults, asked), environment(url):
            storage.cache_clear()
            faults.append(Fault("DELETE", seconds=LATE_SECONDS))
            yield lambda: any(line.startswith("DELETE") for line in asked)
        storage.cache_clear()
        return
    begun, replace = threading.Event(), os.replace

    def replace_late(source: Path, target: Path) -> None:
        if not source.name.startswith("."):  # a draft gets its name at once
            begun.set()
            time.sleep(LATE_SECONDS)
        replace(source, target)

    with pytest.MonkeyPatch.context() as late:
        late.setattr(os, "replace", replace_late)
        yield begun.is_set


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_of_two_sweeps_at_once_one_takes_the_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned: list[list[str]] = []
    monkeypatch.setattr(unused_files, "_clean", lambda folders: (cleaned.append(folders), time.sleep(0.3)))
    left_behind(make_job())
    FileWalk.objects.create()
    at_once(4, lambda _: remove_unused_files())
    assert len(cleaned) == 1


def test_two_workers_that_clean_one_folder_delete_a_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the first was stopped for longer than its slice is its own, and both have seen the same old files."""
    job = make_job()
    unused = [left_behind(job, str(number).encode()) for number in range(4)]
    used = left_behind(job, b"of a row")
    job.artifacts.create(kind="transcript", version=1, uri=used)
    both, deleted = threading.Barrier(2), list[str]()
    old_files, delete_old = storage().old_files, storage().delete_old

    def list_together(folder: str, age: timedelta) -> list[str]:
        found = old_files(folder, age)
        both.wait(20)
        return found

    def note(uri: str, age: timedelta) -> bool:
        is_deleted = delete_old(uri, age)
        deleted.extend([uri] if is_deleted else [])
        return is_deleted

    monkeypatch.setattr(storage(), "old_files", list_together)
    monkeypatch.setattr(storage(), "delete_old", note)
    at_once(2, lambda _: unused_files._clean([kept_folder(job.pk)]))
    assert sorted(deleted) == sorted(unused)
    assert is_there(used) and not any(map(is_there, unused))


def test_a_file_that_is_written_again_while_rows_are_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep has found it old and without a row; then a worker makes the same bytes anew, and its row."""
    job = make_job()
    uri = left_behind(job)

    def write_meanwhile(job_id: object) -> list[str]:
        storage().save_bytes(kept_folder(job.pk), CONTENT, suffix="")
        return []

    monkeypatch.setattr(hooks, "FILE_REFERENCES", [*hooks.FILE_REFERENCES, write_meanwhile])
    remove_unused_files()
    assert is_there(uri)


@pytest.mark.parametrize("how", ["save_bytes", "save_file", "keep_upload"])
def test_a_file_that_is_kept_again_while_it_is_deleted_is_there(
    storage_kind: str, tmp_path: Path, how: str
) -> None:
    """The sweep has seen that it is old, and is about to delete it; the writer comes in between."""
    job = make_job()
    uri, folder = left_behind(job), kept_folder(job.pk)
    upload = storage().save_bytes(uploads_folder(job.pk), CONTENT, suffix="").uri
    (tmp_path / "file").write_bytes(CONTENT)
    write: dict[str, Callable[[], Any]] = {
        "save_bytes": lambda: storage().save_bytes(folder, CONTENT, suffix=""),
        "save_file": lambda: storage().save_file(folder, tmp_path / "file", suffix=""),
        "keep_upload": lambda: storage().keep_upload(upload, folder, size=len(CONTENT)),
    }
    with (
        late_deletion(storage_kind) as has_begun,
        beside(lambda: storage().delete_old(uri, UNUSED_AFTER)),
    ):
        wait_until(has_begun)
        write[how]()
    assert is_there(uri)
