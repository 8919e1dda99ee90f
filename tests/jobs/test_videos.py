"""A job whose video lies elsewhere: fetched once, kept, and read by every stage from then on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.api.errors import ApiError
from config.storage import kept_folder, storage
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs.media.remote_video import Limits, fetch_video
from jobs.models import Job
from jobs.services import videos
from jobs.services.jobs import create_job
from jobs.services.videos import external_video, open_video, require_artifact
from jobs.stages import extract_stage
from jobs.states import JobStatus
from tests.factories import (
    SAMPLE,
    Api,
    force,
    make_job,
    make_project,
    make_run,
    make_user,
    make_video,
    work_off,
)
from tests.jobs.media.media_server import Server, reply, serving
from tests.jobs.media.recordings import bursts, write_video
from tests.races import at_once

pytestmark = pytest.mark.slow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Server]:
    """A media server on the list, whose address counts as public."""
    with serving(Server()) as started:
        settings.VIDEO_URI_ALLOW = [f"http://media.test:{started.port}/recordings/"]
        fetch = partial(
            fetch_video,
            resolve=lambda host, port: ["127.0.0.1"],
            is_public=lambda address: address == "127.0.0.1",
            limits=Limits(pauses_s=(0.01,)),
        )
        monkeypatch.setattr(videos, "fetch_video", fetch)
        yield started


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    return write_video(tmp_path / "made.mp4", sound=bursts(2, 1)).read_bytes()


def uri_at(server: Server) -> str:
    return f"http://media.test:{server.port}/recordings/one.mp4"


def external_job(uri: str, owner: Any = None) -> Job:
    """A job as `confirm-upload` leaves it for a video beside our own storage."""
    job = create_job(project=make_project(owner), options={"auto_screenshots": False})
    make_video(job, uri=uri)
    job.manifest = {"video_uri": uri}
    job.save(update_fields=["manifest"])
    return force(job, JobStatus.UPLOADED)


def ignore(share: float) -> None:
    """Progress that nobody watches."""


def kept_files(job: Job, folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / kept_folder(job.pk)).glob("*"))


def test_a_video_of_our_own_is_read_where_it_lies(db: None, server: Server) -> None:
    job = make_job(JobStatus.UPLOADED)
    with open_video(job, ignore) as path:
        assert path.read_bytes() == b"stands for a video"
    assert server.requests == [] and job.artifacts.count() == 1


def test_a_video_elsewhere_becomes_the_next_version_of_the_artifact(
    db: None, server: Server, recording: bytes, storage_folder: Path
) -> None:
    server.answers = [reply(recording)]
    job = external_job(uri_at(server))
    for _ in range(2):
        with open_video(job, ignore) as path:
            assert path.read_bytes() == recording
    assert len(server.requests) == 1
    first, second = job.artifacts.order_by("version")
    sha256 = hashlib.sha256(recording).hexdigest()
    assert (first.version, first.uri) == (1, uri_at(server))
    assert (second.kind, second.version, second.sha256) == ("video", 2, sha256)
    assert (second.uri, second.size_bytes) == (f"local://jobs/{job.pk}/{sha256}", len(recording))
    assert second.data == {"duration_ms": pytest.approx(2000, abs=50), "width": 64, "height": 48}
    assert Job.objects.get(pk=job.pk).manifest == {"video_uri": uri_at(server)}
    assert kept_files(job, storage_folder) == [sha256]


def test_sound_and_screenshot_come_from_one_fetch(owner: Api, server: Server) -> None:
    server.answers = [reply(SAMPLE.read_bytes())]
    job = make_job(JobStatus.EDITING, owner=owner.user)
    make_video(job, uri=uri_at(server))
    lease = Lease(make_run())
    assert extract_stage(job, lease)["audio_uri"].endswith(".flac")
    document = owner.get(f"/instructions/{job.instruction_id}").json()
    body = {
        "instruction_id": document["id"],
        "instruction_version_id": document["instruction_version_id"],
        "timestamp_ms": 12_400,
    }
    asked = owner.post(f"/jobs/{job.pk}/screenshots/extract", body)
    assert asked.status_code == 202, asked.content
    work_off()
    task = owner.get(f"/screenshot-tasks/{asked.json()['task_id']}").json()
    assert (task["status"], task["extracted_at_ms"]) == ("SUCCEEDED", 12_400)
    assert len(server.requests) == 1


def test_the_first_to_ask_may_be_a_screenshot(owner: Api, server: Server) -> None:
    server.answers = [reply(b"", status="404 Not Found")]
    job = make_job(JobStatus.EDITING, owner=owner.user)
    make_video(job, uri=uri_at(server))
    document = owner.get(f"/instructions/{job.instruction_id}").json()
    body = {
        "instruction_id": document["id"],
        "instruction_version_id": document["instruction_version_id"],
        "timestamp_ms": 100,
    }
    task_id = owner.post(f"/jobs/{job.pk}/screenshots/extract", body).json()["task_id"]
    work_off()
    failed = owner.get(f"/screenshot-tasks/{task_id}").json()
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "VIDEO_NOT_REACHABLE")
    server.answers = [reply(SAMPLE.read_bytes())]
    assert owner.post(f"/jobs/{job.pk}/screenshots/extract", body).status_code == 202
    work_off()
    assert owner.get(f"/screenshot-tasks/{task_id}").json()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(b"", status="404 Not Found"), "VIDEO_NOT_REACHABLE"),
        (reply(b"", status="503 Busy"), "VIDEO_NOT_REACHABLE"),
        (reply(b"", "Location: http://127.0.0.1/", status="302 Found"), "VIDEO_NOT_REACHABLE"),
        (reply(b"x", size=2**40), "VIDEO_TOO_LARGE"),
        (reply(b"#EXTM3U\n"), "VIDEO_PLAYLIST"),
        (reply(b"words, and no video"), "VIDEO_UNREADABLE"),
        (reply(b""), "VIDEO_UNREADABLE"),
    ],
)
def test_a_failure_has_a_code_and_a_sentence_and_leaves_nothing(
    db: None, server: Server, storage_folder: Path, answer: bytes, code: str
) -> None:
    server.answers = [answer]
    job = external_job(uri_at(server))
    with pytest.raises(WorkFailed) as caught, open_video(job, ignore):
        pytest.fail("there is no video")
    assert caught.value.code == code
    for inside in ("127.0", "media.test", str(server.port), "/tmp"):
        assert inside not in caught.value.message
    assert job.artifacts.count() == 1 and kept_files(job, storage_folder) == []


def test_an_inside_address_fails_the_job_and_is_not_asked(
    db: None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "fetch_video", partial(fetch_video, resolve=lambda host, port: ["127.0.0.1"]))
    with pytest.raises(WorkFailed) as caught, open_video(external_job(uri_at(server)), ignore):
        pytest.fail("there is no video")
    assert caught.value.code == "VIDEO_ADDRESS_REFUSED"
    assert server.requests == []


def test_a_list_that_was_shortened_since_holds(db: None, server: Server, settings: Any) -> None:
    job = external_job(uri_at(server))
    settings.VIDEO_URI_ALLOW = []
    with pytest.raises(WorkFailed) as caught, open_video(job, ignore):
        pytest.fail("there is no video")
    assert caught.value.code == "VIDEO_URI_NOT_ALLOWED"
    assert server.requests == []


def test_a_video_over_the_limit_of_uploads_is_refused(
    db: None, server: Server, recording: bytes, settings: Any
) -> None:
    server.answers = [reply(recording)]
    settings.MAX_UPLOAD_BYTES = len(recording) - 1
    with pytest.raises(WorkFailed) as caught, open_video(external_job(uri_at(server)), ignore):
        pytest.fail("there is no video")
    assert caught.value.code == "VIDEO_TOO_LARGE"


@pytest.mark.parametrize(("room", "asked"), [(0, 0), (1, 1)])
def test_a_video_that_the_quota_has_no_room_for_is_not_kept(
    db: None,
    server: Server,
    recording: bytes,
    storage_folder: Path,
    settings: Any,
    room: int,
    asked: int,
) -> None:
    """Nor fetched, when there is no room at all."""
    server.answers = [reply(recording)] * 2
    job = external_job(uri_at(server))
    settings.QUOTA_BYTES_PER_OWNER = (len(recording) - 1) * room
    with pytest.raises(WorkFailed) as caught, open_video(job, ignore):
        pytest.fail("there is no video")
    assert caught.value.code == "QUOTA_EXCEEDED" and "Delete jobs" in caught.value.message
    assert len(server.requests) == asked
    assert job.artifacts.count() == 1 and kept_files(job, storage_folder) == []
    settings.QUOTA_BYTES_PER_OWNER = len(recording)
    with open_video(job, ignore) as path:
        assert path.read_bytes() == recording


def test_a_cancelled_job_stops_its_fetch(db: None, server: Server, recording: bytes) -> None:
    server.answers = [reply(recording)]
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    make_video(job, uri=uri_at(server))
    lease = Lease(make_run())
    lease._lost.set()
    with pytest.raises(LeaseLost):
        extract_stage(job, lease)
    assert require_artifact(job, "video").version == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_fetch_at_once_both_read_the_first_one_s_copy(
    server: Server, recording: bytes, tmp_path: Path
) -> None:
    # The file changed between the two fetches: one copy must count for all stages.
    other = write_video(tmp_path / "other.mp4", seconds=3).read_bytes()
    both_asked = threading.Barrier(2)

    def answer(content: bytes) -> Any:
        def send(asked: Any) -> None:
            both_asked.wait(timeout=20)
            asked.sendall(reply(content))

        return send

    server.answers = [answer(recording), answer(other)]
    job = external_job(uri_at(server), make_user())

    def work(_: int) -> bytes:
        with open_video(job, ignore) as path:
            return path.read_bytes()

    read = at_once(2, work)
    assert len(server.requests) == 2
    assert read[0] == read[1]
    assert list(job.artifacts.order_by("version").values_list("version", flat=True)) == [1, 2]
    assert require_artifact(job, "video").sha256 == hashlib.sha256(read[0]).hexdigest()


def test_a_uri_on_the_list_may_be_confirmed(settings: Any) -> None:
    settings.VIDEO_URI_ALLOW = ["https://media.example.com/recordings/", "gs://acme-recordings/"]
    for uri in ("https://media.example.com/recordings/one.mp4?sig=x", "gs://acme-recordings/one.mp4"):
        assert external_video(uri) == uri


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://media.example.com/other/one.mp4", "VIDEO_URI_NOT_ALLOWED"),
        ("file:///etc/passwd", "VIDEO_URI_INVALID"),
        ("https://127.0.0.1/one.mp4", "VIDEO_ADDRESS_REFUSED"),
        ("https://media.example.com/recordings/one.m3u8", "VIDEO_PLAYLIST"),
        (f"local://jobs/{'0' * 36}/x", "VIDEO_URI_NOT_ALLOWED"),
        (f"local://uploads/{'0' * 36}/x", "VIDEO_URI_NOT_ALLOWED"),
        ("local://../x", "VIDEO_URI_INVALID"),
    ],
)
def test_any_other_uri_is_a_400_that_names_the_field(settings: Any, uri: str, code: str) -> None:
    settings.VIDEO_URI_ALLOW = ["https://media.example.com/recordings/"]
    with pytest.raises(ApiError) as caught:
        external_video(uri)
    assert (caught.value.status, caught.value.code) == (400, "VALIDATION_ERROR")
    assert caught.value.details
    (error,) = caught.value.details["errors"]
    assert (error["field"], error["code"]) == ("video_uri", code)
    assert caught.value.hint and "allowed" in caught.value.hint


def test_with_an_empty_list_nothing_beside_our_storage_is_taken(settings: Any) -> None:
    assert settings.VIDEO_URI_ALLOW == []
    with pytest.raises(ApiError) as caught:
        external_video("https://media.example.com/recordings/one.mp4")
    assert caught.value.hint == "Send the video_uri of the upload ticket."


def test_a_key_of_our_own_bucket_is_refused_though_the_list_has_the_bucket(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VIDEO_URI_ALLOW = ["s3://ours/"]
    monkeypatch.setattr(storage(), "scheme", "s3://ours/")
    with pytest.raises(ApiError):
        external_video(f"s3://ours/jobs/{'0' * 36}/{'a' * 64}")
    assert external_video("s3://ours/elsewhere/one.mp4")
