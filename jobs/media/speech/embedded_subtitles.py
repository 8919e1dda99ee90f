"""The transcript that a video brings along: its subtitle track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jobs.media.probe import UnreadableVideo
from jobs.media.speech import UNDETERMINED, Transcript
from jobs.media.subtitles import read_subtitle_stream


class EmbeddedSubtitles:
    """Recogniser that reads the video's own text subtitles, and passes when there are none."""

    def transcribe(
        self, *, video: Path, audio: Path, language: str | None, on_progress: Callable[[float], None]
    ) -> Transcript | None:
        """See `Recogniser.transcribe`; `audio` is not looked at."""
        try:
            track = read_subtitle_stream(video, language)
        except UnreadableVideo:
            return None  # whoever listens to the sound may still do its work
        on_progress(1.0)
        if track is None:
            return None
        return Transcript(
            language=track.language or language or UNDETERMINED,
            segments=track.segments,
            recogniser="subtitles",
        )
