"""Uploads over the front: streamed into a draft, which becomes the file when all of it is there."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from pathlib import Path

import pytest
from django.utils import timezone

from config.front.bounds import Pace, Pool
from config.front.lanes import Lane
from config.front.uploads import receiving
from config.storage.base import Draft
from config.storage.uploads import Admission
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, make_job
from tests.front.clients import ticket_path
from tests.front.raw import Wire
from tests.front.server import Server

pytestmark = pytest.mark.slow

VIDEO = {"content_type": "video/mp4"}
CHUNKED = {**VIDEO, "content_length": None, "transfer_encoding": "chunked"}


@pytest.fixture
def uploading(server: Server, owner: Api) -> Job:
    return make_job(JobStatus.UPLOADING, owner=owner.user)


def files_of(server: Server, job: Job) -> list[Path]:
    return [path for path in (server.files / "uploads" / str(job.pk)).glob("*") if path.is_file()]


def gone(server: Server, job: Job, kept: list[Path]) -> bool:
    """Return whether there are soon no files but those that are kept."""
    deadline = time.monotonic() + 5
    while files_of(server, job) != kept and time.monotonic() < deadline:
        time.sleep(0.05)
    return files_of(server, job) == kept


def chunks(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def test_an_upload_becomes_the_file_of_its_ticket(server: Server, uploading: Job) -> None:
    content = os.urandom(3_000_000)
    assert (
        Wire(server).ask("PUT", ticket_path(uploading, len(content)), content, **VIDEO).read_answer().status
        == 204
    )
    (path,) = files_of(server, uploading)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ticket_that_expires_while_the_bytes_come_takes_them(server: Server, uploading: Job) -> None:
    target = ticket_path(uploading, 5)
    wire = Wire(server).ask("PUT", target, b"abc", content_length=5, **VIDEO)
    deadline = time.monotonic() + 5
    while not files_of(server, uploading) and time.monotonic() < deadline:
        time.sleep(0.02)
    uploading.upload_tickets.update(expires_at=timezone.now())
    assert wire.send(b"de").read_answer().status == 204
    (path,) = files_of(server, uploading)
    assert path.read_bytes() == b"abcde"
    assert Wire(server).ask("PUT", target, b"vwxyz", **VIDEO).read_answer().status == 409


def test_an_upload_may_come_in_chunks_without_a_length(server: Server, uploading: Job) -> None:
    wire = Wire(server).ask("PUT", ticket_path(uploading, 5), **CHUNKED)
    assert wire.send(chunks(b"abc") + chunks(b"de") + b"0\r\n\r\n").read_answer().status == 204
    (path,) = files_of(server, uploading)
    assert path.read_bytes() == b"abcde"


def test_the_draft_is_one_file_for_us_alone_until_all_is_there(server: Server, uploading: Job) -> None:
    wire = Wire(server).ask(
        "PUT", ticket_path(uploading, 200_001), b"x" * 200_000, content_length=200_001, **VIDEO
    )
    time.sleep(0.5)
    (draft,) = files_of(server, uploading)
    assert draft.suffix == ".part" and stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert wire.send(b"x").read_answer().status == 204
    (path,) = files_of(server, uploading)
    assert path.suffix != ".part"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_upload_that_is_cut_off_leaves_and_replaces_nothing(
    server: Server, uploading: Job, is_chunked: bool
) -> None:
    path, first = ticket_path(uploading, 200_000), b"x" * 200_000
    assert Wire(server).ask("PUT", path, first, **VIDEO).read_answer().status == 204
    before = files_of(server, uploading)
    again = Wire(server)
    if is_chunked:
        again.ask("PUT", path, **CHUNKED).send(chunks(b"y" * 150_000))
    else:
        again.ask("PUT", path, b"y" * 150_000, content_length=200_000, **VIDEO)
    time.sleep(0.3)
    assert len(files_of(server, uploading)) == 2
    again.close()
    assert gone(server, uploading, before)
    assert before[0].read_bytes() == first


def test_a_client_that_ends_its_side_early_is_told(server: Server, uploading: Job) -> None:
    wire = Wire(server).ask("PUT", ticket_path(uploading, 5), **CHUNKED).send(chunks(b"abc"))
    wire.socket.shutdown(1)
    seen = wire.read(15)
    assert seen.status == 400 and b"before all its bytes" in seen.body
    assert gone(server, uploading, [])


def test_a_disk_that_is_full_ends_an_upload_and_leaves_nothing(
    server: Server, uploading: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Draft, pieces: object) -> None:
        raise OSError(28, "No space left on device")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    async def upload() -> None:
        admission = Admission(f"uploads/{uploading.pk}/a", 2**20)
        async with receiving(receive, admission, Pace(2**20, 5), Lane("writes", Pool(1, 9))):
            pass

    monkeypatch.setattr(Draft, "write", full)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(upload())
    assert files_of(server, uploading) == []


def test_a_slow_upload_is_written_now_and_then_however_little_comes(
    server: Server, uploading: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft to which nothing is written for long counts as that of a writer that died."""
    written: list[int] = []
    pieces = iter(range(10))

    def note(draft: Draft, batch: list[bytes]) -> None:
        written.append(sum(map(len, batch)))
        draft.size += written[-1]

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": next(pieces) < 9}

    async def upload() -> None:
        admission = Admission(f"uploads/{uploading.pk}/a", 10)
        async with receiving(receive, admission, Pace(0, 5), Lane("writes", Pool(1, 9))):
            pass

    monkeypatch.setattr(Draft, "write", note)
    monkeypatch.setattr("config.front.uploads.MAX_SECONDS", 0.12)
    asyncio.run(upload())
    assert sum(written) == 10 and len(written) >= 3


def test_an_upload_over_its_ticket_is_refused_before_its_bytes(server: Server, uploading: Job) -> None:
    path = ticket_path(uploading, 100)
    seen = Wire(server).ask("PUT", path, content_length=101, **VIDEO).read(15)
    assert (seen.status, seen.is_ended) == (413, True)
    assert files_of(server, uploading) == []


def test_chunks_over_the_ticket_are_refused_when_they_come(server: Server, uploading: Job) -> None:
    path = ticket_path(uploading, 100)
    seen = Wire(server).ask("PUT", path, **CHUNKED).send(chunks(b"x" * 101)).read(15)
    assert (seen.status, seen.is_ended) == (413, True)
    assert files_of(server, uploading) == []


@pytest.mark.parametrize("headers", [{**VIDEO, "content_length": 1000}, CHUNKED])
def test_an_upload_with_a_forged_ticket_is_404_before_its_bytes(
    server: Server, headers: dict[str, object]
) -> None:
    seen = Wire(server).ask("PUT", "/api/v1/files/uploads/forged", **headers).read(15)
    assert (seen.status, seen.is_ended) == (404, True)


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(server: Server, uploading: Job) -> None:
    wire = Wire(server).ask(
        "PUT", ticket_path(uploading, 3), content_length=3, expect="100-continue", **VIDEO
    )
    assert wire.read(1).content.startswith(b"HTTP/1.1 100 ")
    assert wire.send(b"abc").read_answer().status == 204


def test_a_client_that_asks_first_may_be_refused_without_its_bytes(server: Server, uploading: Job) -> None:
    path = ticket_path(uploading, 2)
    seen = Wire(server).ask("PUT", path, content_length=3, expect="100-continue", **VIDEO).read(3)
    assert seen.status == 413
