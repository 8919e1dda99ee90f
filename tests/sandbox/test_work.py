"""What becomes of a row, and of a request, when the child that works for it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from anchors.models import Asset, ScreenshotTask
from config.sandbox import limits
from config.sandbox.pool import pool
from config.storage import storage
from config.work import lease
from jobs import stages
from jobs.media.audio import UnreadableSound, extract_audio
from jobs.models import Job, PipelineRun
from jobs.states import JobStatus
from tests import sandbox_engines as engines
from tests.desk import BLUR, Desk
from tests.factories import SAMPLE, Api, make_job, make_run, make_video, perform, upload, work_off
from tests.jobs.media import hostile
from tests.races import beside
from tests.sandbox_engines import Whatever

pytestmark = pytest.mark.slow

CODES = [
    (engines.abort, "WORKER_CRASHED"),
    (engines.eat_memory_in_rust, "OUT_OF_MEMORY"),
    (engines.loop_in_native_code, "MEDIA_TOO_COMPLEX"),
]


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pool().clear()
    for name in ("PROBE", "FRAME", "SOUND", "ANNOTATION"):
        monkeypatch.setattr(limits, name, limits.Limits(memory_bytes=2**30, cpu_seconds=1, wall_seconds=30))
    yield
    pool().clear()


@pytest.mark.parametrize(("engine", "code"), CODES)
def test_a_child_that_ends_costs_its_row_one_attempt(
    desk: Desk, engine: Callable[..., Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchors.services.taking.grab_encoded", Whatever(engine))
    task_id = desk.extract().json()["task_id"]
    work_off()
    task = ScreenshotTask.objects.get(pk=task_id)
    assert (task.status, task.failure_code, task.attempt) == ("FAILED", code, 1)
    assert task.failure_message.endswith(".")


def test_a_child_that_the_system_killed_costs_a_retry(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchors.services.taking.grab_encoded", Whatever(engines.be_killed))
    task_id = desk.extract().json()["task_id"]
    work_off()
    task = ScreenshotTask.objects.get(pk=task_id)
    assert (task.status, task.retries) == ("PENDING", 1)


@pytest.mark.parametrize(("engine", "code"), CODES)
def test_an_upload_that_ends_the_child_is_refused(
    owner: Api, engine: Callable[..., Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.videos.probe_video", Whatever(engine))
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert (response.status_code, response.json()["code"]) == (400, "UPLOAD_VERIFICATION_FAILED")
    assert [found["code"] for found in response.json()["details"]["mismatches"]] == [code]
    assert Job.objects.get(pk=job.pk).status == JobStatus.UPLOADING


def test_an_upload_that_could_not_be_looked_at_may_be_confirmed_again(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    with monkeypatch.context() as changed:
        changed.setattr("jobs.services.videos.probe_video", Whatever(engines.be_killed))
        response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "5"
    assert owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri}).status_code == 200


def test_an_upload_that_unpacks_to_gigabytes_is_refused(owner: Api, tmp_path: Path) -> None:
    job = make_job(owner=owner.user)
    video = hostile.compressed_header(tmp_path / "v.mov", 2047 * 2**20)
    uri = upload(owner, job.pk, video.read_bytes())
    response = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert response.json()["details"]["mismatches"][0]["code"] == "OUT_OF_MEMORY"


@pytest.mark.parametrize(("engine", "code"), CODES)
def test_a_drawing_that_ends_the_child_is_refused(
    desk: Desk, engine: Callable[..., Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(limits, "FRAME", limits.Limits(memory_bytes=2**31, cpu_seconds=60, wall_seconds=60))
        task = desk.picture()
    monkeypatch.setattr("anchors.services.drawing.draw_on_file", Whatever(engine))
    files = sorted(storage().root.rglob("*"))  # type: ignore[attr-defined]
    response = desk.annotate(task, BLUR)
    assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_ERROR")
    wrong = response.json()["details"]["errors"][0]
    assert (wrong["field"], wrong["code"]) == ("operations", code)
    assert sorted(storage().root.rglob("*")) == files  # type: ignore[attr-defined]
    assert not Asset.objects.filter(kind="ANNOTATED").exists()


@pytest.mark.django_db(transaction=True)
def test_cancelling_ends_a_child_that_is_stuck_in_native_code(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(limits, "SOUND", limits.Limits(memory_bytes=2**30, cpu_seconds=60, wall_seconds=60))
    monkeypatch.setattr("jobs.stages.extract_audio", Whatever(engines.loop_in_native_code))
    run = make_run(owner=owner.user)
    make_video(run.job)
    before = set(psutil.Process().children())
    with beside(lambda: perform(run)):
        while not set(psutil.Process().children()) - before:
            time.sleep(0.05)
        time.sleep(0.3)
        assert owner.post(f"/jobs/{run.job_id}/cancel").status_code == 200
        begun = time.monotonic()
        while set(psutil.Process().children()) - before:
            assert time.monotonic() - begun < 3, "the child goes on"
            time.sleep(0.05)
    assert PipelineRun.objects.get(pk=run.pk).status != "SUCCEEDED"


def test_a_stage_that_is_too_complex_fails_the_job_at_once(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.stages.extract_audio", Whatever(engines.loop_in_native_code))
    run = make_run(owner=owner.user)
    make_video(run.job)
    work_off()
    job = Job.objects.get(pk=run.job_id)
    assert job.status == "FAILED"
    assert (job.failure["failure_code"], job.failure["failed_stage"]) == (
        "MEDIA_TOO_COMPLEX",
        "AUDIO_EXTRACTING",
    )


def test_a_sound_is_compressed_for_a_service_in_a_child(tmp_path: Path) -> None:
    """The service is asked here, with its key; the file, which may be an orchestrator's, is not read here."""
    video = hostile.sounds_far_apart(tmp_path / "v.mkv", hours=0.001)
    extract_audio(video, tmp_path / "s.flac")
    shares: list[float] = []
    stages._compress_in_child(tmp_path / "s.flac", tmp_path / "s.ogg", on_progress=shares.append)
    assert (tmp_path / "s.ogg").read_bytes().startswith(b"OggS")
    assert 1.0 in shares
    assert len(pool().idle_pids()) == 1
    (tmp_path / "s.flac").write_bytes(b"fLaC, not")
    with pytest.raises(UnreadableSound):
        stages._compress_in_child(tmp_path / "s.flac", tmp_path / "s.ogg", on_progress=shares.append)
