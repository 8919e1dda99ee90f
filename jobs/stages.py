"""The stages of the local pipeline that belong to this room: sound out of the video, and its transcript."""

from __future__ import annotations

import contextlib
import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from config.api.storage import kept_folder, storage
from jobs.audio import NoAudio, extract_audio
from jobs.models import Job
from jobs.probe import UnreadableVideo, probe_video
from jobs.speech import Recogniser, SpeechError, transcript_to_json
from jobs.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.speech.http import HttpRecogniser
from jobs.speech.whisper import Whisper
from jobs.videos import newest, video_path
from jobs.work import Lease, WorkFailed


def extract_stage(job: Job, lease: Lease) -> dict[str, Any]:
    """AUDIO_EXTRACTING: 16 kHz mono sound, in step with the video."""
    with tempfile.TemporaryDirectory(prefix="stepwright-") as folder, video_path(job, lease.report) as video:
        target = Path(folder) / "audio.flac"
        try:
            extract_audio(video, target, on_progress=lease.report)
        except NoAudio as error:
            if probe_video(video).has_subtitles:
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
    language = job.options.get("language")
    with contextlib.ExitStack() as files:
        video, audio = files.enter_context(video_path(job, lease.report)), None
        for recogniser in recognisers():
            if audio is None and not isinstance(recogniser, EmbeddedSubtitles):
                audio = files.enter_context(storage().local_path(newest(job, "audio").uri))
            try:
                transcript = recogniser.transcribe(
                    video=video, audio=audio or video, language=language, on_progress=lease.report
                )
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


@lru_cache(maxsize=1)
def recognisers() -> tuple[Recogniser, ...]:
    """Who is asked for a transcript, in order. One set a process: the model is loaded once."""
    if settings.SPEECH_URL:
        spoken: Recogniser = HttpRecogniser(
            settings.SPEECH_URL, settings.SPEECH_API_KEY, settings.SPEECH_MODEL
        )
    else:
        spoken = Whisper(Path(settings.WHISPER_MODEL) if settings.WHISPER_MODEL else None)
    return (EmbeddedSubtitles(), spoken)
