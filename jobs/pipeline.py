"""The local pipeline: its stages, their order, and what is reported of each.

Our own workers report like any orchestrator, by callback. Each stage stores its artifact before it reports, so
that a crash or a retry repeats at most one stage.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from config import sandbox
from config.remote_file import Source
from config.storage import kept_folder, storage
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs import hooks
from jobs.media.audio import AudioInfo, NoAudio, UnreadableSound, compress_sound, extract_audio
from jobs.media.probe import UnreadableVideo
from jobs.media.speech import Recogniser, SpeechError
from jobs.media.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.media.speech.http import HttpRecogniser
from jobs.media.speech.whisper import Whisper
from jobs.media.transcripts import MAX_TIME_MS, Segment, Transcript, transcript_to_json
from jobs.models import Job, PipelineRun
from jobs.services.callbacks import StatusReport, apply_callback, canonical_sha256
from jobs.services.videos import length_ms, open_video, probe_in_child, require_artifact
from jobs.states import ActorType, JobStatus

# (status while working, status when done), in order. Who performs a stage is registered in `hooks.STAGES`.
STAGES = (
    (JobStatus.AUDIO_EXTRACTING, JobStatus.AUDIO_READY),
    (JobStatus.TRANSCRIBING, JobStatus.TRANSCRIPT_READY),
    (JobStatus.GENERATING, JobStatus.DRAFT_READY),
)
ORDER = (JobStatus.UPLOADED, *(status for stage in STAGES for status in stage))


def perform_run(run: PipelineRun, lease: Lease) -> None:
    """Perform every stage that the job has still before it."""
    for working, done in STAGES:
        job = Job.objects.get(pk=run.job_id)
        if job.status not in ORDER:  # cancelled
            raise LeaseLost
        if ORDER.index(job.status) >= ORDER.index(done):
            continue
        lease.check()
        has_begun = job.status == working == JobStatus.AUDIO_EXTRACTING and run.attempt == 1
        if not has_begun:  # `run` itself has begun the very first stage
            _report(job, run, lease, working)
        updates = _perform_stage(working, job, lease)
        _report(job, run, lease, done, updates=updates)


def _perform_stage(working: JobStatus, job: Job, lease: Lease) -> dict[str, Any]:
    try:
        return hooks.STAGES[working](job, lease)
    except WorkFailed as failure:
        raise WorkFailed(failure.code, failure.message, stage=working) from failure


def fail_run(run: PipelineRun, failure: WorkFailed, *, lease: Lease) -> None:
    """Report FAILED for the stage that the job is in."""
    job = Job.objects.get(pk=run.job_id)
    fields = {
        "failure_code": failure.code,
        "failure_message": failure.message,
        "failed_stage": failure.stage or job.status,
        "correlation_id": run.correlation_id,
    }
    _report(job, run, lease, JobStatus.FAILED, failure=fields)


def _report(
    job: Job,
    run: PipelineRun,
    lease: Lease,
    status: JobStatus,
    *,
    updates: dict[str, Any] | None = None,
    failure: dict[str, str] | None = None,
) -> None:
    now = timezone.now()
    event_id = f"{run.dispatch_id}:{run.attempt}:{status}"
    payload = {"event_id": event_id, "artifact_updates": updates or {}, "failure": failure}
    report = StatusReport(
        event_id=event_id,
        status=status,
        # Clocks of two machines may differ; a run's own reports are in order by construction.
        occurred_at=max(now, job.latest_applied_occurred_at or now),
        correlation_id=run.correlation_id,
        actor_type=ActorType.SYSTEM,
        artifact_updates=updates or {},
        failure=failure,
        payload_sha256=canonical_sha256(payload),
    )
    lease.wait_for_locks(
        lambda: apply_callback(job_id=job.pk, dispatch_id=str(run.dispatch_id), lease=lease, report=report)
    )


def extract_stage(job: Job, lease: Lease) -> dict[str, Any]:
    """AUDIO_EXTRACTING: 16 kHz mono sound, in step with the video."""
    with tempfile.TemporaryDirectory(prefix="stepwright-") as folder, open_video(job, lease.report) as video:
        target = Path(folder) / "audio.flac"
        try:
            sandbox.call(
                extract_audio,
                video,
                target,
                limits=sandbox.limits.SOUND.lasting(length_ms(job)),
                returns=(AudioInfo,),
                raises=(NoAudio, UnreadableVideo),
                on_progress=lease.report,
                check=lease.check,
            )
        except NoAudio as error:
            if probe_in_child(video, lease.check).has_subtitles:
                return {}  # a silent recording with subtitles has its words all the same
            raise WorkFailed(
                "NO_AUDIO", "The video has no sound to transcribe. Record it with narration."
            ) from error
        except UnreadableVideo as error:
            raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
        stored = storage().save_file(kept_folder(job.pk), target, suffix=".flac")
    return {"audio_uri": stored.uri}


def transcribe_stage(job: Job, lease: Lease) -> dict[str, Any]:
    """TRANSCRIBING: the video's own subtitles when it carries some, else a recogniser."""
    with contextlib.ExitStack() as files:
        video, audio = files.enter_context(open_video(job, lease.report)), None
        for recogniser in recognisers():
            if audio is None and not isinstance(recogniser, EmbeddedSubtitles):
                audio = files.enter_context(storage().local_path(require_artifact(job, "audio").uri))
            try:
                transcript = _transcribe(recogniser, job, lease, video, audio)
            except SpeechError as error:
                raise WorkFailed(error.code, error.message) from error
            if transcript is not None:
                break
        else:
            raise WorkFailed("NO_RECOGNISER", "No speech recogniser took this recording. Ask support.")
    if not transcript.segments:
        raise WorkFailed("NO_SPEECH", "No speech was found in the recording. Record it with narration.")
    content = json.dumps(transcript_to_json(transcript), ensure_ascii=False, sort_keys=True).encode()
    return {"transcript_uri": storage().save_bytes(kept_folder(job.pk), content, suffix=".json").uri}


