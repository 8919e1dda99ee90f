"""A bucket that goes wrong: what passes is tried again, what does not is named, and nothing half written stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from config import remote_file
from config.storage import kept_folder, uploads_folder
from config.storage.s3 import S3Storage
from config.storage.s3_errors import StorageUnavailable
from tests.s3 import Fault, environment, faulty, new_bucket

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CONTENT = b"a recording" * 60_000


@pytest.fixture
def service() -> Iterator[tuple[list[Fault], list[str]]]:
    with faulty() as (url, faults, asked), environment(url):
        yield faults, asked


@pytest.fixture
def faults(service: tuple[list[Fault], list[str]]) -> list[Fault]:
    return service[0]


@pytest.fixture
def storage(service: tuple[list[Fault], list[str]]) -> S3Storage:
    return S3Storage(new_bucket(), "")


@pytest.fixture
def folder() -> str:
    return kept_folder(uuid4())


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "PAUSES_SECONDS", (0.01, 0.01, 0.01))


PASSING = [
    Fault("", times=2, status=503, code="SlowDown"),
    Fault("", status=500, code="InternalError"),
    Fault("", status=429, code="TooManyRequests"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.code)
@pytest.mark.parametrize("command", ["PUT", "GET", "HEAD"])
def test_what_passes_is_tried_again(
    storage: S3Storage, folder: str, faults: list[Fault], fault: Fault, command: str
) -> None:
    faults.append(Fault(command, times=fault.times, status=fault.status, code=fault.code))
    stored = storage.save_bytes(folder, CONTENT, suffix="")
    with storage.local_path(stored.uri) as path:
        assert path.read_bytes() == CONTENT
    with storage.source(stored.uri) as source, source.open() as file:
        assert file.read() == CONTENT
    assert storage.size(stored.uri) == len(CONTENT)
    assert faults[0].times == 0


REFUSALS = {
    "AccessDenied": "need to get, put, list and delete",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "AWS_SESSION_TOKEN",
    "AuthorizationHeaderMalformed": "AWS_DEFAULT_REGION",
    "RequestTimeTooSkewed": "clock",
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_does_not_pass_is_named(storage: S3Storage, folder: str, faults: list[Fault], code: str) -> None:
    faults.append(Fault("PUT", times=99, status=403, code=code))
    with pytest.raises(StorageUnavailable, match=REFUSALS[code]):
        storage.save_bytes(folder, CONTENT, suffix="")
    with pytest.raises(StorageUnavailable, match=REFUSALS[code]):
        storage.check()
    faults.clear()
    assert storage.old_files(folder, timedelta()) == []


def test_a_full_storage_is_no_space(storage: S3Storage, folder: str, faults: list[Fault]) -> None:
    faults.append(Fault("PUT", times=99, status=507, code="XMinioStorageFull"))
    with pytest.raises(OSError, match="full") as raised:
        storage.save_bytes(folder, CONTENT, suffix="")
    assert raised.value.errno == 28


def test_an_answer_that_breaks_off_is_not_taken_for_the_file(
    storage: S3Storage, folder: str, faults: list[Fault]
) -> None:
    uri = storage.save_bytes(folder, CONTENT, suffix="").uri
    faults.append(Fault("GET", is_cut=True))
    with pytest.raises(StorageUnavailable), storage.local_path(uri):
        pass
    faults[:] = [Fault("GET", is_cut=True)]
    with storage.source(uri) as source, source.open() as file:
        assert file.read() == CONTENT, "a range is asked for again"
    assert not faults[0].times


@pytest.mark.parametrize(
    "said",
    [
        {"Content-Range": f"bytes 1-{2**18}/{len(CONTENT)}"},
        {"Content-Range": f"bytes 0-{2**18 - 1}/{len(CONTENT) + 1}"},
        {"Content-Range": "nonsense"},
    ],
)
def test_a_part_of_something_else_is_not_taken(
    storage: S3Storage, folder: str, faults: list[Fault], said: dict[str, str]
) -> None:
    uri = storage.save_bytes(folder, CONTENT, suffix="").uri
    faults.append(Fault("GET", times=99, headers=said))
    with (
        storage.source(uri) as source,
        source.open() as file,
        pytest.raises(OSError, match="a part of the file"),
    ):
        file.read(10)


def test_a_url_that_has_expired_is_told_at_once(
    storage: S3Storage, folder: str, service: tuple[list[Fault], list[str]]
) -> None:
    faults, asked = service
    uri = storage.save_bytes(folder, CONTENT, suffix="").uri
    faults.append(Fault("GET", times=99, status=403, code="AccessDenied"))
    before = len(asked)
    with storage.source(uri) as source, source.open() as file, pytest.raises(PermissionError):
        file.read(10)
    assert len(asked) == before + 2, "the size, and one range"


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    storage: S3Storage, folder: str, faults: list[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"{uploads_folder(uuid4())}ticket"
    request = storage.upload(key, size=len(CONTENT), mime_type="video/mp4", seconds=60)
    httpx.put(str(request.url), content=CONTENT, headers=request.headers)
    read = S3Storage._chunks

    def changing(self: S3Storage, key: str, **conditions: str) -> Iterator[bytes]:
        yield from read(self, key, **conditions)
        httpx.put(str(request.url), content=CONTENT[::-1], headers=request.headers)

    monkeypatch.setattr(S3Storage, "_chunks", changing)
    with pytest.raises(StorageUnavailable):
        storage.keep_upload(storage.uri(key), folder, size=len(CONTENT))
    assert storage.old_files(folder, timedelta()) == []


def test_a_frame_s_worth_of_a_large_file_is_not_all_of_it(
    storage: S3Storage, folder: str, service: tuple[list[Fault], list[str]], tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 * 2**20)
    stored = storage.save_file(folder, tmp_path / "large", suffix="")
    assert stored.sha256 == hashlib.sha256(bytes(64 * 2**20)).hexdigest()
    before = len(service[1])
    with storage.source(stored.uri) as source, source.open() as read:
        for place in (0, 63 * 2**20, 31 * 2**20, 5):
            read.seek(place)
            assert len(read.read(1000)) == 1000
    ranges = [line.split("bytes=")[1].split("-") for line in service[1][before:] if "bytes=" in line]
    assert len(ranges) == 3, "what was read a moment ago is kept"
    assert sum(int(last) - int(first) + 1 for first, last in ranges) == 3 * remote_file.MIN_WINDOW
