"""Speech to text: what a recogniser is asked, and how it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from jobs.media.probe import Source
from jobs.media.transcripts import Transcript


class SpeechError(Exception):
    """Recognition failed. `message` is a sentence for users, without secrets or transcript text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Recogniser(Protocol):
    """An engine that makes a transcript of a video."""

    def transcribe(
        self,
        *,
        video: Source,
        audio: Path,
        language: str | None,
        hot_words: Sequence[str] = (),
        on_progress: Callable[[float], None],
    ) -> Transcript | None:
        """Return the transcript, or None if this recogniser cannot make it and the next one is to be tried.

        `audio` is the sound as 16 kHz mono FLAC in step with the video. `language` is a BCP 47 tag, or None to
        detect it. `hot_words` are names that may be said; they are what a user's screen shows, and not for the log.
        `on_progress` is called with the share done (0..1), and may raise to stop. Raise SpeechError.
        """
        ...
