"""The stages of the local pipeline that belong to this app: the sound and the screen of a video, and its transcript.

An hour of video fits into the time that a run has (STEPWRIGHT_JOB_TIMEOUT_MINUTES): sound and speech take seven minutes
of it on one core. Reading the screen takes 25 minutes, which do not count; it has a limit of its own, by the
length of the video (`sandbox.limits.SCREEN`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from config import sandbox
from config.remote_file import Source
from config.storage import kept_folder, storage
from config.work.broker import own_time_limit
from config.work.lease import Lease
from config.work.models import WorkFailed
from jobs.media.audio import AudioInfo, NoAudio, UnreadableSound, compress_sound, extract_audio
from jobs.media.probe import UnreadableVideo
from jobs.media.screen import Screen, ScreenInvalid
from jobs.media.screen.in_child import read_screen_json
from jobs.media.screen.stored import screen_from_json
from jobs.media.speech import Recogniser, SpeechError
from jobs.media.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.media.speech.hot_words import choose_hot_words
from jobs.media.speech.http import HttpRecogniser
from jobs.media.speech.whisper import Whisper
from jobs.media.transcripts import MAX_TIME_MS, UNDETERMINED, Segment, Transcript, transcript_to_json
from jobs.models import Job
from jobs.services.artifacts import MAX_CONTENT_BYTES, newest_artifact
from jobs.services.audit import by_system, record_event
from jobs.services.screens import read_stored_screen
from jobs.services.transitions import lock_job
from jobs.services.videos import length_ms, open_video, probe_in_child

log = logging.getLogger(__name__)

_SOUND_SHARE = 0.05  # of the time of AUDIO_EXTRACTING
_NOTHING_SEEN = "Nothing is seen being done on its screen."


def extract_stage(job: Job, lease: Lease) -> dict[str, Any]:
    """AUDIO_EXTRACTING: 16 kHz mono sound, in step with the video, and what the screen shows being done.

    A video that has something to be heard or subtitles goes on when its screen cannot be read.
    """
    with open_video(job, lease.report) as video:
        made = _extract_sound(job, lease, video)
        has_words = bool(made) or probe_in_child(video, lease.check).has_subtitles
        found = _read_screen(job, lease, video, is_optional=has_words)
    if found is None:
        return made
    screen, content = found
    if not has_words and not screen.events:
        raise WorkFailed(
            "NO_AUDIO",
            f"The video has no sound and no subtitles. {screen.note or _NOTHING_SEEN} Record it with narration.",
        )
    stored = storage().save_bytes(kept_folder(job.pk), content, suffix=".screen.json")
    return {**made, "screen_uri": stored.uri}


def _extract_sound(job: Job, lease: Lease, video: Source) -> dict[str, Any]:
    """Return where the sound is kept; nothing for a video without any."""
    with tempfile.TemporaryDirectory(prefix="stepwright-") as folder:
        target = Path(folder) / "audio.flac"
        try:
            sandbox.call(
                extract_audio,
                video,
                target,
                limits=sandbox.limits.SOUND.lasting(length_ms(job)),
                returns=(AudioInfo,),
                raises=(NoAudio, UnreadableVideo),
                on_progress=lambda share: lease.report(share * _SOUND_SHARE),
                check=lease.check,
            )
        except NoAudio:
            return {}
        except UnreadableVideo as error:
            raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
        return {"audio_uri": storage().save_file(kept_folder(job.pk), target, suffix=".flac").uri}


def _read_screen(job: Job, lease: Lease, video: Source, *, is_optional: bool) -> tuple[Screen, bytes] | None:
    """Return what the screen shows and the JSON of it; None when it is optional and cannot be read.

    Raises SandboxError, ChildFailed, and WorkFailed: VIDEO_UNREADABLE, SCREEN_UNREADABLE.
    """
    try:
        content = _read_screen_in_child(job, lease, video)
        if len(content) > MAX_CONTENT_BYTES:
            raise ScreenInvalid("", "there are too many events")
        return screen_from_json(content), content
    except (sandbox.SandboxError, sandbox.ChildFailed, UnreadableVideo, ScreenInvalid) as error:
        if not is_optional:
            raise _why_unread(error) from error
        code = getattr(error, "code", type(error).__name__)
        log.warning("job %s goes on without its screen, which was not read: %s", job.pk, code, exc_info=error)
        with lease.hold(before=lambda: lock_job(job.pk)):
            record_event(
                job, "SCREEN_NOT_READ", by=by_system(lease.row.correlation_id), data={"failure_code": code}
            )
        return None


def _read_screen_in_child(job: Job, lease: Lease, video: Source) -> bytes:
    """Return what `read_screen_json` does. A child that was killed, as by a system short of memory, is replaced
    once."""
    limits = sandbox.limits.SCREEN.lasting(length_ms(job))

    def read() -> bytes:
        with own_time_limit(limits.wall_seconds):
            return sandbox.call(
                read_screen_json,
                video,
                limits=limits,
                raises=(UnreadableVideo,),
                on_progress=lambda share: lease.report(_SOUND_SHARE + share * (1 - _SOUND_SHARE)),
                check=lease.check,
            )

    try:
        return read()
    except sandbox.SandboxError as error:
        if not _was_killed(error):
            raise
        log.warning("the screen of job %s is read again, as its child was killed", job.pk)
        return read()


def _was_killed(error: Exception) -> bool:
    """Return whether a child was killed, or did not start: not one that has used up its time while it waited."""
    if not isinstance(error, sandbox.SandboxError):
        return False
    return error.may_pass and error.code == sandbox.WORKER_CRASHED


def _why_unread(error: Exception) -> Exception:
    """Return the failure of a job that has nothing but its screen."""
    if isinstance(error, UnreadableVideo):
        return WorkFailed("VIDEO_UNREADABLE", str(error))
    if isinstance(error, ScreenInvalid):
        return WorkFailed(
            "SCREEN_UNREADABLE",
            "The video has no sound, and what its screen shows could not be read. Record it with narration.",
        )
    if _was_killed(error):
        return WorkFailed(
            "SCREEN_UNREADABLE",
            "The video has no sound, and reading its screen was cut short twice, as happens when the machine is "
            "short of memory. Try again later.",
        )
    return error


def transcribe_stage(job: Job, lease: Lease) -> dict[str, Any]:
    """TRANSCRIBING: the video's own subtitles when it carries some, else a recogniser.

    Where nothing is said the transcript is empty, if the screen shows something being done.
    """
    screen = read_stored_screen(job)
    transcript = _recognise(job, lease, choose_hot_words(screen))
    if not transcript.segments and not screen.events:
        raise WorkFailed(
            "NO_SPEECH",
            f"No speech was found in the recording. {screen.note or _NOTHING_SEEN} Record it with narration.",
        )
    content = json.dumps(transcript_to_json(transcript), ensure_ascii=False, sort_keys=True).encode()
    return {"transcript_uri": storage().save_bytes(kept_folder(job.pk), content, suffix=".json").uri}


def _recognise(job: Job, lease: Lease, hot_words: tuple[str, ...]) -> Transcript:
    """Return what the first recogniser hears that takes the recording; nothing, of a video without sound."""
    sound = newest_artifact(job, "audio")
    asked: dict[str, Any] = {"language": job.options.get("language"), "hot_words": hot_words}
    with contextlib.ExitStack() as files:
        video, audio = files.enter_context(open_video(job, lease.report)), None
        for recogniser in recognisers():
            if not isinstance(recogniser, EmbeddedSubtitles):
                if sound is None:
                    continue
                audio = audio or files.enter_context(storage().local_path(sound.uri))
            try:
                transcript = _transcribe(recogniser, job, lease, {**asked, "video": video, "audio": audio})
            except SpeechError as error:
                raise WorkFailed(error.code, error.message) from error
            if transcript is not None:
                return transcript
    if sound is None:
        return Transcript(job.options.get("language") or UNDETERMINED, (), "none")
    raise WorkFailed("NO_RECOGNISER", "No speech recogniser took this recording. Ask support.")


def _transcribe(recogniser: Recogniser, job: Job, lease: Lease, asked: dict[str, Any]) -> Transcript | None:
    """Ask a recogniser: one that reads files itself in a child, one that asks a service here, with its key."""
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
