"""The storage in a folder: files are for the service's own user alone, and nothing half done stays."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest

from config.storage import TooLarge, TooManyUploads, file_system, kept_folder
from config.storage.base import KINDS, Draft
from config.storage.file_system import FileStorage
from tests.races import at_once, beside
from tests.uploads import files

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "files")


def test_folders_and_files_are_open_to_nobody_else(storage: FileStorage) -> None:
    storage.save_bytes(kept_folder(uuid4()), b"a recording", suffix=".bin")
    storage.check()
    assert mode(storage.root) == 0o700
    for path in storage.root.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_check_of_a_new_storage_leaves_its_root_and_nothing_else(storage: FileStorage) -> None:
    storage.check()
    assert mode(storage.root) == 0o700
    assert not list(storage.root.iterdir())


def test_a_check_that_fails_leaves_nothing(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.check()
    assert not list(storage.root.iterdir())


@pytest.mark.parametrize("how", ["save_bytes", "save_file", "keep_upload"])
def test_a_file_that_is_kept_again_is_new(storage: FileStorage, how: str) -> None:
    folder, content = kept_folder(uuid4()), Path(__file__).read_bytes()
    upload = storage.save_bytes(f"uploads/{uuid4()}/", content, suffix="").uri

    def keep() -> str:
        if how == "save_bytes":
            return storage.save_bytes(folder, content, suffix="").uri
        if how == "save_file":
            return storage.save_file(folder, Path(__file__), suffix="").uri
        return storage.keep_upload(upload, folder, size=len(content)).uri

    with storage.local_path(uri := keep()) as path:
        age(path, 90_000)
        assert storage.old_files(folder, DAY) == [uri]
        assert keep() == uri
        assert storage.old_files(folder, DAY) == []
        assert not storage.delete_old(uri, DAY) and path.exists()
        age(path, 90_000)
        assert storage.delete_old(uri, DAY) and not path.exists()


def test_an_upload_that_waited_for_a_day_is_new_when_it_is_kept(storage: FileStorage) -> None:
    uri = storage.save_bytes(f"uploads/{uuid4()}/", b"an upload", suffix="").uri
    with storage.local_path(uri) as path:
        age(path, 90_000)
    assert not storage.delete_old(storage.keep_upload(uri, kept_folder(uuid4()), size=9).uri, DAY)


def test_a_file_is_not_deleted_while_it_is_kept_again(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer has seen that the file is there, and is about to touch it; the sweep comes in between."""
    folder = kept_folder(uuid4())
    uri = storage.save_bytes(folder, b"bytes", suffix="").uri
    with storage.local_path(uri) as path:
        age(path, 90_000)
    touch, about_to, outcome = os.utime, threading.Event(), []

    def touch_late(target: Path, *arguments: object) -> None:
        if target == path:
            about_to.set()
            time.sleep(0.3)
        touch(target)

    monkeypatch.setattr(os, "utime", touch_late)
    with beside(lambda: storage.save_bytes(folder, b"bytes", suffix="")):
        assert about_to.wait(20)
        outcome.append(storage.delete_old(uri, DAY))
    assert outcome == [False]
    assert storage.size(uri) == 5


