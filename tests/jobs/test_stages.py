"""The first stages of the local pipeline: a video is heard and its screen is read, and either may give nothing."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config.sandbox import limits
from config.sandbox.pool import pool
from config.storage import kept_folder, read_bytes, storage
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs import hooks, stages
from jobs.media.speech.hot_words import choose_hot_words
from jobs.models import Artifact, AuditEvent, Job, PipelineRun
from jobs.states import JobStatus
from tests import sandbox_engines as engines
from tests import screen_engines as screens
from tests.factories import DRAFT, Api, force, make_dispatch, make_run, report, work_off
from tests.jobs.media.recordings import bursts, write_video
from tests.sandbox_engines import Whatever
from tests.screens import make_screen

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the engines of a test do ends soon."""
    pool().clear()
    monkeypatch.setattr(limits, "SCREEN", limits.Limits(memory_bytes=2**30, cpu_seconds=1, wall_seconds=30))
    yield
    pool().clear()


def seeing(monkeypatch: pytest.MonkeyPatch, engine: Callable[[], Any]) -> None:
    monkeypatch.setattr(stages, "read_screen_json", Whatever(engine))


def hearing(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    monkeypatch.setattr(stages, "recognisers", lambda: (stages.EmbeddedSubtitles(), screens.Hearing(*texts)))


def recorded(tmp_path: Path, owner: Api | None = None, *, has_sound: bool) -> PipelineRun:
    """A run of a job whose video is two seconds long, with sound or without."""
    run = make_run(owner=owner.user if owner else None)
    video = write_video(tmp_path / "v.mp4", sound=bursts(2, 1) if has_sound else None)
    stored = storage().save_file(kept_folder(run.job_id), video, suffix="")
    data = {"duration_ms": 2000}
    Artifact.objects.create(job=run.job, kind="video", version=2, uri=stored.uri, data=data)
    return run


def ended(run: PipelineRun) -> Job:
    work_off()
    return Job.objects.get(pk=run.job_id)


@pytest.mark.both_storages
def test_a_silent_video_goes_on_with_what_its_screen_shows(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, screens.find_events)
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    job = ended(recorded(tmp_path, owner, has_sound=False))
    assert (job.status, job.failure) == ("DRAFT_READY", None)
    assert "audio_uri" not in job.manifest
    assert json.loads(read_bytes(job.manifest["screen_uri"], limit=9999)) == json.loads(screens.find_events())
    assert json.loads(read_bytes(job.manifest["transcript_uri"], limit=999)) == {
        "language": "und",
        "recogniser": "none",
        "segments": [],
    }
    assert owner.get(f"/jobs/{job.pk}/transcript").json()["items"] == []
    assert len(owner.get(f"/jobs/{job.pk}/screen-events").json()["items"]) == 2


def test_a_silent_video_whose_screen_shows_nothing_fails(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, screens.find_nothing)
    job = ended(recorded(tmp_path, has_sound=False))
    assert (job.status, job.failure["failure_code"]) == ("FAILED", "NO_AUDIO")
    assert job.failure["failed_stage"] == "AUDIO_EXTRACTING"
    assert job.failure["failure_message"] == (
        "The video has no sound and no subtitles. Nothing moves in this video. Record it with narration."
    )


def test_a_video_in_which_nobody_speaks_goes_on_with_its_screen(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, screens.find_events)
    hearing(monkeypatch)
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    job = ended(recorded(tmp_path, owner, has_sound=True))
    assert job.status == "DRAFT_READY"
    assert {"audio_uri", "screen_uri", "transcript_uri"} <= set(job.manifest)
    assert owner.get(f"/jobs/{job.pk}/transcript").json()["items"] == []


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        (screens.find_nothing, "Nothing moves in this video."),
        (engines.loop_in_native_code, "Nothing is seen being done on its screen."),
    ],
)
def test_a_video_with_neither_speech_nor_events_fails(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Callable[[], Any], why: str
) -> None:
    seeing(monkeypatch, engine)
    hearing(monkeypatch)
    job = ended(recorded(tmp_path, has_sound=True))
    assert (job.failure["failure_code"], job.failure["failed_stage"]) == ("NO_SPEECH", "TRANSCRIBING")
    expected = f"No speech was found in the recording. {why} Record it with narration."
    assert job.failure["failure_message"] == expected


