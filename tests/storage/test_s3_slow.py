"""A bucket that is silent, or sends byte by byte: each call ends within its time, and nothing half written stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from config import remote_file, sandbox
from config.storage import kept_folder, s3_client, storage, uploads_folder
from config.work import models
from jobs.models import PipelineRun
from jobs.services.videos import probe_in_child
from tests.elapsed import make_due
from tests.errors import assert_shape
from tests.factories import SAMPLE, Api, make_job, make_run, make_video, work_off
from tests.s3 import Fault, environment, faulty, new_bucket
from tests.uploads import ask, confirm, put

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW = timedelta(seconds=-2)
WITHIN_SECONDS = 30.0  # far less than any of these answers takes, and far more than the times that are set
CONTENT = b"a recording" * 3_000
SILENT = Fault("", times=99, seconds=60.0)
SLOW_HEAD = Fault("", times=99, head_pace=0.2)
SLOW_BODY = Fault("", times=99, body_pace=0.2)
RANGE = "bytes="  # stands in what the reader of ranges asks


class Bucket:
    """The one with the files, and what stands before it; times are short while it is slow alone."""

    def __init__(self, faults: list[Fault], monkeypatch: pytest.MonkeyPatch) -> None:
        self.faults, self._monkeypatch = faults, monkeypatch

    def becomes(self, fault: Fault, *, matches: str = "") -> None:
        for module, name, value in (
            (s3_client, "READ_SECONDS", 0.5),
            (s3_client, "ATTEMPTS", 2),
            (remote_file, "TIMEOUT_SECONDS", 0.5),
            (remote_file, "ANSWER_SECONDS", 1.0),
            (remote_file, "PAUSES_SECONDS", (0.01,)),
        ):
            self._monkeypatch.setattr(module, name, value)
        storage.cache_clear()
        self.faults.append(Fault(**{**vars(fault), "matches": matches}))

    def recovers(self) -> None:
        self._monkeypatch.undo()
        self.faults.clear()
        storage.cache_clear()


@pytest.fixture
def bucket(settings: Any) -> Iterator[Bucket]:
    settings.STEPWRIGHT_STORAGE_URL = f"s3://{new_bucket()}"
    with faulty() as (url, faults, _), environment(url), pytest.MonkeyPatch.context() as monkeypatch:
        storage.cache_clear()
        yield Bucket(faults, monkeypatch)


def ends(call: Callable[[], object]) -> None:
    """It raises that the storage cannot be used, in time."""
    begun = time.monotonic()
    with pytest.raises(OSError) as raised:
        call()
    assert raised.value.errno == 5, "what the API answers with a 503"
    assert time.monotonic() - begun < WITHIN_SECONDS


@pytest.mark.parametrize(
    "call, fault",
    [("save_bytes", SILENT), ("save_file", SLOW_HEAD), ("keep_upload", SLOW_HEAD), ("old_files", SILENT)],
    ids=["save_bytes", "save_file", "keep_upload", "old_files"],
)
def test_a_call_ends_within_its_time(bucket: Bucket, tmp_path: Path, call: str, fault: Fault) -> None:
    folder, path = kept_folder(uuid4()), tmp_path / "file"
    path.write_bytes(CONTENT)
    upload = storage().save_bytes(uploads_folder(uuid4()), CONTENT, suffix="").uri
    calls: dict[str, Callable[[], object]] = {
        "save_bytes": lambda: storage().save_bytes(folder, CONTENT, suffix=""),
        "save_file": lambda: storage().save_file(folder, path, suffix=""),
        "keep_upload": lambda: storage().keep_upload(upload, folder, size=len(CONTENT)),
        "old_files": lambda: storage().old_files(folder, NOW),
    }
    bucket.becomes(fault)
    ends(calls[call])


@pytest.mark.parametrize(
    "read, fault",
    [("open", SLOW_BODY), ("local_path", SLOW_BODY), ("source", SLOW_BODY), ("source", SILENT)],
    ids=["open", "local_path", "source, dribbling", "source, silent"],
)
def test_reading_ends_within_its_time(bucket: Bucket, read: str, fault: Fault) -> None:
    uri = storage().save_bytes(kept_folder(uuid4()), CONTENT, suffix="").uri

    def look() -> None:
        if read == "local_path":
            with storage().local_path(uri):
                pass
        elif read == "open":
            with storage().open(uri) as file:
                file.read()
        else:
            with storage().source(uri) as source, source.open() as file:
                file.read()

    bucket.becomes(fault, matches="GET")
    ends(look)


def test_what_is_slow_but_comes_is_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that is allowed grows with what has come: these bytes take over a second, and are worth six."""
    monkeypatch.setattr(remote_file, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(remote_file, "MIN_BYTES_PER_SECOND", 10)
    uri = storage().save_bytes(kept_folder(uuid4()), CONTENT[:60], suffix="").uri
    bucket.faults.append(Fault("GET", times=99, body_pace=0.02))
    with storage().open(uri) as file:
        assert file.read() == CONTENT[:60]
    with storage().source(uri) as source, source.open() as file:
        assert file.read() == CONTENT[:60]


@pytest.mark.parametrize(
    "command, fault",
    [("HEAD", SILENT), ("GET", SLOW_BODY), ("PUT", SLOW_HEAD)],
    ids=["silent", "dribbling", "dribbling when it is written"],
)
def test_a_confirmation_is_503_and_writes_nothing(
    owner: Api, bucket: Bucket, command: str, fault: Fault
) -> None:
    job, content = make_job(owner=owner.user), SAMPLE.read_bytes()
    ticket = ask(owner, job, size_bytes=len(content))
    put(ticket["upload_url"], content)
    bucket.becomes(fault, matches=command)
    answer = confirm(owner, job, ticket)
    assert_shape(answer, 503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in answer.headers and not job.artifacts.exists()
    bucket.recovers()
    if command != "PUT":  # one whose answer does not come is done all the same
        assert storage().old_files(kept_folder(job.pk), NOW) == []
    assert confirm(owner, job, ticket).status_code == 200


def limit(seconds: float) -> sandbox.Limits:
    return sandbox.Limits(memory_bytes=2**30, cpu_seconds=30, wall_seconds=seconds)


def test_a_recording_is_not_refused_for_a_slow_bucket(
    owner: Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child that looks at it waits until its time is over; the file is not to blame, and stays."""
    job, content = make_job(owner=owner.user), SAMPLE.read_bytes()
    ticket = ask(owner, job, size_bytes=len(content))
    put(ticket["upload_url"], content)
    with monkeypatch.context() as impatient:
        impatient.setattr(sandbox.limits, "PROBE", limit(3))
        bucket.faults.append(Fault(RANGE, times=99, seconds=60.0))
        assert_shape(confirm(owner, job, ticket), 503, "SERVICE_UNAVAILABLE")
    assert not job.artifacts.exists()
    bucket.recovers()
    assert confirm(owner, job, ticket).status_code == 200


def test_a_range_that_never_comes_is_no_damage_of_the_video(bucket: Bucket) -> None:
    """FFmpeg calls a file damaged of which it does not get what it asks for."""
    uri = storage().save_file(kept_folder(uuid4()), SAMPLE, suffix="").uri
    with storage().source(uri) as source:
        # Of the two readers that one look opens, the first gets its range.
        bucket.faults.append(Fault(RANGE, times=1))
        bucket.faults.append(Fault(RANGE, times=99, status=503, code="SlowDown"))
        ends(lambda: probe_in_child(source))


def test_the_work_on_a_slow_bucket_is_tried_again_and_fails_with_a_code(
    owner: Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.limits, "SOUND", limit(2))
    monkeypatch.setattr(models, "RETRY_DELAYS", (1,))
    run = make_run(owner=owner.user)
    make_video(run.job)
    before = storage().old_files(kept_folder(run.job_id), NOW)
    bucket.faults.append(Fault(RANGE, times=99, seconds=60.0))
    work_off()
    run.refresh_from_db()
    assert (run.status, run.retries) == (PipelineRun.WAITING, 1)
    make_due()
    work_off()
    run.refresh_from_db()
    assert run.status == PipelineRun.FAILED
    failure = owner.get(f"/jobs/{run.job_id}").json()["failure"]
    assert failure["failure_code"] == "MEDIA_TOO_COMPLEX"
    assert storage().old_files(kept_folder(run.job_id), NOW) == before
    assert not run.job.artifacts.exclude(kind="video").filter(uri__startswith="s3:").exists()