def test_a_link_of_an_upload_that_cannot_be_kept_goes(storage: FileStorage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.keep_upload(f"local://uploads/{uuid4()}/nothing", kept_folder(uuid4()), size=1)
    assert files(storage.root) == []


def test_drafts_of_dead_writers_go_and_those_of_living_ones_stay(storage: FileStorage) -> None:
    folder = kept_folder(uuid4())
    uri = storage.save_bytes(folder, b"bytes", suffix=".part").uri
    for place in (storage.root, storage.root / folder):
        for name in (".1.part", ".2.part", ".check-1"):
            (place / name).touch()
            age(place / name, 3590 if name == ".2.part" else 3610)
    with storage.local_path(uri) as path:
        age(path, 90_000)
    for place in ("", folder):
        storage.delete_drafts(place, timedelta(hours=1))
    assert sorted(path.name for path in files(storage.root)) == [".2.part", ".2.part", path.name]


WRITER = """
import sys, time
from pathlib import Path
from config.storage.file_system import FileStorage

storage = FileStorage(Path(sys.argv[1]))
with storage._draft(sys.argv[2]) as draft, storage._lock():
    draft.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_a_draft_that_goes_and_no_lock(storage: FileStorage) -> None:
    folder = kept_folder(uuid4())
    command = [sys.executable, "-c", WRITER, str(storage.root), folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout and writer.stdout.readline() == b"writing\n"
        writer.kill()
    uri = storage.save_bytes(folder, b"bytes", suffix="").uri
    left = [path for path in files(storage.root) if path.suffix == ".part"]
    assert len(left) == 1
    age(left[0], 3610)
    storage.delete_drafts(folder, timedelta(hours=1))
    with storage.local_path(uri) as path:
        assert files(storage.root) == [path]


def test_more_bytes_than_expected_leave_nothing(storage: FileStorage) -> None:
    with pytest.raises(TooLarge):
        storage.receive(f"uploads/{uuid4()}/a", BytesIO(b"123"), size=2, naming=nullcontext())
    assert files(storage.root) == []


def test_folders_are_walked_in_order_and_those_of_others_left(storage: FileStorage) -> None:
    ids = sorted(uuid4() for _ in range(3))
    for job_id in ids:
        storage.save_bytes(kept_folder(job_id), b"a", suffix="")
        storage.save_bytes(f"uploads/{job_id}/", b"a", suffix="")
        storage.save_bytes(f"pictures/{job_id}/", b"a", suffix="")
    for odd in ("jobs/lost+found", "jobs/" + "-" * 36, "other"):
        (storage.root / odd).mkdir()
    every = [f"{kind}/{job_id}/" for kind in KINDS for job_id in ids]
    assert storage.folders(after="", limit=100) == every
    assert storage.folders(after=every[1], limit=3) == every[2:5]
    assert storage.folders(after=every[-1], limit=3) == []


def test_of_many_uploads_that_begin_at_once_three_are_taken(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"uploads/{uuid4()}/"

    def begin_late(path: Path) -> Draft:
        time.sleep(0.05)
        return Draft(path)

    def begin(number: int) -> Draft | None:
        try:
            return storage.new_draft(f"{folder}{number}")
        except TooManyUploads:
            return None

    monkeypatch.setattr(file_system, "Draft", begin_late)
    drafts = [draft for draft in at_once(8, begin) if draft]
    assert len(drafts) == len(files(storage.root)) == 3
    for draft in drafts:
        draft.discard()


def test_an_upload_that_writes_every_minute_and_a_half_is_counted(storage: FileStorage) -> None:
    """As the slowest does that the front lets go on, with its batches of 64 KiB and more."""
    folder = f"uploads/{uuid4()}/"
    drafts = [storage.new_draft(f"{folder}{number}") for number in range(3)]
    for draft in drafts:
        age(draft.path, 90)
    with pytest.raises(TooManyUploads):
        storage.new_draft(f"{folder}3")
    for draft in drafts:
        age(draft.path, 301)
    drafts.append(storage.new_draft(f"{folder}3"))
    for draft in drafts:
        draft.discard()


@pytest.mark.parametrize("how", ["save_bytes", "save_file", "keep_upload", "receive"])
def test_a_file_s_name_is_on_the_disk_before_anybody_is_told(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """After the rename, the folder; and the folder's own name, which is new, in the one above it."""
    upload = storage.save_bytes(f"uploads/{uuid4()}/", b"bytes", suffix="").uri
    folder, done = kept_folder(uuid4()), list[object]()
    replace, sync = os.replace, os.fsync

    def note_replace(source: Path, target: Path) -> None:
        replace(source, target)
        done.append(target.parent)

    def note_sync(descriptor: int) -> None:
        sync(descriptor)
        done.append(os.fstat(descriptor).st_ino)

    @contextmanager
    def naming() -> Iterator[None]:
        yield
        done.append("named")

    monkeypatch.setattr(os, "replace", note_replace)
    monkeypatch.setattr(os, "fsync", note_sync)
    if how == "save_bytes":
        storage.save_bytes(folder, b"bytes", suffix="")
    elif how == "save_file":
        storage.save_file(folder, Path(__file__), suffix="")
    elif how == "keep_upload":
        storage.keep_upload(upload, folder, size=storage.size(upload))
    else:
        storage.receive(f"{folder}a", BytesIO(b"123"), size=3, naming=naming())
        assert done.pop() == "named"
    place = storage.root / folder
    assert done[-2:] == [place, place.stat().st_ino]
    assert place.parent.stat().st_ino in done