def _transcribe(
    recogniser: Recogniser, job: Job, lease: Lease, video: Source, audio: Path | None
) -> Transcript | None:
    """Ask a recogniser: one that reads files itself in a child, one that asks a service here, with its key."""
    asked = {"video": video, "audio": audio, "language": job.options.get("language")}
    if isinstance(recogniser, HttpRecogniser):
        return recogniser.transcribe(**asked, on_progress=lease.report)
    reads_subtitles = isinstance(recogniser, EmbeddedSubtitles)
    limits = sandbox.limits.SUBTITLES if reads_subtitles else sandbox.limits.SPEECH
    return sandbox.call(
        recogniser.transcribe,
        **asked,
        limits=limits.lasting(length_ms(job)),
        returns=(Transcript, Segment),
        raises=(SpeechError,),
        on_progress=lease.report,
        check=lease.check,
    )


@lru_cache(maxsize=1)
def recognisers() -> tuple[Recogniser, ...]:
    """Who is asked for a transcript, in order."""
    if settings.SPEECH_URL:
        spoken: Recogniser = HttpRecogniser(
            settings.SPEECH_URL,
            settings.SPEECH_API_KEY,
            settings.SPEECH_MODEL,
            compress=_compress_in_child,
        )
    else:
        spoken = Whisper(Path(settings.WHISPER_MODEL).absolute() if settings.WHISPER_MODEL else None)
    return (EmbeddedSubtitles(), spoken)


def _compress_in_child(sound: Path, target: Path, *, on_progress: Callable[[float], None]) -> None:
    sandbox.call(
        compress_sound,
        sound,
        target,
        limits=sandbox.limits.SOUND.lasting(MAX_TIME_MS),
        raises=(UnreadableSound,),
        on_progress=on_progress,
        check=lambda: on_progress(0.0),
    )