def test_the_recogniser_is_told_the_names_on_the_screen_and_no_log_is(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seeing(monkeypatch, screens.find_events)
    monkeypatch.setattr(
        stages, "recognisers", lambda: (stages.EmbeddedSubtitles(), screens.HearingHotWords())
    )
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    with caplog.at_level(logging.DEBUG):
        job = ended(recorded(tmp_path, owner, has_sound=True))
    told = [segment["text"] for segment in owner.get(f"/jobs/{job.pk}/transcript").json()["items"]]
    assert told == list(choose_hot_words(screens.SCREEN)) != []
    assert not [name for name in told if name in caplog.text]


FAILURES = [
    (engines.abort, "WORKER_CRASHED"),
    (engines.loop_in_native_code, "MEDIA_TOO_COMPLEX"),
    (engines.break_down, "ChildFailed"),
    (screens.refuse_the_video, "UNDECODABLE"),
    (screens.find_nonsense, "ScreenInvalid"),
    (screens.find_too_much, "ScreenInvalid"),
]


@pytest.mark.parametrize(("engine", "logged"), FAILURES)
def test_a_screen_that_cannot_be_read_does_not_fail_a_narrated_job(
    db: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    engine: Callable[[], Any],
    logged: str,
) -> None:
    seeing(monkeypatch, engine)
    hearing(monkeypatch, "Click on Save.")
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    with caplog.at_level(logging.WARNING, "jobs.stages"):
        job = ended(recorded(tmp_path, has_sound=True))
    assert job.status == "DRAFT_READY"
    assert "audio_uri" in job.manifest and "screen_uri" not in job.manifest
    assert job.artifacts.filter(kind="screen").count() == 0
    (record,) = [record for record in caplog.records if record.name == "jobs.stages"]
    assert record.getMessage().endswith(f"was not read: {logged}")
    (event,) = AuditEvent.objects.filter(job=job, event_type="SCREEN_NOT_READ")
    assert (event.actor_type, event.data) == ("system", {"failure_code": logged})


def killing(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Kill the child that reads the screen, so many times, once it has reported; return the pids."""
    killed: list[int] = []
    report = Lease.report

    def kill(self: Lease, share: float) -> None:
        report(self, share)
        if share > stages._SOUND_SHARE and len(killed) < times:
            children = [
                each for each in psutil.Process().children() if "config.sandbox.child" in each.cmdline()
            ]
            idle = pool().idle_pids()
            (pid,) = [each.pid for each in children if each.pid not in idle]
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    monkeypatch.setattr(Lease, "report", kill)
    monkeypatch.setattr(stages, "read_screen_json", screens.find_events_slowly)
    return killed


@pytest.mark.parametrize("has_sound", [False, True])
def test_a_screen_is_read_again_when_the_child_that_read_it_was_killed(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_sound: bool
) -> None:
    killed = killing(monkeypatch, 1)
    hearing(monkeypatch, "Click on Save.")
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    job = ended(recorded(tmp_path, owner, has_sound=has_sound))
    assert (job.status, len(killed)) == ("DRAFT_READY", 1)
    assert len(owner.get(f"/jobs/{job.pk}/screen-events").json()["items"]) == 2
    assert not AuditEvent.objects.filter(job=job, event_type="SCREEN_NOT_READ").exists()


def test_a_narrated_job_goes_on_when_its_screen_reader_is_killed_twice(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    killed = killing(monkeypatch, 2)
    hearing(monkeypatch, "Click on Save.")
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, lease: {"draft": DRAFT})
    job = ended(recorded(tmp_path, owner, has_sound=True))
    assert (job.status, len(killed)) == ("DRAFT_READY", 2)
    shown = owner.get(f"/jobs/{job.pk}/events").json()
    (event,) = [event for event in shown if event["event_type"] == "SCREEN_NOT_READ"]
    assert event["data"] == {"failure_code": "WORKER_CRASHED"}
    logged = [record.getMessage() for record in caplog.records if record.name == "jobs.stages"]
    assert logged[-1].endswith("goes on without its screen, which was not read: WORKER_CRASHED")


def test_a_silent_job_whose_screen_reader_is_killed_twice_fails(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = killing(monkeypatch, 2)
    job = ended(recorded(tmp_path, owner, has_sound=False))
    assert (job.failure["failure_code"], len(killed)) == ("SCREEN_UNREADABLE", 2)
    assert job.failure["failure_message"] == (
        "The video has no sound, and reading its screen was cut short twice, as happens when the machine is short "
        "of memory. Try again later."
    )


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        (engines.loop_in_native_code, "MEDIA_TOO_COMPLEX"),
        (screens.refuse_the_video, "VIDEO_UNREADABLE"),
        (screens.find_nonsense, "SCREEN_UNREADABLE"),
    ],
)
def test_a_silent_video_whose_screen_cannot_be_read_fails(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Callable[[], Any], code: str
) -> None:
    seeing(monkeypatch, engine)
    job = ended(recorded(tmp_path, has_sound=False))
    assert (job.status, job.failure["failure_code"]) == ("FAILED", code)


def test_a_cancelled_job_does_not_go_on_without_its_screen(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, engines.loop_in_native_code)
    run = recorded(tmp_path, has_sound=True)

    def lose(job: Job, lease: Lease, video: Any) -> dict[str, Any]:
        lease._lost.set()
        return {"audio_uri": "local://x"}

    monkeypatch.setattr(stages, "_extract_sound", lose)
    with pytest.raises(LeaseLost):
        stages.extract_stage(run.job, Lease(run))


def test_progress_goes_from_the_sound_to_the_end_of_the_screen(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, reported = recorded(tmp_path, has_sound=True), []
    lease = Lease(run)
    monkeypatch.setattr(lease, "report", reported.append)
    monkeypatch.setattr(stages, "read_screen_json", screens.find_events_and_report)
    assert "audio_uri" in stages.extract_stage(run.job, lease)
    assert reported == sorted(reported)
    assert reported[0] == 0.0 and reported[-1] == 1.0 and stages._SOUND_SHARE in reported


class Asked:
    """A language model that keeps what it is asked, and fails."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.asked: dict[str, Any] = {}

    def draft(self, segments: Any, **asked: Any) -> Any:
        self.asked = {"segments": segments, **asked}
        raise WorkFailed("ASKED", "It was asked.")


@pytest.mark.parametrize("status", [JobStatus.AUDIO_READY, JobStatus.TRANSCRIPT_READY])
def test_a_retry_uses_the_screen_that_is_stored(
    owner: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: JobStatus
) -> None:
    seeing(monkeypatch, engines.abort)
    hearing(monkeypatch)
    model = Asked()
    monkeypatch.setattr("instructions.stages.Extractive", lambda: model)  # of what is not said
    run = recorded(tmp_path, owner, has_sound=True)
    job = make_screen(force(run.job, JobStatus.AUDIO_EXTRACTING))
    run.delete()
    job.dispatch.delete()
    job = make_job_ready(job, status)
    make_dispatch(job, state="accepted", orchestrator="local", kind="retry", client_request_id="r")
    work_off()
    failed = Job.objects.get(pk=job.pk)
    assert failed.failure["failure_code"] == "ASKED", failed.failure
    assert model.asked["screen"] == screens.SCREEN.events
    assert job.artifacts.filter(kind="screen").count() == 1


def make_job_ready(job: Job, status: JobStatus) -> Job:
    report(job, JobStatus.AUDIO_READY)
    if status == JobStatus.TRANSCRIPT_READY:
        report(job, JobStatus.TRANSCRIBING)
        report(job, status, transcript={"language": "en", "segments": []})
    return Job.objects.get(pk=job.pk)
