"""The transcript that a video contains: its subtitle track."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.media.probe import Source, UnreadableVideo
from jobs.media.subtitles import read_subtitle_stream
from jobs.media.transcripts import UNDETERMINED, Transcript


class EmbeddedSubtitles:
    """Recogniser that reads the text subtitles of the video, if there are any."""

    def transcribe(
        self,
        *,
        video: Source,
        audio: Path | None,
        language: str | None,
        hot_words: Sequence[str] = (),
        on_progress: Callable[[float], None],
    ) -> Transcript | None:
        """Return the subtitles, or None if there are none. See `Recogniser.transcribe`; `audio` is not read, and
        `hot_words` change nothing.
        """
        try:
            track = read_subtitle_stream(video, language)
        except UnreadableVideo:
            return None  # the sound may still be readable
        on_progress(1.0)
        if track is None:
            return None
        return Transcript(
            language=track.language or language or UNDETERMINED,
            segments=track.segments,
            recogniser="subtitles",
        )
