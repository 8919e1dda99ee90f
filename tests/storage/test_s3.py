"""The storage in a bucket, over a real socket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from config.storage import BadUri, WrongSize, kept_folder, s3, uploads_folder
from config.storage.s3 import S3Storage
from config.storage.s3_errors import StorageUnavailable
from tests.s3 import client, environment, new_bucket, server

pytestmark = pytest.mark.django_db  # locks

DAY, NOW = timedelta(days=1), timedelta()
SHA = hashlib.sha256(b"a recording").hexdigest()


@pytest.fixture
def storage() -> Iterator[S3Storage]:
    with environment(server()):
        yield S3Storage(new_bucket(), "some/prefix")


@pytest.fixture
def folder() -> str:
    return kept_folder(uuid4())


def test_bytes_are_kept_under_their_hash(storage: S3Storage, folder: str) -> None:
    stored = storage.save_bytes(folder, b"a recording", suffix=".bin")
    assert stored.uri == f"s3://{storage.bucket}/some/prefix/{folder}{SHA}.bin"
    assert (stored.sha256, stored.size_bytes) == (SHA, 11)
    assert storage.content_uri(folder, b"a recording", suffix=".bin") == stored.uri
    assert storage.size(stored.uri) == 11
    with storage.open(stored.uri) as file:
        assert (file.read(2), file.seek(-3, 2), file.read()) == (b"a ", 8, b"ing")
    with storage.local_path(stored.uri) as path:
        assert path.read_bytes() == b"a recording"
    assert not path.exists()


def test_a_file_is_kept_under_its_hash(storage: S3Storage, folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a recording" * 10**6)
    stored = storage.save_file(folder, tmp_path / "file", suffix="")
    with storage.local_path(stored.uri) as path:
        assert path.read_bytes() == b"a recording" * 10**6
    assert stored.sha256 == hashlib.sha256(b"a recording" * 10**6).hexdigest()


def test_a_file_is_read_by_ranges_with_read_ahead(storage: S3Storage, folder: str) -> None:
    content = bytes(range(256)) * 20_000
    stored = storage.save_bytes(folder, content, suffix="")
    with storage.source(stored.uri) as source, source.open() as file:
        for first, size in ((0, 10), (4_000_000, 7), (10, 300_000), (5_119_000, 2000), (0, 5_120_001)):
            file.seek(first)
            assert file.read(size) == content[first : first + size]


def test_what_is_not_there_or_not_ours_is_told_apart(storage: S3Storage, folder: str) -> None:
    uri = storage.uri(f"{folder}{SHA}")
    for look in (storage.size, storage.open, lambda uri: storage.source(uri).__enter__()):
        with pytest.raises(FileNotFoundError):
            look(uri)
    for other in (f"s3://other/some/prefix/{folder}{SHA}", f"local://{folder}{SHA}", f"{storage.scheme}../x"):
        with pytest.raises(BadUri):
            storage.size(other)
    storage.delete(uri)


def test_a_ticket_s_put_is_signed_for_key_size_and_type(storage: S3Storage) -> None:
    key = f"{uploads_folder(uuid4())}ticket"
    request = storage.upload(key, size=11, mime_type="video/mp4", seconds=60)
    assert request.url and not request.parts
    url = urlsplit(request.url)
    assert url.path.endswith(f"/some/prefix/{key}")
    signed = parse_qs(url.query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "host"} <= set(signed)
    assert httpx.put(request.url, content=b"a recording", headers=request.headers).status_code == 200
    kept = storage.keep_upload(storage.uri(key), kept_folder(uuid4()), size=11)
    assert (kept.sha256, storage.size(kept.uri)) == (SHA, 11)
    assert storage.size(storage.uri(key)) == 11, "it stays until the row is written"


def test_a_file_of_another_size_is_not_kept(storage: S3Storage, folder: str) -> None:
    key = f"{uploads_folder(uuid4())}ticket"
    request = storage.upload(key, size=12, mime_type="video/mp4", seconds=60)
    httpx.put(str(request.url), content=b"a recording", headers=request.headers)
    with pytest.raises(WrongSize):
        storage.keep_upload(storage.uri(key), folder, size=12)
    assert storage.old_files(folder, NOW) == []


def test_a_large_file_comes_in_parts(
    storage: S3Storage, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "MULTIPART_OVER", 10 * 2**20)
    monkeypatch.setattr(s3, "PART_BYTES", 5 * 2**20)
    monkeypatch.setattr(s3, "MAX_PUT_BYTES", 11 * 2**20)
    content = bytes(range(256)) * 49_000
    key = f"{uploads_folder(uuid4())}ticket"
    request = storage.upload(key, size=len(content), mime_type="video/mp4", seconds=60)
    assert request.url is None
    assert [part.size_bytes for part in request.parts] == [5 * 2**20, 5 * 2**20, len(content) - 10 * 2**20]
    for part in reversed(request.parts):
        with pytest.raises(FileNotFoundError):
            storage.keep_upload(storage.uri(key), folder, size=len(content))
        first = (part.number - 1) * 5 * 2**20
        assert httpx.put(part.url, content=content[first : first + part.size_bytes]).status_code == 200
    kept = storage.keep_upload(storage.uri(key), folder, size=len(content))
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    with storage.local_path(kept.uri) as path:
        assert path.read_bytes() == content


def test_parts_that_nobody_put_together_go(storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MULTIPART_OVER", 10)
    # The service gives every upload the same old date.
    monkeypatch.setattr(s3, "_is_older", lambda _, age: age == NOW)
    folder = uploads_folder(uuid4())
    for _ in range(2):
        storage.upload(f"{folder}ticket", size=11, mime_type="video/mp4", seconds=60)
    storage.delete_drafts(folder, DAY)
    assert len(list(storage._unfinished(folder))) == 2
    storage.delete_drafts(folder, NOW)
    assert not list(storage._unfinished(folder))
    storage.upload(f"{folder}ticket", size=11, mime_type="video/mp4", seconds=60)
    storage.delete(storage.uri(f"{folder}ticket"))
    assert not list(storage._unfinished(folder))


def test_a_download_has_a_name_and_a_type(storage: S3Storage, folder: str) -> None:
    uri = storage.save_bytes(folder, b"a recording", suffix="").uri
    answer = httpx.get(
        storage.download_url(uri, filename="Führer.pdf", mime_type="application/pdf", seconds=60)
    )
    assert answer.content == b"a recording"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''F%C3%BChrer.pdf"


def test_old_files_go_unless_they_are_written_again(storage: S3Storage, folder: str) -> None:
    uri = storage.save_bytes(folder, b"a recording", suffix="").uri
    assert (storage.old_files(folder, DAY), storage.old_files(folder, NOW)) == ([], [uri])
    assert not storage.delete_old(uri, DAY)
    assert storage.delete_old(uri, NOW)
    assert not storage.delete_old(uri, NOW), "it is gone"


def test_folders_are_walked_in_order(storage: S3Storage) -> None:
    jobs, uploads = sorted(uuid4() for _ in range(3)), sorted(uuid4() for _ in range(2))
    folders = [*map(kept_folder, jobs), *map(uploads_folder, uploads)]
    for folder in folders:
        storage.save_bytes(folder, b"x", suffix="")
    storage.save_bytes("jobs/other/", b"x", suffix="")
    assert storage.folders(after="", limit=9) == folders
    walked, after = [], ""
    while found := storage.folders(after=after, limit=2):
        walked += found
        after = found[-1]
    assert walked == folders
    storage.delete_folder(folders[0])
    assert storage.folders(after="", limit=9) == folders[1:]


def test_a_check_leaves_nothing(storage: S3Storage) -> None:
    storage.check()
    assert "Contents" not in client(server()).list_objects_v2(Bucket=storage.bucket)


def test_a_bucket_that_is_not_there_is_named() -> None:
    with environment(server()), pytest.raises(StorageUnavailable, match="create it"):
        S3Storage("no-such-bucket", "").check()


def test_a_service_that_is_away_is_named() -> None:
    with environment("http://127.0.0.1:9"), pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
        S3Storage("bucket", "").check()


def test_without_keys_the_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with environment(server()):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        with pytest.raises(StorageUnavailable, match="AWS_SECRET_ACCESS_KEY"):
            S3Storage("bucket", "").check()


def test_other_bytes_under_a_name_are_not_taken(storage: S3Storage, folder: str) -> None:
    uri = storage.save_bytes(folder, b"a recording", suffix="").uri
    key = f"{storage.prefix}{storage.key(uri)}"
    client(server()).put_object(Bucket=storage.bucket, Key=key, Body=b"another one")
    with pytest.raises(StorageUnavailable, match="other bytes"), storage.local_path(uri):
        pass
